import Canvas
import RaftAudit
import RaftCore
import RaftTrace
import Script

// The first line of the screen, and the last two.

extension Model {
    /// Who leads, in which term, how far the log is committed, and how fast the clock runs. While it stands still the
    /// whole line says so.
    func drawStatus(on canvas: inout Canvas) {
        let isFrozen = picture.rate == 0
        let base: Style =
            past != nil
            ? Style(.purple, isBold: true, isReversed: true)
            : isFrozen ? Style(.orange, isBold: true, isReversed: true) : Style(isReversed: true)
        canvas.fill(row: 0, columns: 0..<size.columns, style: base)
        let running = picture.nodes.filter(\.isRunning)
        // Where nobody runs, what the disks hold.
        let term = (running.isEmpty ? picture.nodes : running).map(\.term).max() ?? .zero
        let commit = picture.nodes.map(\.commit).max() ?? .zero
        let count = picture.nodes.count
        let facts =
            [leaders ?? "no leader", "term \(term)", "commit \(commit)"]
        // In the order of their places, each with how soon it is left out where there is no room for all.
        let items: [(text: String, rank: Int)] =
            [("raft-tui", 5), ("\(count) node\(count == 1 ? "" : "s")", 4)] + facts.map { ($0, 0) }
            + (canBranch ? [("SIMULATED", 1)] : []) + (audit.isMidway ? [("WATCHED", 3)] : [])
            + (count > 0 ? [(quorum, 3)] : []) + switches.map { ($0, 1) }
            // Of what has not begun there is nothing to say.
            + (count > 0 ? [(verdict, audit.findings.isEmpty ? 2 : 0)] : [])
        let hint = size.columns < 120 ? "Space" : "Space goes on"
        let pace =
            past != nil
            ? "PAST \(now.clockText) \(symbols.separator) End: now "
            : isFrozen ? "FROZEN \(symbols.separator) \(hint) " : "LIVE \(RateText.text(of: picture.rate)) "
        for rank in stride(from: 5, through: -1, by: -1) {
            let parts = items.filter { $0.rank <= max(0, rank) }.map(\.text)
            let text = " " + parts.joined(separator: rank < 0 ? " " : " \(symbols.separator) ") + " "
            guard rank < 0 || Glyph.width(of: text) + Glyph.width(of: pace) <= size.columns else { continue }
            canvas.write(text, row: 0, column: 0, style: base)
            break
        }
        canvas.writeRight(pace, row: 0, before: size.columns, style: base.bold)
    }

    /// Who leads; where a leader of an earlier term doesn't know yet that it is none any more, that one, too.
    private var leaders: String? {
        guard let leader = picture.leader else { return nil }
        let earlier = picture.nodes.filter {
            $0.isRunning && $0.role == .leader && $0.halted == nil && $0.id != leader.id
        }
        let others = earlier.map { ", \($0.id) in t\($0.term)" }.joined()
        return "\(symbols.star) leader \(leader.id)" + others
    }

    /// How many of the voters are needed, `quorum 2/3`; while two sets of them decide, of each.
    private var quorum: String {
        // Without a leader, those of the latest change that anybody knows of.
        let latest = picture.leader ?? picture.nodes.max { $0.membersIndex < $1.membersIndex }
        let members = latest?.members ?? Configuration(count: max(1, picture.nodes.count))
        let sets = members.isJoint ? [members.voters, members.outgoing] : [members.voters]
        return "quorum " + sets.map { "\(Configuration.majority(of: $0))/\($0.count)" }.joined(separator: " + ")
    }

    /// The rules that are switched off: nobody must forget them.
    private var switches: [String] {
        let off = picture.settings?.rulesOff ?? []
        if off.isEmpty { return [] }
        if off.count == 1, size.columns >= 100 { return ["WITHOUT \(off[0])"] }
        return ["\(off.count) RULE\(off.count == 1 ? "" : "S") OFF"]
    }

    /// Whether Raft's properties hold, and what clients see is one store. What could not be checked is not called fine.
    private var verdict: String {
        func text(_ name: String, _ isBroken: Bool, _ unchecked: Int) -> String {
            isBroken ? "NOT \(name.uppercased())" : "\(name) \(unchecked > 0 ? "?" : symbols.tick)"
        }
        return text("safe", wasFound(audit.safety.findings), audit.safety.unchecked) + " "
            + text("linearizable", wasFound(audit.clients.findings), audit.clients.unchecked)
    }

    /// Whether any of `findings` was there by the moment that is shown.
    private func wasFound(_ findings: [Finding]) -> Bool { findings.contains(where: isShown) }

    /// Whether a finding was there by the moment that is shown.
    func isShown(_ finding: Finding) -> Bool { past == nil || finding.sequence <= picture.sequence }

    /// Whether an entry of a server is at fault for a broken property.
    func isAtFault(_ index: LogIndex, of node: NodeID) -> Bool {
        audit.safety.findings.contains { $0.entry == index && $0.nodes.contains(node) && isShown($0) }
    }

    /// The line that is typed, or what the program has to say. Answers where the cursor stands.
    func drawPrompt(on canvas: inout Canvas) -> Scene.Cursor? {
        let row = size.rows - 2
        switch mode {
        case .prompt(let line, _): return drawLine(line, after: ":", row: row, on: &canvas)
        case .filter(let line): return drawLine(line, after: "/", row: row, on: &canvas)
        case .help(let line, _): return drawLine(line, after: "help: ", row: row, on: &canvas)
        case .link:
            let others = picture.nodes.filter { $0.id != selected }.map { String($0.id.rawValue) }
            if notice.isTrouble {
                drawNotice(row: row, on: &canvas)
                return nil
            }
            canvas.write(
                "cut which link of \(selected)? \(others.joined(separator: " "))", row: row, column: 0,
                style: .plain.bold)
        case .watching, .lessons, .page:
            drawNotice(row: row, on: &canvas)
        }
        return nil
    }

    /// What the program has to say, as far as there is room.
    private func drawNotice(row: Int, on canvas: inout Canvas) {
        if notice.text.isEmpty, !hasTape { return drawTape(row: row, on: &canvas) }
        let style = notice.isTrouble ? Style(.vermilion, isBold: true) : .plain
        canvas.write(
            notice.text, row: row, column: 0, style: style, limit: size.columns, cutMark: symbols.ellipsis)
    }

    /// Draws a line that is being typed; a long one is shown around its cursor.
    private func drawLine(
        _ line: LineEditor, after sign: String, row: Int, on canvas: inout Canvas
    ) -> Scene.Cursor {
        let start = canvas.write(sign, row: row, column: 0, style: .plain.bold)
        let room = size.columns - start - 1
        let head = Glyph.all(in: line.head)
        var shown = head[...]
        while shown.reduce(0, { $0 + $1.width }) > room { shown.removeFirst() }
        let cursor = canvas.write(shown.map(\.text).joined(), row: row, column: start)
        let tail = String(line.text[line.cursor...])
        canvas.write(tail, row: row, column: cursor, limit: size.columns - cursor)
        return Scene.Cursor(row: row, column: min(cursor, size.columns - 1))
    }

    /// The keys that work now; while a line is typed, what can stand there.
    func drawFooter(on canvas: inout Canvas) {
        let row = size.rows - 1
        switch mode {
        case .prompt(let line, let recall):
            if notice.isTrouble {
                drawNotice(row: row, on: &canvas)
            } else {
                drawCandidates(line, recall, row: row, on: &canvas)
            }
        case .filter: canvas.write("Enter keeps the filter, Esc shows all events", row: row, column: 0, style: .faint)
        case .help:
            canvas.write(
                size.columns < 48
                    ? "type: filter, arrows: scroll, Esc: close"
                    : "type to filter, arrows and Page Down scroll, Esc closes", row: row, column: 0, style: .faint)
        case .link:
            canvas.write(
                "a digit cuts both ways; again: one way, the other, whole; Esc: done", row: row, column: 0,
                style: .faint)
        case .page(let page): canvas.write(hint(on: page.subject), row: row, column: 0, style: .faint)
        case .lessons:
            canvas.write("arrows choose, Enter begins the lesson, Esc closes", row: row, column: 0, style: .faint)
        case .watching: drawKeys(row: row, on: &canvas)
        }
    }

    /// As many keys as there is room for; help and quit, at the right, always.
    private func drawKeys(row: Int, on canvas: inout Canvas) {
        let items = Help.footer(self)
        func width(_ item: Help.Item) -> Int { Glyph.width(of: item.keys) + Glyph.width(of: item.sentence) + 3 }
        func draw(_ item: Help.Item, at column: Int) -> Int {
            let next = canvas.write(item.keys, row: row, column: column, style: .plain.bold) + 1
            return canvas.write(item.sentence, row: row, column: next, style: .faint) + 2
        }
        let always = items.suffix(2)
        let edge = size.columns - always.reduce(0) { $0 + width($1) } + 2
        var column = edge
        for item in always { column = draw(item, at: column) }
        column = 0
        for item in items.dropLast(2) where column + width(item) <= edge { column = draw(item, at: column) }
    }

    private func drawCandidates(_ line: LineEditor, _ recall: Recall, row: Int, on canvas: inout Canvas) {
        let candidates =
            recall.candidates.isEmpty ? Completion(of: line.head, in: picture).candidates : recall.candidates
        guard !candidates.isEmpty else {
            canvas.write("Enter does it, Esc leaves", row: row, column: 0, style: .faint)
            return
        }
        var column = canvas.write("Tab completes: ", row: row, column: 0, style: .faint)
        for (place, candidate) in candidates.enumerated() {
            guard column + Glyph.width(of: candidate) < size.columns - 2 else {
                canvas.write(symbols.ellipsis, row: row, column: column, style: .faint)
                break
            }
            column =
                canvas.write(
                    candidate, row: row, column: column, style: place == recall.candidate ? .plain.reversed : .plain)
                + 1
        }
    }
}

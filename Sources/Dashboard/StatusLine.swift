import Canvas
import RaftCore
import RaftTrace
import Script

// The first line of the screen, and the last two.

extension Model {
    /// Who leads, in which term, how far the log is committed, and how fast the clock runs. While it stands still the
    /// whole line says so.
    func drawStatus(on canvas: inout Canvas) {
        let isFrozen = picture.rate == 0
        let base: Style = isFrozen ? Style(.orange, isBold: true, isReversed: true) : Style(isReversed: true)
        canvas.fill(row: 0, columns: 0..<size.columns, style: base)
        let leader = picture.leader
        let term = picture.nodes.filter(\.isRunning).map(\.term).max() ?? .zero
        let commit = picture.nodes.map(\.commit).max() ?? .zero
        let count = picture.nodes.count
        let isWide = size.columns >= 60
        var parts = isWide ? ["raft-tui", "\(count) node\(count == 1 ? "" : "s")"] : []
        parts.append(leader.map { "\(symbols.star) leader \($0.id)" } ?? "no leader")
        parts += ["term \(term)", "commit \(commit)"]
        if isWide { parts.append("quorum \(count / 2 + 1)/\(count)") }
        let text = " " + parts.joined(separator: " \(symbols.separator) ")
        canvas.write(text, row: 0, column: 0, style: base)
        let pace = isFrozen ? "FROZEN \(symbols.separator) Space goes on " : "LIVE \(RateText.text(of: shownRate)) "
        canvas.writeRight(pace, row: 0, before: size.columns, style: base.bold)
    }

    private var shownRate: Double { (picture.rate * 10_000).rounded() / 10_000 }

    /// The line that is typed, or what the program has to say. Answers where the cursor stands.
    func drawPrompt(on canvas: inout Canvas) -> Scene.Cursor? {
        let row = size.rows - 2
        switch mode {
        case .prompt(let line, _): return drawLine(line, after: ":", row: row, on: &canvas)
        case .filter(let line): return drawLine(line, after: "/", row: row, on: &canvas)
        case .help(let line, _): return drawLine(line, after: "help: ", row: row, on: &canvas)
        case .link:
            let others = picture.nodes.filter { $0.id != selected }.map { String($0.id.rawValue) }
            canvas.write(
                "cut which link of \(selected)? \(others.joined(separator: " "))", row: row, column: 0,
                style: .plain.bold)
        case .watching:
            canvas.write(
                notice.text, row: row, column: 0, style: notice.isTrouble ? Style(.vermilion, isBold: true) : .plain)
        }
        return nil
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
                canvas.write(notice.text, row: row, column: 0, style: Style(.vermilion, isBold: true))
            } else {
                drawCandidates(line, recall, row: row, on: &canvas)
            }
        case .filter: canvas.write("Enter keeps the filter, Esc shows all events", row: row, column: 0, style: .faint)
        case .help: canvas.write("type to filter, arrows scroll, Esc closes", row: row, column: 0, style: .faint)
        case .link: canvas.write("once: both ways; again: one way, the other way, whole; Esc: none", row: row, column: 0, style: .faint)
        case .watching:
            var column = 0
            for item in Help.footer(self) {
                let width = Glyph.width(of: item.keys) + Glyph.width(of: item.sentence) + 3
                guard column + width <= size.columns + 2 else { break }
                column = canvas.write(item.keys, row: row, column: column, style: .plain.bold) + 1
                column = canvas.write(item.sentence, row: row, column: column, style: .faint) + 2
            }
        }
    }

    private func drawCandidates(_ line: LineEditor, _ recall: Recall, row: Int, on canvas: inout Canvas) {
        let candidates = recall.candidates.isEmpty ? Completion(of: line.head, in: picture).candidates : recall.candidates
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
            column = canvas.write(candidate, row: row, column: column, style: place == recall.candidate ? .plain.reversed : .plain) + 1
        }
    }
}

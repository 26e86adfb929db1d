import Canvas
import RaftCore
import RaftTrace

// Big type, for the last row of a lecture hall: who leads, the term and the commit index in large letters, a large box for
// each server, and what a lesson says. Everything else is left out.

extension Model {
    /// Whether the screen is drawn so. What is opened over the panes is drawn over the usual ones.
    var showsBigType: Bool {
        guard taste.isBig, size.rows >= Model.fullSize.rows, size.columns >= Model.fullSize.columns else {
            return false
        }
        switch mode {
        case .watching, .prompt, .filter, .link: return true
        case .help, .page, .lessons: return false
        }
    }

    func drawBigType(on canvas: inout Canvas) {
        drawHeadline(on: &canvas)
        for (place, line) in bigLesson.enumerated() {
            canvas.write(
                line.text, row: 1 + headlineRows + place, column: 2, style: line.style, limit: size.columns - 4)
        }
        for (node, place) in bigBoxes {
            canvas.draw(bigBox(of: node, place.size), row: 1 + place.row, column: place.column)
        }
    }

    // MARK: - The headline

    /// On a large screen the letters are twice as large.
    private var bigScale: Int { size.rows >= 48 && size.columns >= 160 ? 2 : 1 }

    /// A blank row, the letters, and below them what they are.
    private var headlineRows: Int { BigLetters.rows * bigScale + 2 }

    private func drawHeadline(on canvas: inout Canvas) {
        let leader = picture.leader
        let term = picture.nodes.filter(\.isRunning).map(\.term).max() ?? .zero
        let commit = picture.nodes.map(\.commit).max() ?? .zero
        let styles = [
            leader.map { Symbols.style(of: $0) } ?? Style(.orange, isBold: true), Style(Symbols.ink(of: term)).bold,
            Style.plain.bold,
        ]
        let captions = [leader.map { "leader \($0.id)" } ?? "no leader", "term \(term)", "commit index \(commit)"]
        let name = leader.map { "\($0.id)" }
        let sign = name.map { "★" + $0 }
        let variants: [[String]] = [
            [name.map { "LEADER " + $0 } ?? "NO LEADER", "TERM \(term)", "COMMIT \(commit)"],
            [sign ?? "NO LEADER", "TERM \(term)", "COMMIT \(commit)"],
            [sign ?? "NO LEADER", "TERM \(term)", "C\(commit)"],
            [sign ?? "NO LEADER", "T\(term)", "C\(commit)"],
            [sign ?? "NONE", "T\(term)", "C\(commit)"],
            [name ?? "-", "\(term)", "\(commit)"],
        ]
        let room = size.columns - 4
        // Numbers that are too long for any letters stay small.
        guard let texts = variants.first(where: { bigWidth(of: $0) <= room }) else {
            canvas.write(captions.joined(separator: "   "), row: 4, column: 2, style: .plain.bold, limit: room)
            return
        }
        let widths = texts.map { BigLetters.width(of: $0, scale: bigScale) ?? 0 }
        let free = (room - widths.reduce(0, +)) / (texts.count - 1)
        var column = 2
        for (place, text) in texts.enumerated() {
            canvas.writeBig(
                text, row: 2, column: column, style: styles[place], isASCII: isASCII, scale: bigScale)
            // The last one may begin before its letters do.
            let start = min(column, size.columns - 2 - Glyph.width(of: captions[place]))
            canvas.write(
                captions[place], row: 2 + BigLetters.rows * bigScale, column: start, limit: widths[place] + free - 1)
            column += widths[place] + free
        }
    }

    /// How many columns texts take in large letters, with room between them.
    private func bigWidth(of texts: [String]) -> Int {
        let widths = texts.map { BigLetters.width(of: $0, scale: bigScale) ?? size.columns }
        return widths.reduce(0, +) + 3 * bigScale * (texts.count - 1)
    }

    // MARK: - The lesson

    /// What the lesson says, with a blank line above and below.
    private var bigLesson: [(text: String, style: Style)] {
        let lines = lectureLines(columns: size.columns - 4)
        guard !lines.isEmpty else { return [] }
        // Three rows at least are for the servers.
        let blank = [(text: "", style: Style.plain)]
        return blank + lines.prefix(max(0, body.rows - headlineRows - 5)) + blank
    }

    // MARK: - The servers

    /// The servers, each with its box; rows are counted from below the first line of the screen.
    var bigBoxes: [(node: NodePicture, place: Place)] {
        let nodes = picture.nodes
        guard !nodes.isEmpty else { return [] }
        let top = headlineRows + bigLesson.count
        let room = Size(rows: body.rows - top, columns: size.columns)
        let columns = Model.bigColumns(count: nodes.count, room)
        let rows = (nodes.count + columns - 1) / columns
        let box = Size(rows: room.rows / rows, columns: room.columns / columns)
        guard box.rows >= 3 else { return [] }
        return nodes.enumerated().map { number, node in
            let (row, column) = number.quotientAndRemainder(dividingBy: columns)
            return (node, Place(row: top + row * box.rows, column: column * box.columns, size: box))
        }
    }

    /// How much a box shows, by its size.
    private enum Detail: Int, Comparable {
        /// A role.
        case one = 1
        /// And the term with the timer.
        case two = 2
        /// Each in a row of its own.
        case three = 3
        /// The name in big letters.
        case name = 9
        /// The role, too.
        case role = 15

        static func < (left: Detail, right: Detail) -> Bool { left.rawValue < right.rawValue }

        /// The most that there is room for inside a frame.
        init(_ inside: Size) {
            let all: [(Detail, columns: Int)] = [(.role, 56), (.name, 36), (.three, 14), (.two, 14)]
            self = all.first { $0.0.rawValue <= inside.rows && $0.columns <= inside.columns }?.0 ?? .one
        }
    }

    /// In how many columns the boxes show most; where that makes no difference, as few as possible, so that they are wide.
    private static func bigColumns(count: Int, _ room: Size) -> Int {
        func detail(_ columns: Int) -> Detail? {
            let box = Size(rows: room.rows / ((count + columns - 1) / columns), columns: room.columns / columns)
            return box.rows >= 3 && box.columns >= 16 ? Detail(Size(rows: box.rows - 2, columns: box.columns - 2)) : nil
        }
        var best = (columns: min(count, max(1, room.columns / 16)), detail: Detail.one)
        for columns in (1...count).reversed() {
            // A column that stays empty only takes room.
            guard let detail = detail(columns), (count + columns - 1) / columns * columns - count < columns else {
                continue
            }
            if detail >= best.detail { best = (columns, detail) }
        }
        return best.columns
    }

    private func bigBox(of node: NodePicture, _ size: Size) -> Canvas {
        var canvas = Canvas(size)
        let isSelected = node.id == selected
        let style = Symbols.style(of: node)
        canvas.frame(
            isSelected ? symbols.focusFrame : symbols.frame,
            title: (isSelected ? symbols.selection : "") + "\(node.id)",
            style: isSelected ? .plain.bold : .faint, titleStyle: style.bold)
        let detail = Detail(canvas.inside)
        // Standing in the middle, as high as it is wide enough to be.
        let top = 1 + (canvas.inside.rows - min(detail.rawValue, canvas.inside.rows)) / 2
        let name = "\(Symbols(isASCII: false).sign(of: node))\(node.id)"
        let role = "\(symbols.sign(of: node)) \(Symbols.word(for: node))"
        let commit = node.isRunning ? "commit \(node.commit)" : ""
        switch detail {
        case .one: canvas.write(role, row: top, column: 2, style: style.bold, limit: size.columns - 3)
        case .two:
            canvas.write(role, row: top, column: 2, style: style.bold, limit: size.columns - 3)
            let end = canvas.write("t\(node.term) ", row: top + 1, column: 2, style: termStyle(of: node))
            drawTimer(of: node, rows: top + 1..<top + 2, column: end, on: &canvas)
        case .three:
            canvas.write(role, row: top, column: 2, style: style.bold, limit: size.columns - 3)
            let isLong = "term \(node.term)  \(commit)".count <= size.columns - 4
            let term = isLong ? "term \(node.term)" : "t\(node.term)"
            let end = canvas.write(term, row: top + 1, column: 2, style: termStyle(of: node))
            let rest = isLong || commit.isEmpty ? commit : "c\(node.commit)"
            canvas.write(rest, row: top + 1, column: end + 2, limit: size.columns - 3 - end)
            drawTimer(of: node, rows: top + 2..<top + 3, column: 2, on: &canvas)
        case .name:
            let end = canvas.writeBig(name, row: top, column: 2, style: style.bold, isASCII: isASCII) + 2
            canvas.write(role, row: top, column: end, style: style.bold, limit: size.columns - 1 - end)
            canvas.write("term \(node.term)", row: top + 2, column: end, style: termStyle(of: node))
            canvas.write(commit, row: top + 4, column: end, limit: size.columns - 1 - end)
            drawTimer(of: node, rows: top + 6..<top + 8, column: 2, on: &canvas)
        case .role:
            let end = canvas.writeBig(name, row: top, column: 2, style: style.bold, isASCII: isASCII)
            if let width = BigLetters.width(of: "T\(node.term)"), end + 4 + width < size.columns - 1 {
                canvas.writeBig(
                    "T\(node.term)", row: top, column: end + 4, style: termStyle(of: node), isASCII: isASCII)
            }
            let word = Symbols.word(for: node).uppercased()
            canvas.writeBig(word, row: top + 6, column: 2, style: style.bold, isASCII: isASCII)
            canvas.write("\(role)   term \(node.term)   \(commit)", row: top + 12, column: 2, limit: size.columns - 3)
            drawTimer(of: node, rows: top + 13..<top + 15, column: 2, on: &canvas)
        }
        return canvas
    }

    private func termStyle(of node: NodePicture) -> Style {
        node.isRunning ? Style(Symbols.ink(of: node.term)).bold : .faint
    }

    /// What is left of the election timer, as wide as the box is; or what stands in its place.
    private func drawTimer(of node: NodePicture, rows: Range<Int>, column: Int, on canvas: inout Canvas) {
        let room = canvas.size.columns - 2 - column
        if let told = waitingFor(node) {
            canvas.write(told, row: rows.lowerBound, column: column, style: Symbols.style(of: node), limit: room)
        } else if node.standing == .leader {
            drawLeadership(of: node, row: rows.lowerBound, column: column, room: room, on: &canvas)
        } else {
            for row in rows { drawTimer(of: node, row: row, column: column, width: room, on: &canvas) }
        }
    }
}

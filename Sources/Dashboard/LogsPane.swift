import Canvas
import RaftCore
import RaftTrace

// The logs side by side. A cell is an entry's term: filled where the server knows it to be committed. Between cells
// stand the end of what is committed, and for each follower what the leader will send next and knows to be there. What a
// snapshot stands for is one field, as wide as the entries were that it has replaced.

extension Model {
    func logsPane(_ size: Size) -> Canvas {
        let window = logWindow(columns: size.columns - 2)
        let range = window.first > window.last ? "" : " \(window.first)–\(window.last)"
        let legend = "cell = term, filled = committed, \(symbols.nextMark) next, \(symbols.matchMark) match"
        var canvas = framed(.logs, size, title: "Logs\(range)", note: size.columns >= 70 ? legend : "")
        drawRuler(window, on: &canvas)
        for (place, node) in visibleNodes(rows: canvas.inside.rows - 1).enumerated() {
            drawLog(of: node, row: 2 + place, window, on: &canvas)
        }
        return canvas
    }

    /// Which entries are shown, and how wide a cell is: two marks and the term.
    private struct LogWindow {
        var first: UInt64
        var last: UInt64
        var cellWidth: Int
        static let labelWidth = 6

        func column(of index: UInt64) -> Int { 1 + LogWindow.labelWidth + Int(index - first) * cellWidth }
    }

    private func logWindow(columns: Int) -> LogWindow {
        let longest = picture.nodes.map(\.log.last.rawValue).max() ?? 0
        let digits = String(picture.nodes.map(\.term.rawValue).max() ?? 0).count
        let width = 2 + digits
        // One cell more than there are entries, for the marks behind the last one.
        let room = max(1, (columns - LogWindow.labelWidth) / width - 1)
        let last = longest - min(longest, UInt64(entriesBack))
        let first = last > UInt64(room) ? last - UInt64(room) + 1 : 1
        return LogWindow(first: first, last: max(last, min(longest, first + UInt64(room) - 1)), cellWidth: width)
    }

    private func drawRuler(_ window: LogWindow, on canvas: inout Canvas) {
        guard window.first <= window.last else { return }
        canvas.write("index", row: 1, column: 1, style: .faint)
        var end = 1 + LogWindow.labelWidth
        for index in window.first...window.last where index % 5 == 0 || index == window.first {
            let text = String(index)
            let column = window.column(of: index) + window.cellWidth
            guard column - text.count > end || index == window.first else { continue }
            canvas.writeRight(text, row: 1, before: column, style: .faint)
            end = column
        }
    }

    private func drawLog(of node: NodePicture, row: Int, _ window: LogWindow, on canvas: inout Canvas) {
        let style = Symbols.style(of: node)
        canvas.write("\(node.id)", row: row, column: 1, style: node.id == selected ? style.bold : style)
        canvas.write(symbols.sign(of: node), row: row, column: 4, style: style)
        drawSnapshot(of: node, row: row, window, on: &canvas)
        let progress = picture.leader?.peers[node.id]
        guard window.first <= window.last + 1 else { return }
        for raw in window.first...(window.last + 1) {
            let index = LogIndex(raw)
            let column = window.column(of: raw)
            if raw <= window.last, let term = node.log.term(at: index) {
                let style = cellStyle(term, at: index, of: node)
                canvas.fill(row: row, columns: column + 1..<column + window.cellWidth, style: style)
                canvas.writeRight("\(term)", row: row, before: column + window.cellWidth, style: style)
            }
            drawMarks(before: index, of: node, progress, row: row, column: column, on: &canvas)
        }
    }

    /// What has taken the place of the log's beginning, and how much of a leader's snapshot has arrived.
    private func drawSnapshot(of node: NodePicture, row: Int, _ window: LogWindow, on canvas: inout Canvas) {
        let style = node.isRunning ? Style(.purple, isReversed: true) : .faint
        if let last = node.snapshot, node.log.base.index.rawValue >= window.first {
            let end = window.column(of: min(node.log.base.index.rawValue, window.last) + 1)
            let start = window.column(of: window.first) + 1
            canvas.fill(row: row, columns: start..<end, style: style)
            let mark = isASCII ? "<=" : "≤"
            let labels = [
                "[snapshot \(mark)\(last.index) t\(last.term)]", "[\(mark)\(last.index) t\(last.term)]",
                "[\(mark)\(last.index)]",
            ]
            if let label = labels.first(where: { $0.count <= end - start }) {
                canvas.write(label, row: row, column: start, style: style)
            }
        }
        if let incoming = node.incoming, node.log.last.rawValue < window.last {
            let share = incoming.received * 100 / max(1, incoming.size)
            let column = window.column(of: max(window.first, node.log.last.rawValue + 1)) + 1
            canvas.write("snapshot \(share) %", row: row, column: column + 1, style: Style(.purple, isBold: true))
        }
    }

    private func cellStyle(_ term: Term, at index: LogIndex, of node: NodePicture) -> Style {
        if isAtFault(index, of: node.id) {
            return Style(.vermilion, isBold: true, isReversed: true, isUnderlined: true)
        }
        guard node.isRunning else { return .faint }
        let ink = Symbols.ink(of: term)
        return index <= node.commit ? Style(ink, isReversed: true) : Style(ink, isDim: true)
    }

    private func drawMarks(
        before index: LogIndex, of node: NodePicture, _ progress: Progressed?, row: Int, column: Int,
        on canvas: inout Canvas
    ) {
        if node.isRunning, node.commit > .zero, node.commit.next == index {
            canvas.write(symbols.commitMark, row: row, column: column, style: .plain.bold)
        }
        guard let progress else { return }
        if progress.next == index {
            canvas.write(symbols.nextMark, row: row, column: column + 1, style: Style(.green, isBold: true))
        } else if progress.match.next == index, progress.match > .zero {
            canvas.write(symbols.matchMark, row: row, column: column + 1, style: Style(.green, isBold: true))
        }
    }
}

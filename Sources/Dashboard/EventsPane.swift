import Canvas
import KeyValue
import RaftCore
import RaftTrace

// What happened, to read; and the store of each server.

extension Model {
    func eventsPane(_ size: Size) -> Canvas {
        let lines = shownLines
        let back = min(eventsBack, max(0, lines.count - 1))
        var title = filter.isEmpty ? "Events" : "Events with '\(filter)'"
        if back > 0 { title += ", \(back) back" }
        let dropped = picture.droppedEvents > 0 ? "\(picture.droppedEvents) left out" : ""
        var canvas = framed(.events, size, title: title, note: dropped)
        for (place, line) in visibleLines(rows: canvas.inside.rows).enumerated() {
            draw(line, row: 1 + place, on: &canvas)
        }
        return canvas
    }

    /// The lines that there is room for.
    func visibleLines(rows: Int) -> ArraySlice<Feed.Line> {
        let lines = shownLines
        return lines.dropLast(min(eventsBack, max(0, lines.count - 1))).suffix(rows)
    }

    private func draw(_ line: Feed.Line, row: Int, on canvas: inout Canvas) {
        let room = canvas.inside.columns
        let start = canvas.write(line.at.clockText + " ", row: row, column: 1, style: .faint, limit: room)
        let style: Style =
            switch line.weight {
            case .background, .usual: .plain
            case .important: .plain.bold
            case .alarming: Style(.vermilion, isBold: true)
            }
        canvas.write(
            line.text, row: row, column: start, style: style, limit: room + 1 - start, cutMark: symbols.ellipsis)
        if line.nodes.contains(selected), line.nodes.count < 3, canvas.size.columns >= 70 {
            canvas.restyle(row: row, columns: 1..<start - 1) { $0 = Style(.sky, isBold: true) }
        }
    }

    func storePane(_ size: Size) -> Canvas {
        var canvas = framed(.store, size, title: "Store")
        let leader = picture.leader
        for (place, node) in visibleNodes(rows: canvas.inside.rows).enumerated() {
            let row = 1 + place
            let style = Symbols.style(of: node)
            canvas.write("\(node.id) \(symbols.sign(of: node))", row: row, column: 1, style: style)
            drawStore(of: node, leader, row: row, on: &canvas)
        }
        return canvas
    }

    /// Draws the store of a server; what differs from the leader's stands out.
    private func drawStore(of node: NodePicture, _ leader: NodePicture?, row: Int, on canvas: inout Canvas) {
        let edge = canvas.size.columns - 1
        guard node.isRunning else {
            canvas.write("in memory no more", row: row, column: 7, style: .faint, limit: edge - 7)
            return
        }
        var column = 7
        let keys = node.store.keys(limit: NodeState.storeMax)
        for key in keys where column < edge {
            let isSame = leader.map { $0.store[key] == node.store[key] } ?? true
            let text = "\(Word.quoted(key))=\(Word.quoted(node.store[key] ?? []))"
            column =
                canvas.write(
                    text, row: row, column: column, style: isSame ? .plain : Style(.orange, isBold: true),
                    limit: edge - column) + 1
        }
        if keys.isEmpty { canvas.write("empty", row: row, column: 7, style: .faint) }
        if node.storeCount > keys.count {
            canvas.write("\(node.storeCount) keys", row: row, column: column, style: .faint, limit: edge - column)
        }
    }
}

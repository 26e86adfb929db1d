import Canvas

// The help on the screen: keys and commands at the left, what they do at the right; in a narrow terminal below each other.

extension Model {
    /// A line of the help as it stands on the screen.
    struct HelpRow {
        var left: String
        var right: String
        var isHeading = false
    }

    /// The help that contains `filter`, as rows of so many columns.
    func helpRows(matching filter: String, columns: Int) -> [HelpRow] {
        let isNarrow = columns < Model.helpColumns
        return Help.lines(matching: filter, self).flatMap { line -> [HelpRow] in
            if line.isHeading { return [HelpRow(left: line.left, right: "", isHeading: true)] }
            let right = Glyph.wrapped(line.right, columns: columns - (isNarrow ? 6 : 33))
            if isNarrow {
                return [HelpRow(left: line.left, right: "")] + right.map { HelpRow(left: "", right: $0) }
            }
            return right.enumerated().map { HelpRow(left: $0 == 0 ? line.left : "", right: $1) }
        }
    }

    /// How many rows the help can be scrolled down.
    func helpScroll(matching filter: String) -> Int {
        max(0, helpRows(matching: filter, columns: body.columns).count - helpPage)
    }

    /// How many rows of the help are on the screen.
    var helpPage: Int { body.rows - 2 }

    func helpPane(_ size: Size, filter: String, top: Int) -> Canvas {
        let rows = helpRows(matching: filter, columns: size.columns)
        let top = min(top, helpScroll(matching: filter))
        let end = min(rows.count, top + size.rows - 2)
        let part = rows.count > size.rows - 2 ? "\(top + 1) to \(end) of \(rows.count)" : ""
        var canvas = framed(nil, size, title: filter.isEmpty ? "Help" : "Help on '\(filter)'", note: part)
        for (place, row) in rows[top..<end].enumerated() { draw(row, at: 1 + place, on: &canvas) }
        if rows.isEmpty { canvas.write("nothing is called so", row: 1, column: 2, style: .faint) }
        return canvas
    }

    private func draw(_ row: HelpRow, at place: Int, on canvas: inout Canvas) {
        let edge = canvas.size.columns - 1
        if row.isHeading {
            canvas.write(row.left, row: place, column: 2, style: Style(.sky, isBold: true), limit: edge - 2)
            return
        }
        let (mark, isNarrow) = (symbols.ellipsis, canvas.size.columns < Model.helpColumns)
        let room = isNarrow ? edge - 3 : min(27, edge - 4)
        canvas.write(
            row.left, row: place, column: isNarrow ? 3 : 4, style: .plain.bold, limit: room, cutMark: mark)
        let column = isNarrow ? 5 : 32
        canvas.write(row.right, row: place, column: column, limit: edge - column, cutMark: mark)
    }

    /// What the two columns of the help take, so that something can be read in the second.
    private static let helpColumns = 64
}

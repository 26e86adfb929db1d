/// A grid of styled cells: what a screen shows, as a value. Whatever is written beyond an edge is cut off there.
public struct Canvas: Hashable, Sendable {
    /// A place on the grid.
    public struct Cell: Hashable, Sendable {
        /// What stands there; empty for the second half of a wide letter.
        public var text: String
        /// How it looks.
        public var style: Style

        static let blank = Cell(text: " ", style: .plain)
    }

    /// How many rows and columns there are.
    public let size: Size
    private var cells: [Cell]

    /// An empty grid.
    public init(_ size: Size) {
        self.size = size
        cells = Array(repeating: .blank, count: size.rows * size.columns)
    }

    /// The cell at a place of the grid.
    public subscript(row: Int, column: Int) -> Cell { cells[row * size.columns + column] }

    /// The cells of a row.
    public func row(_ row: Int) -> ArraySlice<Cell> { cells[row * size.columns..<(row + 1) * size.columns] }

    /// Writes `text` from a place to the right, up to `limit` columns or the edge.
    ///
    /// - Returns: The column after the last one written.
    @discardableResult
    public mutating func write(
        _ text: String, row: Int, column: Int, style: Style = .plain, limit: Int = .max
    ) -> Int {
        guard row >= 0, row < size.rows else { return column }
        let edge = min(size.columns, limit == .max ? size.columns : column + limit)
        var place = column
        for glyph in Glyph.all(in: text) {
            guard place + glyph.width <= edge else {
                // Half of a wide letter is not shown.
                while place < edge { put(" ", row, place, style); place += 1 }
                break
            }
            if place >= 0 {
                put(glyph.text, row, place, style)
                if glyph.width == 2 { put("", row, place + 1, style) }
            }
            place += glyph.width
        }
        return place
    }

    /// Writes `text` into `limit` columns; where it doesn't fit, `mark` at its end says so.
    public mutating func write(
        _ text: String, row: Int, column: Int, style: Style = .plain, limit: Int, cutMark mark: String
    ) {
        guard Glyph.width(of: text) > limit else {
            write(text, row: row, column: column, style: style, limit: limit)
            return
        }
        let end = write(text, row: row, column: column, style: style, limit: limit - Glyph.width(of: mark))
        write(mark, row: row, column: end, style: style)
    }

    /// Writes `text` so that it ends before `column`.
    public mutating func writeRight(_ text: String, row: Int, before column: Int, style: Style = .plain) {
        write(text, row: row, column: column - Glyph.width(of: text), style: style)
    }

    /// Fills a row from one column up to another.
    public mutating func fill(_ text: String = " ", row: Int, columns: Range<Int>, style: Style = .plain) {
        guard row >= 0, row < size.rows else { return }
        for column in columns.clamped(to: 0..<size.columns) { put(text, row, column, style) }
    }

    /// Changes the style of cells that are written already.
    public mutating func restyle(row: Int, columns: Range<Int>, _ change: (inout Style) -> Void) {
        guard row >= 0, row < size.rows else { return }
        for column in columns.clamped(to: 0..<size.columns) { change(&cells[row * size.columns + column].style) }
    }

    /// Puts `other` on this grid, its upper left corner at a place of it.
    public mutating func draw(_ other: Canvas, row: Int, column: Int) {
        for line in 0..<other.size.rows where row + line >= 0 && row + line < size.rows {
            for place in 0..<other.size.columns where column + place >= 0 && column + place < size.columns {
                let cell = other[line, place]
                put(cell.text, row + line, column + place, cell.style)
            }
        }
    }

    mutating func replace(_ row: Int, _ column: Int, with text: String) {
        cells[row * size.columns + column].text = text
    }

    /// The grid as lines of text, without styles and without blanks at the ends.
    public var text: String {
        (0..<size.rows).map { row in
            var line = self.row(row).map(\.text).joined()
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// Puts a glyph into a cell. Where that cuts a wide letter in two, its other half becomes a blank.
    private mutating func put(_ text: String, _ row: Int, _ column: Int, _ style: Style) {
        let place = row * size.columns + column
        if !text.isEmpty, cells[place].text.isEmpty, column > 0 { cells[place - 1].text = " " }
        if column + 1 < size.columns, cells[place + 1].text.isEmpty, !cells[place].text.isEmpty || text.isEmpty {
            cells[place + 1].text = " "
        }
        cells[place] = Cell(text: text, style: style)
    }
}

/// Rows and columns.
public struct Size: Hashable, Sendable {
    /// How many rows.
    public var rows: Int
    /// How many columns.
    public var columns: Int

    /// A size.
    public init(rows: Int, columns: Int) {
        self.rows = max(0, rows)
        self.columns = max(0, columns)
    }
}

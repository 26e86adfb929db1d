/// The lines around a pane, and the letters they are made of.
public struct Frame: Hashable, Sendable {
    /// Corners: upper left, upper right, lower left, lower right; then the horizontal and the vertical line.
    let letters: [String]

    /// Lines, for terminals that know them.
    public static let lines = Frame(letters: ["┌", "┐", "└", "┘", "─", "│"])
    /// Strong lines, for the pane that has the focus.
    public static let strong = Frame(letters: ["┏", "┓", "┗", "┛", "━", "┃"])
    /// ASCII.
    public static let ascii = Frame(letters: ["+", "+", "+", "+", "-", "|"])
}

extension Canvas {
    /// Draws a frame around the whole grid, with a title in its upper line and a note at the end of its lower one.
    public mutating func frame(_ frame: Frame, title: String, note: String = "", style: Style, titleStyle: Style) {
        let (last, edge) = (size.rows - 1, size.columns - 1)
        guard last >= 1, edge >= 3 else { return }
        let letters = frame.letters
        fill(letters[4], row: 0, columns: 1..<edge, style: style)
        fill(letters[4], row: last, columns: 1..<edge, style: style)
        for row in 1..<last {
            write(letters[5], row: row, column: 0, style: style)
            write(letters[5], row: row, column: edge, style: style)
        }
        write(letters[0], row: 0, column: 0, style: style)
        write(letters[1], row: 0, column: edge, style: style)
        write(letters[2], row: last, column: 0, style: style)
        write(letters[3], row: last, column: edge, style: style)
        if !title.isEmpty { write(" \(title) ", row: 0, column: 2, style: titleStyle, limit: edge - 3) }
        if !note.isEmpty { writeRight(" \(note) ", row: last, before: edge - 1, style: style) }
    }

    /// The part of the grid inside its frame.
    public var inside: Size { Size(rows: size.rows - 2, columns: size.columns - 2) }
}

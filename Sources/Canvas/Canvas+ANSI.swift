extension Canvas {
    /// The whole grid as text for a terminal with 256 colours, which is cleared first.
    public var ansi: String {
        "\u{1b}[0m\u{1b}[2J" + (0..<size.rows).map { runs(ofRow: $0, after: nil) }.joined()
    }

    /// What makes this grid of one that a terminal shows; nothing where they look the same.
    public func ansi(after shown: Canvas) -> String {
        guard shown.size == size else { return ansi }
        return (0..<size.rows).map { row in
            self.row(row) == shown.row(row) ? "" : runs(ofRow: row, after: shown)
        }.joined()
    }

    /// The cells of a row that differ from those that are shown, or that are no plain blanks, in runs of one style.
    private func runs(ofRow row: Int, after shown: Canvas?) -> String {
        var text = ""
        var style: Style?
        // Where the terminal writes next.
        var place: Int?
        for (column, cell) in self.row(row).enumerated() {
            // The second half of a wide letter was written with its first.
            if cell.text.isEmpty {
                if place == column { place = column + 1 }
                continue
            }
            guard cell != (shown?[row, column] ?? .blank) else { continue }
            if place != column { text += "\u{1b}[\(row + 1);\(column + 1)H" }
            if style != cell.style { text += cell.style.ansi }
            text += cell.text
            (style, place) = (cell.style, column + 1)
        }
        return text
    }
}

extension Style {
    /// What makes a terminal with 256 colours write so from now on.
    public var ansi: String {
        var codes = ["0"]
        if isBold { codes.append("1") }
        if isDim { codes.append("2") }
        if isUnderlined { codes.append("4") }
        if isReversed { codes.append("7") }
        if let color = ink.colorOf256 { codes.append("38;5;\(color)") }
        return "\u{1b}[" + codes.joined(separator: ";") + "m"
    }
}

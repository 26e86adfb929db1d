extension Canvas {
    /// The whole grid as text for a terminal with 256 colours, which is cleared first.
    public func ansi(_ theme: Theme = .dark) -> String {
        "\u{1b}[0m\u{1b}[2J" + (0..<size.rows).map { runs(ofRow: $0, after: nil, theme) }.joined()
    }

    /// What makes this grid of one that a terminal shows; nothing where they look the same.
    public func ansi(after shown: Canvas, _ theme: Theme = .dark) -> String {
        guard shown.size == size else { return ansi(theme) }
        return (0..<size.rows).map { row in
            self.row(row) == shown.row(row) ? "" : runs(ofRow: row, after: shown, theme)
        }.joined()
    }

    /// The cells of a row that differ from those that are shown, or that are no plain blanks, in runs of one style.
    private func runs(ofRow row: Int, after shown: Canvas?, _ theme: Theme) -> String {
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
            if style != cell.style { text += cell.style.ansi(theme) }
            text += cell.text
            (style, place) = (cell.style, column + 1)
        }
        return text
    }
}

extension Style {
    /// What makes a terminal with 256 colours write so from now on.
    public func ansi(_ theme: Theme = .dark) -> String {
        let look = theme.look(of: self)
        var codes = ["0"]
        if look.isBold { codes.append("1") }
        if look.isDim { codes.append("2") }
        if look.isUnderlined { codes.append("4") }
        if look.isReversed { codes.append("7") }
        let color = theme.color(of: look.ink).full
        if color >= 0 { codes.append("38;5;\(color)") }
        return "\u{1b}[" + codes.joined(separator: ";") + "m"
    }
}

extension Canvas {
    /// What every such picture begins with.
    public static let svgMark = "<svg id=\"raft-tui-screen\""

    /// The grid as a picture, in the colours of a theme and on its background.
    public func svg(_ theme: Theme = .dark) -> String {
        let (width, height) = (Int(Double(size.columns) * SVG.cellWidth) + 24, size.rows * SVG.cellHeight + 24)
        var lines = [
            """
            \(Canvas.svgMark) xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
            font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="\(SVG.fontSize)" xml:space="preserve">
            """,
            "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"\(theme.background)\"/>",
        ]
        for row in 0..<size.rows { lines += svg(row: row, theme) }
        lines.append("</svg>\n")
        return lines.joined(separator: "\n")
    }

    /// The runs of one style of a row: a box where it is filled, and the text where it isn't blank.
    private func svg(row: Int, _ theme: Theme) -> [String] {
        var lines: [String] = []
        var column = 0
        while column < size.columns {
            let written = self[row, column].style
            let style = theme.look(of: written)
            let start = column
            var text = ""
            while column < size.columns, self[row, column].style == written {
                text += self[row, column].text
                column += 1
            }
            let (x, y) = (SVG.number(12 + Double(start) * SVG.cellWidth), 12 + row * SVG.cellHeight)
            let length = SVG.number(Double(column - start) * SVG.cellWidth)
            let ink = theme.color(of: style.ink).hex
            if style.isReversed {
                lines.append(
                    "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(length)\" height=\"\(SVG.cellHeight)\" fill=\"\(ink)\"/>")
            }
            guard text.contains(where: { $0 != " " }) else { continue }
            lines.append(
                "<text x=\"\(x)\" y=\"\(y + SVG.baseline)\" textLength=\"\(length)\" lengthAdjust=\"spacingAndGlyphs\""
                    + " fill=\"\(style.isReversed ? theme.background : ink)\""
                    + (style.isBold ? " font-weight=\"bold\"" : "") + (style.isDim ? " opacity=\"0.6\"" : "")
                    + (style.isUnderlined ? " text-decoration=\"underline\"" : "") + ">\(SVG.escaped(text))</text>")
        }
        return lines
    }
}

private enum SVG {
    static let fontSize = 15
    static let cellWidth = 9.03
    static let cellHeight = 18
    static let baseline = 14

    static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

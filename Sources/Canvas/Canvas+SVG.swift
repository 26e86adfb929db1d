extension Canvas {
    /// The grid as a picture, as a terminal with a dark background shows it.
    public var svg: String {
        let (width, height) = (Int(Double(size.columns) * SVG.cellWidth) + 24, size.rows * SVG.cellHeight + 24)
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
            font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="\(SVG.fontSize)" xml:space="preserve">
            """,
            "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"\(SVG.background)\"/>",
        ]
        for row in 0..<size.rows { lines += svg(row: row) }
        lines.append("</svg>\n")
        return lines.joined(separator: "\n")
    }

    /// The runs of one style of a row: a box where it is filled, and the text where it isn't blank.
    private func svg(row: Int) -> [String] {
        var lines: [String] = []
        var column = 0
        while column < size.columns {
            let style = self[row, column].style
            let start = column
            var text = ""
            while column < size.columns, self[row, column].style == style {
                text += self[row, column].text
                column += 1
            }
            let (x, y) = (SVG.number(12 + Double(start) * SVG.cellWidth), 12 + row * SVG.cellHeight)
            let length = SVG.number(Double(column - start) * SVG.cellWidth)
            let ink = SVG.color(of: style.ink)
            if style.isReversed {
                lines.append(
                    "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(length)\" height=\"\(SVG.cellHeight)\" fill=\"\(ink)\"/>")
            }
            guard text.contains(where: { $0 != " " }) else { continue }
            lines.append(
                "<text x=\"\(x)\" y=\"\(y + SVG.baseline)\" textLength=\"\(length)\" lengthAdjust=\"spacingAndGlyphs\""
                    + " fill=\"\(style.isReversed ? SVG.background : ink)\""
                    + (style.isBold ? " font-weight=\"bold\"" : "") + (style.isDim ? " opacity=\"0.6\"" : "")
                    + (style.isUnderlined ? " text-decoration=\"underline\"" : "") + ">\(SVG.escaped(text))</text>")
        }
        return lines
    }
}

private enum SVG {
    static let background = "#16181d"
    static let fontSize = 15
    static let cellWidth = 9.03
    static let cellHeight = 18
    static let baseline = 14

    static func color(of ink: Ink) -> String {
        switch ink {
        case .plain: "#e6e6e6"
        case .orange: "#e69f00"
        case .sky: "#56b4e9"
        case .green: "#2fc08e"
        case .yellow: "#f0e442"
        case .blue: "#4f9fdc"
        case .vermilion: "#e8703a"
        case .purple: "#d58fb8"
        case .grey: "#8a8f98"
        }
    }

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

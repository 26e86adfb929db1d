extension Glyph {
    /// `text` in lines of at most so many columns, broken between words; a word that is longer is broken where it must be.
    public static func wrapped(_ text: String, columns: Int) -> [String] {
        guard columns > 0 else { return [text] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ").flatMap({ pieces(of: String($0), columns: columns) }) {
            if !line.isEmpty, width(of: line) + 1 + width(of: word) > columns {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? word : " " + word
        }
        return lines + (line.isEmpty ? [] : [line])
    }

    /// A word in pieces that fit.
    private static func pieces(of word: String, columns: Int) -> [String] {
        guard width(of: word) > columns else { return [word] }
        var pieces = [""]
        var taken = 0
        for glyph in all(in: word) {
            if taken + glyph.width > columns, taken > 0 {
                pieces.append("")
                taken = 0
            }
            pieces[pieces.count - 1] += glyph.text
            taken += glyph.width
        }
        return pieces
    }
}

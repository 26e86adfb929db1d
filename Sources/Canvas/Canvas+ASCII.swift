extension Canvas {
    /// The same grid in ASCII, cell by cell: signs that have a likeness get it, everything else becomes a question mark.
    public func inASCII() -> Canvas {
        var canvas = self
        for row in 0..<size.rows {
            for column in 0..<size.columns {
                let cell = self[row, column]
                guard !cell.text.utf8.allSatisfy({ $0 < 0x7f }) || cell.text.isEmpty else { continue }
                // The second half of a wide letter is a place of its own now.
                canvas.replace(row, column, with: cell.text.isEmpty ? "?" : Canvas.likenesses[cell.text] ?? "?")
            }
        }
        return canvas
    }

    private static let likenesses: [String: String] = [
        "→": ">", "←": "<", "…": ".", "»": ">", "«": "<", "–": "-", "—": "-", "─": "-", "│": "|", "┃": "|", "·": ".",
        "▏": "_", "§": "S", "≥": ">", "≤": "<", "≠": "#", "✓": "y", "✗": "n", "×": "x",
    ]
}

import Canvas

/// Letters, digits and signs five rows high, made of blocks, for those who sit far away.
enum BigLetters {
    /// How many rows a letter has.
    static let rows = 5
    /// How many columns are between two letters.
    private static let gap = 1
    /// How wide a blank is.
    private static let blank = 3

    /// How many columns a text takes, at so many times its size; `nil` where a letter of it isn't known.
    static func width(of text: String, scale: Int = 1) -> Int? {
        var width = 0
        for letter in text {
            guard let shape = shape(of: letter) else { return nil }
            width += shape[0].count + gap
        }
        return max(0, width - gap) * scale
    }

    /// The rows of a letter; a place that isn't blank is part of it.
    static func shape(of letter: Character) -> [[Character]]? {
        if letter == " " { return Array(repeating: Array(repeating: " ", count: blank), count: rows) }
        guard let text = shapes[letter] else { return nil }
        return text.split(separator: "/").map { Array($0) }
    }

    /// Every letter that is known.
    static var letters: [Character] { shapes.keys.sorted() }

    /// The rows of each letter, one after the other.
    private static let shapes: [Character: String] = [
        "0": ".###./#..##/#.#.#/##..#/.###.",
        "1": ".#./##./.#./.#./###",
        "2": "####./....#/.###./#..../#####",
        "3": "####./....#/.###./....#/####.",
        "4": "#..#./#..#./#####/...#./...#.",
        "5": "#####/#..../####./....#/####.",
        "6": ".###./#..../####./#...#/.###.",
        "7": "#####/....#/...#./..#../..#..",
        "8": ".###./#...#/.###./#...#/.###.",
        "9": ".###./#...#/.####/....#/.###.",
        "A": ".###./#...#/#####/#...#/#...#",
        "C": ".####/#..../#..../#..../.####",
        "D": "####./#...#/#...#/#...#/####.",
        "E": "#####/#..../####./#..../#####",
        "F": "#####/#..../####./#..../#....",
        "H": "#...#/#...#/#####/#...#/#...#",
        "I": "###/.#./.#./.#./###",
        "L": "#..../#..../#..../#..../#####",
        "M": "#...#/##.##/#.#.#/#...#/#...#",
        "N": "#...#/##..#/#.#.#/#..##/#...#",
        "O": ".###./#...#/#...#/#...#/.###.",
        "P": "####./#...#/####./#..../#....",
        "R": "####./#...#/####./#..#./#...#",
        "S": ".####/#..../.###./....#/####.",
        "T": "#####/..#../..#../..#../..#..",
        "U": "#...#/#...#/#...#/#...#/.###.",
        "W": "#...#/#...#/#.#.#/##.##/#...#",
        "n": "...../#.##./##..#/#...#/#...#",
        "-": ".../.../###/.../...",
        ".": "../../../##/##",
        "!": "##/##/##/../##",
        "★": "..#../#####/.###./.###./##.##",
        "○": ".###./#...#/#...#/#...#/.###.",
        "◐": ".###./###.#/###.#/###.#/.###.",
        "◔": ".###./#.###/#.###/#...#/.###.",
        "◌": ".#.#./#...#/...../#...#/.#.#.",
        "✕": "#...#/.#.#./..#../.#.#./#...#",
        "‖": "##.##/##.##/##.##/##.##/##.##",
    ]
}

extension Canvas {
    /// Writes `text` in big letters from a place to the right, at so many times their size. What isn't known is left out.
    ///
    /// - Returns: The column after the last one written.
    @discardableResult
    mutating func writeBig(
        _ text: String, row: Int, column: Int, style: Style, isASCII: Bool, scale: Int = 1
    ) -> Int {
        let block = String(repeating: isASCII ? "#" : "█", count: scale)
        var start = column
        for letter in text {
            guard let shape = BigLetters.shape(of: letter) else { continue }
            for (line, places) in shape.enumerated() {
                for (place, mark) in places.enumerated() where mark == "#" {
                    for copy in 0..<scale {
                        write(block, row: row + line * scale + copy, column: start + place * scale, style: style)
                    }
                }
            }
            start += (shape[0].count + 1) * scale
        }
        return start - scale
    }
}

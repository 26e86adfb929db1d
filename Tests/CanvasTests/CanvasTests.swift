import Canvas
import Glibc
import Testing

/// The widths of letters are those of a UTF-8 locale.
private let hasLocale = setlocale(LC_CTYPE, "C.UTF-8") != nil

struct GlyphTests {
    init() { #expect(hasLocale) }

    @Test(
        "whatever a text is, it takes as many columns as it says and disturbs nothing",
        arguments: [
            ("plain", "plain", 5), ("a\u{0}b\u{1b}[31m", "a\u{2400}b\u{241b}[31m", 8), ("\u{7f}", "\u{2421}", 1),
            ("\u{9b}31m", "\u{fffd}31m", 4), ("a\u{202e}b", "a\u{fffd}b", 3),
            ("\u{200d}\u{feff}", "\u{fffd}\u{fffd}", 2),
            ("漢字", "漢字", 4), ("e\u{301}x", "e\u{301}x", 2), ("\u{301}x", "\u{25cc}\u{301}x", 2),
            ("e\u{301}\u{302}\u{303}\u{304}\u{305}", "e\u{301}\u{302}\u{303}", 1), ("❤\u{fe0f}", "❤", 1),
            ("a\nb\tc", "a\u{240a}b\u{2409}c", 5), ("\u{e000}\u{10ffff}", "\u{fffd}\u{fffd}", 2),
            ("\u{2028}", "\u{fffd}", 1),
            ("👍\u{1f3fb}", "👍\u{fffd}", 3),
        ])
    func safe(text: String, shown: String, width: Int) {
        let glyphs = Glyph.all(in: text)
        #expect(glyphs.map(\.text).joined() == shown)
        #expect(Glyph.width(of: text) == width)
        #expect(glyphs.allSatisfy { (1...2).contains($0.width) })
    }
}

struct CanvasTests {
    init() { #expect(hasLocale) }

    private func grid(_ rows: Int, _ columns: Int) -> Canvas { Canvas(Size(rows: rows, columns: columns)) }

    @Test("what is written beyond an edge is cut off there")
    func edges() {
        var canvas = grid(2, 5)
        canvas.write("abcdefgh", row: 0, column: 2)
        canvas.write("xyz", row: 1, column: -2)
        canvas.write("no", row: 2, column: 0)
        canvas.write("no", row: -1, column: 0)
        #expect(canvas.text == "  abc\nz\n")
        canvas.write("abcdef", row: 1, column: 0, limit: 3)
        #expect(canvas.text == "  abc\nabc\n")
    }

    @Test("no half of a wide letter is ever left, at an edge or where something is written over it")
    func wide() {
        var canvas = grid(1, 5)
        #expect(canvas.write("漢字漢", row: 0, column: 0) == 5)
        #expect(canvas.text == "漢字\n")
        canvas.write("x", row: 0, column: 1)
        #expect(canvas.text == " x字\n")
        canvas.write("y", row: 0, column: 2)
        #expect(canvas.text == " xy\n")
        canvas.write("漢", row: 0, column: 1)
        canvas.write("字", row: 0, column: 0)
        #expect(canvas.text == "字\n")
        for column in 0..<5 where canvas[0, column].text.isEmpty { #expect(canvas[0, column - 1].text == "字") }
    }

    @Test("random writing keeps every row as wide as the grid")
    func random() {
        let letters = ["a", "漢", "e\u{301}", "\u{202e}", "字b", "\u{1b}", "👍"]
        var seed: UInt64 = 1
        var canvas = grid(4, 11)
        for _ in 0..<5_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1
            let text = letters[Int(seed >> 60) % letters.count] + letters[Int(seed >> 50) % letters.count]
            canvas.write(text, row: Int(seed >> 40) % 4, column: Int(seed >> 33) % 13 - 1)
            for row in 0..<4 {
                #expect(Glyph.width(of: canvas.row(row).map(\.text).joined()) == 11)
            }
        }
    }

    @Test("a frame goes around the grid, with its title cut to what there is room for")
    func frame() {
        var canvas = grid(3, 12)
        canvas.frame(.lines, title: "Nodes", note: "2", style: .plain, titleStyle: .plain)
        #expect(canvas.text == "┌─ Nodes ──┐\n│          │\n└────── 2 ─┘\n")
        var narrow = grid(3, 8)
        narrow.frame(.ascii, title: "a long title", style: .plain, titleStyle: .plain)
        #expect(narrow.text == "+- a l-+\n|      |\n+------+\n")
        #expect(narrow.text.split(separator: "\n").allSatisfy { $0.count == 8 })
    }

    @Test("sparks and gauges show shares, and a little is never nothing")
    func sparks() {
        #expect(Spark.line([0, 1, 4, 8], isASCII: false) == " ▁▄█")
        #expect(Spark.line([0, 0], isASCII: false) == "  ")
        #expect(Spark.line([1, 1_000], isASCII: true) == ".#")
        #expect(Spark.gauge(0.01, width: 4, isASCII: false).filled == "▰")
        #expect(Spark.gauge(2, width: 4, isASCII: true).filled == "####")
        #expect(Spark.gauge(-1, width: 4, isASCII: true).empty == "....")
    }

    @Test("a fine line goes from end to end")
    func braille() {
        var plane = Braille(Size(rows: 1, columns: 3))
        plane.line(from: (0, 0), to: (5, 0))
        var canvas = grid(1, 5)
        plane.draw(on: &canvas, row: 0, column: 1, style: .plain)
        #expect(canvas.text == " ⠉⠉⠉\n")
        plane.line(from: (-5, -5), to: (50, 50))
    }
}

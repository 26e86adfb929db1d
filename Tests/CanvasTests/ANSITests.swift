import Foundation
import Testing

@testable import Canvas

/// A canvas as text for a terminal, and recordings made of it.
struct ANSITests {
    init() { _ = setlocale(LC_CTYPE, "C.UTF-8") }

    /// A terminal that knows what canvases say to it, and nothing else.
    private struct Interpreter {
        var canvas: Canvas
        private var (row, column) = (0, 0)
        private var style = Style.plain

        init(_ size: Size) { canvas = Canvas(size) }

        mutating func take(_ text: String) {
            var rest = Substring(text)
            while let first = rest.first {
                guard first == "\u{1b}" else {
                    let letter = rest.removeFirst()
                    canvas.write(String(letter), row: row, column: column, style: style)
                    column += Glyph.width(of: String(letter))
                    continue
                }
                rest = rest.dropFirst(2)
                let arguments = rest.prefix { !$0.isLetter }
                rest = rest.dropFirst(arguments.count)
                let kind = rest.removeFirst()
                carryOut(kind, arguments.split(separator: ";").compactMap { Int($0) })
            }
        }

        private mutating func carryOut(_ kind: Character, _ arguments: [Int]) {
            switch kind {
            case "H": (row, column) = (arguments[0] - 1, arguments[1] - 1)
            case "J": canvas = Canvas(canvas.size)
            case "m": change(arguments)
            case "h", "l": break
            default: Issue.record("what is \(kind)?")
            }
        }

        private mutating func change(_ codes: [Int]) {
            var codes = codes[...]
            while let code = codes.popFirst() {
                switch code {
                case 0: style = .plain
                case 1: style.isBold = true
                case 2: style.isDim = true
                case 4: style.isUnderlined = true
                case 7: style.isReversed = true
                case 38:
                    codes = codes.dropFirst()
                    let color = codes.popFirst()
                    style.ink = Ink.allCases.first { color.map(Int16.init) == Theme.dark.color(of: $0).full } ?? .plain
                default: Issue.record("what is \(code)?")
                }
            }
        }
    }

    /// Canvases, each a little different from the one before.
    private func story(_ count: Int) -> [Canvas] {
        var canvas = Canvas(Size(rows: 5, columns: 17))
        var seed: UInt64 = 7
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        let words = ["a", "漢", "e\u{301}", "字b漢", "\u{1b}[31m", "👍", "   ", "\"\\", "long words"]
        return (0..<count).map { _ in
            let style = Style(
                Ink.allCases[random(Ink.allCases.count)], isBold: random(3) == 0, isDim: random(5) == 0,
                isReversed: random(4) == 0, isUnderlined: random(6) == 0)
            canvas.write(words[random(words.count)], row: random(5), column: random(17), style: style)
            return canvas
        }
    }

    /// The second half of a wide letter looks as its first does.
    private func look(of canvas: Canvas) -> [[Canvas.Cell]] {
        (0..<canvas.size.rows).map { row in
            canvas.row(row).map { $0.text.isEmpty ? Canvas.Cell(text: "", style: .plain) : $0 }
        }
    }

    @Test("a terminal that is told a canvas shows it")
    func whole() {
        for canvas in story(300) {
            var terminal = Interpreter(canvas.size)
            terminal.take("left over" + canvas.ansi())
            #expect(look(of: terminal.canvas) == look(of: canvas))
        }
    }

    @Test("a terminal that is told what changed shows the next canvas")
    func differences() {
        var terminal = Interpreter(Size(rows: 5, columns: 17))
        var shown = Canvas(Size(rows: 5, columns: 17))
        for canvas in story(2_000) {
            terminal.take(canvas.ansi(after: shown))
            #expect(look(of: terminal.canvas) == look(of: canvas))
            shown = canvas
        }
    }

    @Test("nothing is said where nothing changed, and little where little did")
    func little() {
        var canvas = Canvas(Size(rows: 24, columns: 80))
        canvas.write("term 4", row: 3, column: 10)
        #expect(canvas.ansi(after: canvas).isEmpty)
        let before = canvas
        canvas.write("5", row: 3, column: 15, style: Style(.orange).bold)
        #expect(canvas.ansi(after: before) == "\u{1b}[4;16H\u{1b}[0;1;38;5;214m5")
        #expect(canvas.ansi(after: Canvas(Size(rows: 24, columns: 79))) == canvas.ansi())
    }

    @Test("a recording is a line that says what it is, and one for everything that changed")
    func recording() throws {
        var cast = Cast(size: Size(rows: 2, columns: 9), timestamp: 1_700_000_000, terminal: "xterm\"")
        #expect(
            cast.header
                == #"{"version":2,"width":9,"height":2,"timestamp":1700000000,"env":{"TERM":"xterm\""}}"# + "\n")
        #expect(cast.header.hasPrefix(Cast.mark))
        var canvas = Canvas(Size(rows: 2, columns: 9))
        canvas.write("a\\", row: 0, column: 0)
        let first = cast.take(canvas, cursor: nil, at: 12)
        #expect(
            first
                == #"[0.000012,"o","\u001b[?25l\u001b[0m\u001b[2J\u001b[1;1H\u001b[0ma\\"]"# + "\n")
        #expect(cast.take(canvas, cursor: nil, at: 2_000_000).isEmpty)
        #expect(
            cast.take(canvas, cursor: (1, 3), at: 3_500_000) == #"[3.500000,"o","\u001b[2;4H\u001b[?25h"]"# + "\n")
        #expect(cast.take(canvas, cursor: (1, 3), at: 3_600_000).isEmpty)
        let larger = cast.take(Canvas(Size(rows: 3, columns: 9)), cursor: nil, at: 4_000_000)
        #expect(
            larger
                == #"[4.000000,"r","9x3"]"# + "\n" + #"[4.000000,"o","\u001b[0m\u001b[2J\u001b[?25l"]"# + "\n")
        for line in (cast.header + first + larger).split(separator: "\n") {
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        }
    }

    @Test("in another theme everything is written anew, in its colours")
    func themes() {
        var canvas = Canvas(Size(rows: 1, columns: 9))
        canvas.write("n3", row: 0, column: 0, style: Style(.green))
        var cast = Cast(size: canvas.size, timestamp: 0, terminal: "xterm")
        #expect(cast.take(canvas, .dark, cursor: nil, at: 0).contains("[0;38;5;36mn3"))
        #expect(cast.take(canvas, .dark, cursor: nil, at: 1).isEmpty)
        #expect(cast.take(canvas, .light, cursor: nil, at: 2).contains("[2J\\u001b[1;1H\\u001b[0;38;5;29mn3"))
        #expect(cast.take(canvas, .mono, cursor: nil, at: 3).contains("[0mn3"))
        #expect(cast.take(canvas, .mono, cursor: nil, at: 4).isEmpty)
    }

    @Test("every ink but the terminal's own is a colour of its own among 256")
    func colors() {
        let colors = Ink.allCases.map { Theme.dark.color(of: $0).full }.filter { $0 >= 0 }
        #expect(Set(colors).count == Ink.allCases.count - 1)
        #expect(Theme.dark.color(of: .plain).full < 0)
    }
}

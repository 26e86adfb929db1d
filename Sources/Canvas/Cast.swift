/// A recording of a screen in the making, in the form of asciicast version 2: a line of JSON that says what it is, and
/// after it one for everything that changed. It makes the lines; somebody else writes them.
public struct Cast: Sendable {
    /// The first line.
    public let header: String
    private var shown: Canvas?
    private var theme = Theme.dark
    private var cursor: Cursor?

    /// A place of the cursor.
    private struct Cursor: Equatable {
        var row: Int
        var column: Int
    }

    /// How every recording's first line begins.
    public static let mark = "{\"version\":2,"

    /// The beginning of a recording.
    ///
    /// - Parameters:
    ///   - timestamp: When it begins, in seconds since 1970.
    ///   - terminal: What the terminal is, as `TERM` has it.
    public init(size: Size, timestamp: Int, terminal: String) {
        header =
            "\(Cast.mark)\"width\":\(size.columns),\"height\":\(size.rows),\"timestamp\":\(timestamp),"
            + "\"env\":{\"TERM\":\(Cast.quoted(terminal))}}\n"
    }

    /// The lines for what changed on the screen; none where nothing did.
    ///
    /// - Parameters:
    ///   - theme: In which colours it is shown.
    ///   - cursor: Where the cursor stands; `nil` where it is hidden.
    ///   - time: Microseconds since the beginning.
    public mutating func take(
        _ canvas: Canvas, _ theme: Theme = .dark, cursor place: (row: Int, column: Int)?, at time: Int64
    ) -> String {
        let cursor = place.map { Cursor(row: $0.row, column: $0.column) }
        var lines = ""
        var text = ""
        if let shown {
            if shown.size != canvas.size {
                lines += Cast.line(time, "r", "\(canvas.size.columns)x\(canvas.size.rows)")
            }
            // In other colours everything is written anew.
            text = theme == self.theme ? canvas.ansi(after: shown, theme) : canvas.ansi(theme)
        } else {
            text = "\u{1b}[?25l" + canvas.ansi(theme)
        }
        // Writing has moved the cursor.
        if cursor != self.cursor || cursor != nil && !text.isEmpty {
            text += cursor.map { "\u{1b}[\($0.row + 1);\($0.column + 1)H\u{1b}[?25h" } ?? "\u{1b}[?25l"
        }
        (shown, self.theme, self.cursor) = (canvas, theme, cursor)
        return text.isEmpty ? lines : lines + Cast.line(time, "o", text)
    }

    private static func line(_ time: Int64, _ kind: String, _ text: String) -> String {
        let digits = String(time % 1_000_000)
        let fraction = String(repeating: "0", count: 6 - digits.count) + digits
        return "[\(time / 1_000_000).\(fraction),\"\(kind)\",\(quoted(text))]\n"
    }

    /// `text` as JSON has it.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

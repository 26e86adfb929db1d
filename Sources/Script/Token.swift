import KeyValue
import Laboratory
import RaftTrace

/// A word of a line, and where it stands.
struct Token: Hashable {
    /// What it says: what stands between the quotes, where it is in quotes.
    var bytes: Bytes
    /// Where it starts, counted from 1 in Unicode scalars.
    var column: Int
    /// Whether it is in quotes, so that it can only be a value.
    var isQuoted: Bool

    /// What it says as text.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Why a line can't be read, and where.
public struct ScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, counted from 1; `nil` for one that stands alone, as at the prompt.
    public var line: Int?
    /// The place in the line, counted from 1 in Unicode scalars.
    public var column: Int
    /// What is wrong, and what would be right.
    public var message: String

    init(_ message: String, column: Int) {
        self.message = message
        self.column = column
    }

    /// `line 4, column 6: no node 9 in a cluster of 5`.
    public var description: String {
        (line.map { "line \($0), " } ?? "") + "column \(column): \(message)"
    }
}

extension Token {
    /// The words of a line. A `#` that begins a word starts a comment, but for a message's number where a message is
    /// named; `|` is a word by itself.
    static func all(in line: String) throws(ScriptError) -> [Token] {
        var reader = LineReader(line)
        var tokens: [Token] = []
        while let token = try reader.next(namesMessage: tokens.last?.isMessageAction ?? false) { tokens.append(token) }
        return tokens
    }

    private var isMessageAction: Bool { !isQuoted && MessageAction(rawValue: text) != nil }
}

/// Reads by Unicode scalars, not by what a reader would call scalars: a mark that combines with a quote must not hide
/// it.
private struct LineReader {
    private let scalars: [Unicode.Scalar]
    private var place = 0

    init(_ line: String) { scalars = Array(line.unicodeScalars) }

    mutating func next(namesMessage: Bool) throws(ScriptError) -> Token? {
        while place < scalars.count, scalars[place].properties.isWhitespace { place += 1 }
        guard place < scalars.count, scalars[place] != "#" || namesMessage && isNumberNext else { return nil }
        let start = place
        switch scalars[place] {
        case "\"": return try quoted(from: start)
        case "|":
            place += 1
            return Token(bytes: Bytes("|".utf8), column: start + 1, isQuoted: false)
        default: break
        }
        while place < scalars.count, !scalars[place].properties.isWhitespace, scalars[place] != "|" {
            if scalars[place] == "\"" {
                throw ScriptError("a quote begins a word: put a blank before it, or write \\\"", column: place + 1)
            }
            place += 1
        }
        return Token(bytes: LineReader.bytes(of: scalars[start..<place]), column: start + 1, isQuoted: false)
    }

    private var isNumberNext: Bool { place + 1 < scalars.count && ("0"..."9").contains(scalars[place + 1]) }

    private static func bytes(of scalars: ArraySlice<Unicode.Scalar>) -> Bytes {
        scalars.flatMap { UTF8.encode($0) ?? .init() }
    }

    private mutating func quoted(from start: Int) throws(ScriptError) -> Token {
        place += 1
        var bytes = Bytes()
        while place < scalars.count, scalars[place] != "\"" {
            if scalars[place] == "\\" {
                bytes.append(contentsOf: try escape())
            } else {
                bytes.append(contentsOf: UTF8.encode(scalars[place]) ?? .init())
                place += 1
            }
        }
        guard place < scalars.count else { throw ScriptError("the quote is never closed", column: start + 1) }
        place += 1
        if place < scalars.count, !scalars[place].properties.isWhitespace, scalars[place] != "|" {
            throw ScriptError("a blank must follow the closing quote", column: place + 1)
        }
        return Token(bytes: bytes, column: start + 1, isQuoted: true)
    }

    private mutating func escape() throws(ScriptError) -> Bytes {
        let start = place
        place += 2
        switch start + 1 < scalars.count ? scalars[start + 1] : " " {
        case "\"": return Bytes("\"".utf8)
        case "\\": return Bytes("\\".utf8)
        case "n": return Bytes("\n".utf8)
        case "t": return Bytes("\t".utf8)
        case "x":
            let digits = String(decoding: LineReader.bytes(of: scalars.dropFirst(place).prefix(2)), as: UTF8.self)
            guard digits.count == 2, let byte = UInt8(digits, radix: 16) else {
                throw ScriptError("\\x needs two hexadecimal digits", column: start + 1)
            }
            place += 2
            return [byte]
        default:
            throw ScriptError(#"after a backslash comes one of " \ n t xHH"#, column: start + 1)
        }
    }
}

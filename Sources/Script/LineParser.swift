import KeyValue
import RaftCore
import RaftTrace

/// Reads the words of one line from left to right.
struct LineParser {
    private let tokens: [Token]
    private var place = 0
    /// Where the line ends, for what is missing there.
    private let endColumn: Int
    /// The number of servers, where it is known.
    let nodes: Int?

    init(_ line: String, nodes: Int?) throws(ScriptError) {
        tokens = try Token.all(in: line)
        endColumn = line.unicodeScalars.count + 1
        self.nodes = nodes
    }

    /// The next word, without taking it.
    var next: Token? { place < tokens.count ? tokens[place] : nil }

    /// Where the next word stands.
    var column: Int { next?.column ?? endColumn }

    /// Takes the next word.
    mutating func take() -> Token? {
        defer { if place < tokens.count { place += 1 } }
        return next
    }

    /// Takes the next word, which is `what`.
    mutating func require(_ what: String) throws(ScriptError) -> Token {
        guard let token = take() else { throw ScriptError("\(what) is missing", column: endColumn) }
        return token
    }

    /// Takes the next word if it is this one, not in quotes.
    mutating func takes(_ word: String) -> Bool {
        guard let next, !next.isQuoted, next.text == word else { return false }
        place += 1
        return true
    }

    /// Makes sure that nothing is left.
    func finish() throws(ScriptError) {
        if let next { throw ScriptError("unexpected '\(next.text)'", column: next.column) }
    }

    // MARK: - Kinds of words

    mutating func bytes(_ what: String) throws(ScriptError) -> Bytes { try require(what).bytes }

    mutating func text(_ what: String) throws(ScriptError) -> String {
        let token = try require(what)
        guard let text = String(validating: token.bytes, as: UTF8.self) else {
            throw ScriptError("\(what) must be UTF-8", column: token.column)
        }
        return text
    }

    mutating func count(_ what: String, in range: ClosedRange<Int>) throws(ScriptError) -> Int {
        let token = try require(what)
        guard let number = Int(token.text), range.contains(number) else {
            throw ScriptError(
                "\(what) is a number from \(range.lowerBound) to \(range.upperBound), not '\(token.text)'",
                column: token.column)
        }
        return number
    }

    mutating func number(_ what: String) throws(ScriptError) -> UInt64 {
        let token = try require(what)
        guard let number = UInt64(token.text) else {
            throw ScriptError("\(what) is a number, not '\(token.text)'", column: token.column)
        }
        return number
    }

    /// `3` or `n3`.
    mutating func node() throws(ScriptError) -> NodeID {
        let token = try require("a node")
        return try LineParser.node(token.text, column: token.column, nodes: nodes)
    }

    static func node(_ text: String, column: Int, nodes: Int?) throws(ScriptError) -> NodeID {
        let digits = text.hasPrefix("n") ? text.dropFirst() : text[...]
        guard let number = UInt8(digits), number > 0 else {
            throw ScriptError("a node is a number like 1 or n1, not '\(text)'", column: column)
        }
        if let nodes, number > nodes {
            throw ScriptError("no node \(number) in a cluster of \(nodes)", column: column)
        }
        guard let node = NodeID(rawValue: number) else {
            throw ScriptError("a node's number is 1 to 63", column: column)
        }
        return node
    }

    /// `50ms`, `2s`, `10us`, `100ns`; zero needs no unit.
    mutating func duration(_ what: String) throws(ScriptError) -> Interval {
        let token = try require(what)
        return try LineParser.duration(token.text, what, column: token.column)
    }

    /// How long a script may wait.
    mutating func patience(_ what: String) throws(ScriptError) -> Interval {
        let column = column
        let length = try duration(what)
        guard length <= .seconds(86_400) else { throw ScriptError("\(what) is at most a day", column: column) }
        return length
    }

    static func duration(_ text: String, _ what: String, column: Int) throws(ScriptError) -> Interval {
        let units: [(String, Double)] = [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)]
        for (unit, nanoseconds) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number >= 0, number * nanoseconds < 1e18 else {
                continue
            }
            return Interval(nanoseconds: Int64((number * nanoseconds).rounded()))
        }
        if text == "0" { return .zero }
        throw ScriptError("\(what) is a duration like 50ms or 2s, not '\(text)'", column: column)
    }

    /// `10ms..30ms` or `20ms`.
    mutating func durations(_ what: String) throws(ScriptError) -> ClosedRange<Interval> {
        let token = try require(what)
        let parts = token.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[1].isEmpty else {
            let length = try LineParser.duration(token.text, what, column: token.column)
            return length...length
        }
        let lower = try LineParser.duration(parts[0], what, column: token.column)
        let upper = try LineParser.duration(parts[2], what, column: token.column + parts[0].count + 2)
        guard lower <= upper else { throw ScriptError("\(what) goes from less to more", column: token.column) }
        return lower...upper
    }

    /// `20%`, as a share from 0 to 1.
    mutating func percentage(_ what: String) throws(ScriptError) -> Double {
        let token = try require(what)
        // A share is kept to a hundredth of a per mille, as it is printed.
        guard token.text.hasSuffix("%"), let number = Double(token.text.dropLast()), (0...100).contains(number) else {
            throw ScriptError("\(what) is a share like 20%, not '\(token.text)'", column: token.column)
        }
        return (number * 10_000).rounded() / 1_000_000
    }

    /// `1/10`, `0.5`, `2`.
    mutating func rate() throws(ScriptError) -> Double {
        let token = try require("a speed")
        let parts = token.text.split(separator: "/", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0) }
        guard (1...2).contains(parts.count), numbers.count == parts.count, numbers.last != 0 else {
            throw ScriptError("a speed is a number like 1/10, 0.5 or 2, not '\(token.text)'", column: token.column)
        }
        let rate = numbers.count == 2 ? numbers[0] / numbers[1] : numbers[0]
        guard LineParser.speeds.contains(rate) else {
            throw ScriptError("a speed is between 1/1000 and 4, not '\(token.text)'", column: token.column)
        }
        return rate
    }
}

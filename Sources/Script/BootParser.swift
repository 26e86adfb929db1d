import KeyValue
import Laboratory
import RaftCore

// How a line is read that says what a disk holds before its server starts: `boot 1 term=3 vote=2 log=1,1:x=5,2`.

extension LineParser {
    /// Reads what follows `boot`.
    mutating func boot() throws(ScriptError) -> Boot {
        let node = try node()
        let column = column
        var term: Term?
        var vote: NodeID?
        var log: [Boot.Entry] = []
        while let token = take() {
            if let text = token.text(after: "term=") {
                term = try bootTerm(text, column: token.column + 5)
            } else if let text = token.text(after: "vote=") {
                vote = try LineParser.node(text, column: token.column + 5, nodes: nodes)
            } else if let text = token.text(after: "log=") {
                log = try bootLog(text, column: token.column + 4)
            } else {
                throw ScriptError(
                    "unexpected '\(token.text)': term=T, vote=M and log=1,1,2 can follow", column: token.column)
            }
        }
        guard let term else { throw ScriptError("term=T is missing", column: column) }
        if let last = log.last?.term, last > term {
            throw ScriptError("the log has an entry of term \(last), and the node's term is \(term)", column: column)
        }
        return Boot(node: node, term: term, vote: vote, log: log)
    }

    /// No cluster gets as far, and a trace could not tell of it.
    private static let termsEnd: UInt64 = 1_000_000_000_000

    private func bootTerm(_ text: String, column: Int) throws(ScriptError) -> Term {
        guard let number = UInt64(text), number < LineParser.termsEnd else {
            throw ScriptError("a term is a number of at most 12 digits, not '\(text)'", column: column)
        }
        return Term(number)
    }

    private func bootLog(_ text: String, column: Int) throws(ScriptError) -> [Boot.Entry] {
        var entries: [Boot.Entry] = []
        var column = column
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let entry = try bootEntry(part, column: column)
            if let last = entries.last, entry.term < last.term {
                throw ScriptError("terms never decrease along a log", column: column)
            }
            entries.append(entry)
            column += part.unicodeScalars.count + 1
        }
        return entries
    }

    /// `1`, or `1:x=5`.
    private func bootEntry(_ text: Substring, column: Int) throws(ScriptError) -> Boot.Entry {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = UInt64(parts[0]), number > 0, number < LineParser.termsEnd else {
            throw ScriptError("an entry is a term like 1, or 1:x=5, not '\(text)'", column: column)
        }
        guard parts.count == 2 else { return Boot.Entry(term: Term(number)) }
        let sides = parts[1].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, !sides[0].isEmpty else {
            throw ScriptError("an entry is a term like 1, or 1:x=5, not '\(text)'", column: column)
        }
        return Boot.Entry(
            term: Term(number), assignment: .init(key: Bytes(sides[0].utf8), value: Bytes(sides[1].utf8)))
    }
}

extension Token {
    /// What follows `prefix`, where the word begins so and isn't in quotes.
    fileprivate func text(after prefix: String) -> String? {
        guard !isQuoted, text.hasPrefix(prefix) else { return nil }
        return String(text.dropFirst(prefix.count))
    }
}

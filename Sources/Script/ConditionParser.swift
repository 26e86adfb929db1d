import KeyValue
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

// How conditions are read and printed.

extension LineParser {
    /// Reads a condition.
    mutating func condition() throws(ScriptError) -> Condition {
        let token = try require("a condition")
        let name = token.isQuoted ? "" : token.text
        if let number = Condition.NodeNumber(rawValue: name) {
            let node = try node()
            let comparison = try comparison()
            return .number(number, node, comparison, try self.number("the \(name)"))
        }
        switch name {
        case "leader": return try isNodeNext ? .leads(node()) : .leader
        case "no":
            guard takes("leader") else { throw ScriptError("'leader' follows 'no'", column: column) }
            return .not(.leader)
        case "not": return .not(try condition())
        case "role":
            let node = try node()
            return .role(node, try standing())
        case "members":
            let node = try node()
            let isEqual = try equality()
            return .members(node, isEqual: isEqual, try voters())
        case "vote":
            let node = try node()
            let isEqual = try equality()
            return .vote(node, isEqual: isEqual, takes("none") ? nil : try self.node())
        case "log":
            let node = try node()
            let isEqual = try equality()
            return .log(node, isEqual: isEqual, try terms())
        case "value":
            let key = try bytes("a key")
            let isEqual = try equality()
            let value = try bytes("a value")
            return .value(key: key, isEqual: isEqual, value, on: takes("on") ? try node() : nil)
        case "result": return try result()
        case "acked":
            let comparison = comparisonIfAny() ?? .equal
            return .acknowledged(comparison, try number("a count"))
        case "converged": return .converged
        case "stale": return .stale
        case "safe": return .safe
        case "linearizable": return .linearizable
        case "violation": return .violation(try property())
        default:
            throw ScriptError(
                "unknown condition '\(token.text)'" + Spelling.hint(for: name, among: Condition.names),
                column: token.column)
        }
    }

    private var isNodeNext: Bool {
        guard let next, !next.isQuoted else { return false }
        return next.text.first?.isNumber == true || next.text.hasPrefix("n")
    }

    private mutating func comparisonIfAny() -> Condition.Comparison? {
        guard let next, !next.isQuoted, let comparison = Condition.Comparison(rawValue: next.text) else { return nil }
        _ = take()
        return comparison
    }

    private mutating func comparison() throws(ScriptError) -> Condition.Comparison {
        let column = column
        guard let comparison = comparisonIfAny() else {
            throw ScriptError("one of = != < <= > >= is missing", column: column)
        }
        return comparison
    }

    private mutating func equality() throws(ScriptError) -> Bool {
        let column = column
        switch comparisonIfAny() {
        case .equal?: return true
        case .unequal?: return false
        default: throw ScriptError("= or != is missing", column: column)
        }
    }

    private mutating func standing() throws(ScriptError) -> Standing {
        let token = try require("a role")
        guard let standing = Standing(rawValue: token.text) else {
            let roles = Standing.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScriptError("unknown role '\(token.text)': there are \(roles)", column: token.column)
        }
        return standing
    }

    /// The name of something that an audit holds a cluster to.
    mutating func property() throws(ScriptError) -> Property {
        let token = try require("a property")
        guard let property = Property(rawValue: token.text) else {
            let properties = Property.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScriptError("unknown property '\(token.text)': there are \(properties)", column: token.column)
        }
        return property
    }

    private mutating func voters() throws(ScriptError) -> NodeSet {
        let token = try require("nodes like 1,2,3")
        var voters = NodeSet()
        for part in token.text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = UInt8(part), let node = NodeID(rawValue: number) else {
                throw ScriptError("members are written as nodes like 1,2,3, not '\(token.text)'", column: token.column)
            }
            voters.insert(node)
        }
        return voters
    }

    private mutating func terms() throws(ScriptError) -> [Term] {
        let token = try require("terms like 1,1,2")
        if token.text == "empty" { return [] }
        let terms = token.text.split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
        guard !terms.contains(nil) else {
            throw ScriptError(
                "a log is written as terms like 1,1,2, or empty, not '\(token.text)'", column: token.column)
        }
        return terms.compactMap { $0.map { Term($0) } }
    }

    private mutating func result() throws(ScriptError) -> Condition {
        let isEqual = try equality()
        let token = try require("a result")
        guard Condition.results.contains(token.text) else {
            let results = Condition.results.joined(separator: ", ")
            throw ScriptError("unknown result '\(token.text)': there are \(results)", column: token.column)
        }
        let isValueNext = next.map { $0.isQuoted || !Condition.followers.contains($0.text) } ?? false
        return .result(isEqual: isEqual, token.text, isValueNext ? try bytes("a value") : nil)
    }
}

extension Condition {
    /// The words that conditions begin with.
    static let names = [
        "leader", "no", "not", "role", "term", "members", "vote", "commit", "first", "snapshot", "applied", "last",
        "log", "value", "result", "acked",
        "converged", "stale", "safe", "linearizable", "violation",
    ]

    /// Words that can follow a condition, so that a value that is called so is written in quotes.
    static let followers: Set<String> = ["within", "do"]

    static let results = ["ok", "not-found", "mismatch", "not-leader", "unknown", "error", "refused"]
}

extension Condition: CustomStringConvertible {
    /// The condition as it is written.
    public var description: String {
        switch self {
        case .leader: "leader"
        case .leads(let node): "leader \(node.rawValue)"
        case .role(let node, let standing): "role \(node.rawValue) \(standing.rawValue)"
        case .number(let number, let node, let comparison, let value):
            "\(number.rawValue) \(node.rawValue) \(comparison.rawValue) \(value)"
        case .members(let node, let isEqual, let voters):
            "members \(node.rawValue) \(sign(isEqual)) \(voters.map { "\($0.rawValue)" }.joined(separator: ","))"
        case .vote(let node, let isEqual, let candidate):
            "vote \(node.rawValue) \(sign(isEqual)) \(candidate.map { String($0.rawValue) } ?? "none")"
        case .log(let node, let isEqual, let terms):
            "log \(node.rawValue) \(sign(isEqual)) \(Condition.text(of: terms))"
        case .value(let key, let isEqual, let value, let node):
            "value \(Word.quoted(key)) \(sign(isEqual)) \(Word.quoted(value))"
                + (node.map { " on \($0.rawValue)" } ?? "")
        case .result(let isEqual, let name, let value):
            "result \(sign(isEqual)) \(name)" + (value.map { " " + Condition.quotedResult($0) } ?? "")
        case .acknowledged(let comparison, let count): "acked \(comparison.rawValue) \(count)"
        case .converged: "converged"
        case .stale: "stale"
        case .safe: "safe"
        case .linearizable: "linearizable"
        case .violation(let property): "violation \(property.rawValue)"
        case .not(.leader): "no leader"
        case .not(let condition): "not \(condition)"
        }
    }

    private func sign(_ isEqual: Bool) -> String { isEqual ? "=" : "!=" }

    private static func quotedResult(_ value: [UInt8]) -> String {
        let text = Word.quoted(value)
        return followers.contains(text) ? "\"\(text)\"" : text
    }
}

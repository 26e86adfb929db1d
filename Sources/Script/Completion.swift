import KeyValue
import Laboratory
import RaftCore
import RaftTrace

/// What can stand where somebody is typing.
public struct Completion: Hashable, Sendable {
    /// The letters before the cursor that the candidates begin with.
    public let typed: String
    /// What could stand there, best first.
    public let candidates: [String]

    /// Completes the last word of `head`, which is what stands before the cursor.
    public init(of head: String, in picture: Picture) {
        let words = head.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        typed = words.last ?? ""
        let before = words.dropLast().filter { !$0.isEmpty }
        let prefix = typed
        candidates = Completion.choices(after: before, in: picture).filter { $0.hasPrefix(prefix) && $0 != prefix }
    }

    private static func choices(after words: [String], in picture: Picture) -> [String] {
        guard let name = words.first else {
            return Catalogue.promptNames
        }
        let nodes = picture.nodes.map { String($0.id.rawValue) }
        let count = words.count
        switch name {
        case "set", "incr", "cas": return count == 1 ? keys(in: picture) : suffixes(after: words, nodes)
        case "del": return count == 1 ? keys(in: picture) : suffixes(after: words, nodes)
        case "get":
            let modes = ReadMode.allCases.map(\.rawValue)
            return count == 1 ? keys(in: picture) : (count == 2 ? modes : []) + suffixes(after: words, nodes)
        case "keys": return suffixes(after: words, nodes)
        case "kill", "power", "wipe", "pause", "snapshot":
            return picture.nodes.filter { $0.isRunning && !words.contains("\($0.id.rawValue)") }
                .map { "\($0.id.rawValue)" } + (words.contains("leader") ? [] : ["leader"])
        case "revive": return picture.nodes.filter { !$0.isRunning }.map { "\($0.id.rawValue)" }
        case "resume": return picture.nodes.filter(\.isPaused).map { "\($0.id.rawValue)" }
        case "hold-timer", "align", "free-timer": return nodes.filter { !words.contains($0) }
        case "disk": return count == 1 ? nodes + ["leader"] : DiskCondition.allCases.map(\.rawValue)
        case "rule": return count == 1 ? Rule.allCases.map(\.name) : count == 2 ? ["on", "off"] : []
        case "option": return options(after: words)
        case "deliver", "drop", "duplicate":
            return count > 1 ? [] : picture.inFlight.all.map { "#\($0.sent.number)" } + links(nodes)
        case "release":
            return picture.links.values.filter(\.isHeld).map { "\($0.from.rawValue)>\($0.to.rawValue)" }.sorted()
        case "add":
            let next = picture.nodes.count + 1
            return (next <= Desk.nodesMax ? ["\(next)"] : [])
                + picture.nodes.filter(\.isOutside).map { "\($0.id.rawValue)" }
        case "remove": return nodes.filter { !words.contains($0) } + ["leader"]
        case "transfer":
            return count == 1 ? picture.nodes.filter { $0.role != .leader }.map { "\($0.id.rawValue)" } : []
        case "timeout", "isolate": return count == 1 ? nodes + ["leader"] : []
        case "cut", "hold": return links(nodes)
        case "heal":
            return picture.links.values.filter(\.isCut).map { "\($0.from.rawValue)>\($0.to.rawValue)" }.sorted()
        case "latency": return count == 1 ? ["0", "10ms..30ms", "100ms"] + links(nodes) : ["0", "10ms..30ms", "100ms"]
        case "loss": return count == 1 ? ["0%", "20%"] + links(nodes) : ["0%", "20%"]
        case "speed": return count == 1 ? ["1/100", "1/10", "1/3", "1", "4"] : []
        case "partition": return nodes + ["|"]
        case "help": return count == 1 ? Catalogue.allNames : []
        case "expect":
            return count == 1 ? Condition.names : nodes
        default: return []
        }
    }

    private static func options(after words: [String]) -> [String] {
        switch (words.count, words.last) {
        case (1, _): OptionChange.names
        case (2, "election-timeout"): ["150ms..300ms"]
        case (2, "heartbeat"): ["50ms"]
        case (2, "snapshot-every"): ["off", "10", "10000"]
        case (2, "snapshot-trailing"): ["0", "1000"]
        case (2, _): ["on", "off"]
        default: []
        }
    }

    private static func keys(in picture: Picture) -> [String] {
        let store = picture.leader?.store ?? picture.nodes.first(where: \.isRunning)?.store ?? [:]
        return store.keys(limit: 64).map { Word.quoted($0) }.sorted()
    }

    private static func suffixes(after words: [String], _ nodes: [String]) -> [String] {
        switch words.last {
        case "via": nodes + ["leader"]
        case "as": ["c1", "c2"]
        default: ["via", "as", "retry", "&"].filter { !words.contains($0) }
        }
    }

    private static func links(_ nodes: [String]) -> [String] {
        nodes.flatMap { from in nodes.filter { $0 > from }.map { "\(from)-\($0)" } }
            + nodes.flatMap { from in nodes.filter { $0 != from }.map { "\(from)>\($0)" } }
    }

    /// The longest beginning that all candidates have.
    public var common: String {
        guard var common = candidates.first else { return typed }
        for candidate in candidates { while !candidate.hasPrefix(common) { common.removeLast() } }
        return common
    }
}

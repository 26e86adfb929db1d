import KeyValue
import RaftCore
import RaftTrace

// The line that stands for a command. What is printed here is what the parser of scripts reads.

extension Command: CustomStringConvertible {
    /// The command's line.
    public var description: String {
        switch self {
        case .client(let command): command.description
        case .nodes(let action, let nodes): ([action.rawValue] + nodes.map(\.description)).joined(separator: " ")
        case .cut(let links): (["cut"] + links.map(\.description)).joined(separator: " ")
        case .heal(let links): (["heal"] + links.map(\.description)).joined(separator: " ")
        case .partition(let groups):
            "partition " + groups.map { $0.map(\.description).joined(separator: ",") }.joined(separator: " | ")
        case .isolate(let node): "isolate \(node)"
        case .latency(let link, let range): "latency " + (link.map { "\($0) " } ?? "") + DurationText.text(of: range)
        case .loss(let link, let share): "loss " + (link.map { "\($0) " } ?? "") + PercentText.text(of: share)
        case .hold(let links): (["hold"] + links.map(\.description)).joined(separator: " ")
        case .release(let links): (["release"] + links.map(\.description)).joined(separator: " ")
        case .messages(let action, let messages): "\(action.rawValue) \(messages)"
        case .members(let added, let removed):
            ((added.isEmpty ? [] : ["add"] + added.map { "\($0.rawValue)" })
                + (removed.isEmpty ? [] : ["remove"] + removed.map(\.description))).joined(separator: " ")
        case .transfer(let node): "transfer \(node)"
        case .align(let nodes): (["align"] + nodes.map(\.description)).joined(separator: " ")
        case .disk(let node, let condition): "disk \(node) \(condition.rawValue)"
        case .rule(let rule, let isOn): "rule \(rule.name) \(OnOff.text(of: isOn))"
        case .option(let change): "option \(change)"
        case .freeze: "freeze"
        case .thaw: "thaw"
        case .step(1): "step"
        case .step(let count): "step \(count)"
        case .speed(let rate): "speed " + RateText.text(of: rate)
        case .load(nil): "load off"
        case .load(let load?): "load \(load.rate)/s" + (load.clients == Load.usualClients ? "" : " \(load.clients)")
        case .undo: "undo"
        case .reset: "reset"
        }
    }
}

extension ClientCommand: CustomStringConvertible {
    /// The command's line.
    public var description: String {
        var words: [String]
        switch request {
        case .write(let operation): words = [operation.description]
        case .get(let key, let mode): words = ["get", Word.quoted(key)] + Self.words(of: mode)
        case .keys(let prefix, let mode):
            words = ["keys"] + (prefix.isEmpty ? [] : [Word.quoted(prefix)]) + Self.words(of: mode)
        }
        if let via { words += ["via", via.description] }
        if client != ClientCommand.defaultClient { words += ["as", Word.quoted(Array(client.utf8))] }
        if isRetry { words.append("retry") }
        if isBackground { words.append("&") }
        return words.joined(separator: " ")
    }

    private static func words(of mode: ReadMode) -> [String] { mode == .readindex ? [] : [mode.rawValue] }
}

extension NodeReference: CustomStringConvertible {
    /// `3` or `leader`.
    public var description: String {
        switch self {
        case .node(let node): String(node.rawValue)
        case .leader: "leader"
        }
    }
}

extension LinkReference: CustomStringConvertible {
    /// `1-3` both ways, `1>3` one way.
    public var description: String { "\(from)\(isBothWays ? "-" : ">")\(to)" }
}

extension MessageReference: CustomStringConvertible {
    /// `#17`, `1>3`, or `1>3 2` for two of them.
    public var description: String {
        switch self {
        case .numbered(let number): "#\(number)"
        case .oldest(let link, 1): "\(link)"
        case .oldest(let link, let count): "\(link) \(count)"
        }
    }
}

extension OptionChange: CustomStringConvertible {
    /// `prevote off`, `election-timeout 150ms..300ms`.
    public var description: String {
        switch self {
        case .preVote(let isOn): "prevote \(OnOff.text(of: isOn))"
        case .checkQuorum(let isOn): "checkquorum \(OnOff.text(of: isOn))"
        case .noop(let isOn): "noop \(OnOff.text(of: isOn))"
        case .lease(let isOn): "lease \(OnOff.text(of: isOn))"
        case .electionTimeout(let range): "election-timeout \(DurationText.text(of: range))"
        case .heartbeat(let interval): "heartbeat \(DurationText.text(of: interval))"
        case .snapshotEvery(let count): "snapshot-every \(count.map { "\($0)" } ?? "off")"
        case .snapshotTrailing(let count): "snapshot-trailing \(count)"
        }
    }
}

/// Switches as words.
enum OnOff {
    /// `on` or `off`.
    static func text(of isOn: Bool) -> String { isOn ? "on" : "off" }
}

/// Lengths of time as words.
public enum DurationText {
    /// `50ms`, `2s`, `10us`: the largest unit that tells it exactly.
    public static func text(of length: Interval) -> String {
        let nanoseconds = length.nanoseconds
        for (unit, name) in [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")] as [(Int64, String)]
        where nanoseconds % unit == 0 && (nanoseconds != 0 || name == "ms") {
            return "\(nanoseconds / unit)\(name)"
        }
        return "\(nanoseconds)ns"
    }

    /// `10ms..30ms`, or `20ms` where both ends are the same.
    public static func text(of range: ClosedRange<Interval>) -> String {
        range.lowerBound == range.upperBound
            ? text(of: range.lowerBound) : "\(text(of: range.lowerBound))..\(text(of: range.upperBound))"
    }
}

/// Shares as words.
public enum PercentText {
    /// `20%`, `0.5%`.
    public static func text(of share: Double) -> String {
        RateText.plain((share * 1_000_000).rounded() / 10_000) + "%"
    }
}

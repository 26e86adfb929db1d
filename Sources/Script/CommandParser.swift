import KeyValue
import Laboratory
import RaftCore
import RaftTrace

// How each command's line is read. What is read here is what `Command.description` prints.

extension LineParser {
    static let speeds = Command.speeds

    /// Reads the command called `name`, whose word was taken already; `nil` where there is no such command.
    mutating func command(named name: String) throws(ScriptError) -> Command? {
        if let action = NodeAction(rawValue: name) {
            return .nodes(action, try nodeReferences(isOne: action == .timeout))
        }
        switch name {
        case "set", "get", "del", "incr", "cas", "keys": return .client(try clientCommand(name))
        case "cut": return .cut(try linkReferences(isNeeded: true))
        case "heal": return .heal(try linkReferences(isNeeded: false))
        case "partition": return .partition(try groups())
        case "isolate": return .isolate(try nodeReference())
        case "latency": return .latency(try linkReferenceIfAny(), try latency())
        case "loss": return .loss(try linkReferenceIfAny(), try percentage("a loss"))
        case "hold": return .hold(try linkReferences(isNeeded: true))
        case "release": return .release(try linkReferences(isNeeded: false))
        case "deliver", "drop", "duplicate":
            return try MessageAction(rawValue: name).map { (action) throws(ScriptError) in
                .messages(action, try messageReference())
            }
        case "add", "remove": return try members(name)
        case "transfer": return .transfer(try nodeReference())
        case "align": return .align(try nodeReferences(isOne: false))
        case "disk":
            let node = try nodeReference()
            return .disk(node, try word("a disk's condition", DiskCondition.self))
        case "rule":
            let rule = try rule()
            return .rule(rule, isOn: try onOff())
        case "option": return .option(try option())
        case "freeze": return .freeze
        case "thaw": return .thaw
        case "step": return .step(next == nil ? 1 : try count("a count of steps", in: Command.steps))
        case "speed": return .speed(try rate())
        case "load": return .load(takes("off") ? nil : try load())
        case "undo": return .undo
        case "reset": return .reset
        default: return nil
        }
    }

    /// `add 4 5`, `remove 2`, or both: `add 4 remove 1`.
    private mutating func members(_ first: String) throws(ScriptError) -> Command {
        var added: [NodeID] = []
        var removed: [NodeReference] = []
        var name = first
        while true {
            let start = column
            repeat {
                if name == "add" { added.append(try newNode()) } else { removed.append(try nodeReference()) }
            } while next != nil && next?.text != "add" && next?.text != "remove"
            guard Set(added).count == added.count, Set(removed).count == removed.count else {
                throw ScriptError("a node is named twice", column: start)
            }
            guard next != nil else { return .members(adding: added, removing: removed) }
            name = try require("add or remove").text
        }
    }

    /// A node that need not be there yet.
    private mutating func newNode() throws(ScriptError) -> NodeID {
        let token = try require("a node")
        let digits = token.text.hasPrefix("n") ? token.text.dropFirst() : token.text[...]
        guard let number = Int(digits), (1...Desk.nodesMax).contains(number) else {
            throw ScriptError(
                "a new node is a number from 1 to \(Desk.nodesMax), not '\(token.text)'", column: token.column)
        }
        return NodeID(number)
    }

    // MARK: - Clients

    private mutating func clientCommand(_ name: String) throws(ScriptError) -> ClientCommand {
        var command = ClientCommand(try request(name))
        while let next {
            if takes("via") {
                command.via = try nodeReference()
            } else if takes("as") {
                command.client = try clientName()
            } else if takes("retry") {
                if command.request.isRead { throw ScriptError("only a write can be retried", column: next.column) }
                command.isRetry = true
            } else if takes("&") {
                command.isBackground = true
            } else {
                throw ScriptError(
                    "unexpected '\(next.text)': via N, as NAME, retry or & can follow", column: next.column)
            }
        }
        return command
    }

    private mutating func request(_ name: String) throws(ScriptError) -> Request {
        switch name {
        case "set":
            let key = try bytes("a key")
            return .write(.set(key: key, value: try bytes("a value")))
        case "del": return .write(.delete(key: try bytes("a key")))
        case "incr":
            let key = try bytes("a key")
            return .write(.increment(key: key, by: try amount()))
        case "cas":
            let key = try bytes("a key")
            let old = try bytes("the old value")
            return .write(.compareAndSet(key: key, old: old, new: try bytes("the new value")))
        case "get":
            let key = try bytes("a key")
            return .get(key: key, try readMode())
        default:
            let isPrefix = next.map {
                $0.isQuoted || !Word.keywords.contains($0.text) && ReadMode(rawValue: $0.text) == nil
            }
            let prefix = isPrefix == true ? try bytes("a prefix") : []
            return .keys(prefix: prefix, try readMode())
        }
    }

    private mutating func amount() throws(ScriptError) -> Int64 {
        guard let token = next, token.isQuoted || !Word.keywords.contains(token.text) else { return 1 }
        guard let amount = Int64(token.text) else {
            throw ScriptError("an increment is a whole number, not '\(token.text)'", column: token.column)
        }
        _ = take()
        return amount
    }

    private mutating func readMode() throws(ScriptError) -> ReadMode {
        guard let token = next, !token.isQuoted, !Word.keywords.contains(token.text) else { return .readindex }
        guard let mode = ReadMode(rawValue: token.text) else {
            let modes = ReadMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScriptError("no way to read is called '\(token.text)': there is \(modes)", column: token.column)
        }
        _ = take()
        return mode
    }

    private mutating func clientName() throws(ScriptError) -> String {
        let column = column
        let name = try text("a client's name")
        guard !name.isEmpty, name.utf8.count <= 32 else {
            throw ScriptError("a client's name has 1 to 32 bytes", column: column)
        }
        // What comes after one names a client's later sessions.
        guard !name.contains("~") else { throw ScriptError("a client's name has no ~", column: column) }
        return name
    }

    // MARK: - Rules and options

    private mutating func rule() throws(ScriptError) -> Rule {
        let token = try require("a rule")
        guard let rule = Rule(name: token.text) else {
            throw ScriptError(
                "unknown rule '\(token.text)'" + Spelling.hint(for: token.text, among: Rule.allCases.map(\.name)),
                column: token.column)
        }
        return rule
    }

    private mutating func onOff() throws(ScriptError) -> Bool {
        let token = try require("on or off")
        guard ["on", "off"].contains(token.text) else {
            throw ScriptError("it is on or off, not '\(token.text)'", column: token.column)
        }
        return token.text == "on"
    }

    private mutating func option() throws(ScriptError) -> OptionChange {
        let token = try require("an option")
        switch token.text {
        case "prevote": return .preVote(try onOff())
        case "checkquorum": return .checkQuorum(try onOff())
        case "noop": return .noop(try onOff())
        case "lease": return .lease(try onOff())
        case "election-timeout": return .electionTimeout(try timer("an election timeout"))
        case "heartbeat":
            let column = column
            let range = try timer("a heartbeat")
            guard range.lowerBound == range.upperBound else {
                throw ScriptError("a heartbeat is one duration like 50ms", column: column)
            }
            return .heartbeat(range.lowerBound)
        case "snapshot-every": return .snapshotEvery(takes("off") ? nil : try count("a number of entries", from: 1))
        case "snapshot-trailing": return .snapshotTrailing(try count("a number of entries", from: 0))
        default:
            throw ScriptError(
                "unknown option '\(token.text)': there are \(OptionChange.names.joined(separator: ", "))",
                column: token.column)
        }
    }

    /// `1000/s`, or `1000/s 32` for so many clients.
    private mutating func load() throws(ScriptError) -> Load {
        let token = try require("a rate like 1000/s")
        guard token.text.hasSuffix("/s"), let rate = Int(token.text.dropLast(2)), Load.rates.contains(rate) else {
            throw ScriptError(
                "a load is off, or a rate from \(Load.rates.lowerBound)/s to \(Load.rates.upperBound)/s, not '\(token.text)'",
                column: token.column)
        }
        return Load(
            rate: rate,
            clients: next == nil ? Load.usualClients : try count("a count of clients", in: Load.clientCounts))
    }

    private mutating func count(_ what: String, from least: Int) throws(ScriptError) -> Int {
        let token = try require(what)
        guard let count = Int(token.text), (least...1_000_000_000).contains(count) else {
            throw ScriptError("\(what) is a whole number from \(least), not '\(token.text)'", column: token.column)
        }
        return count
    }

    private mutating func timer(_ what: String) throws(ScriptError) -> ClosedRange<Interval> {
        let column = column
        let range = try durations(what)
        guard Command.timers.contains(range.lowerBound), Command.timers.contains(range.upperBound) else {
            throw ScriptError("\(what) is between 1ms and 60s", column: column)
        }
        return range
    }

    /// One of the words of a list.
    private mutating func word<Choice: CaseIterable & RawRepresentable<String>>(
        _ what: String, _: Choice.Type
    ) throws(ScriptError) -> Choice {
        let token = try require(what)
        guard let choice = Choice(rawValue: token.text) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScriptError("\(what) is one of \(choices), not '\(token.text)'", column: token.column)
        }
        return choice
    }

    // MARK: - Messages

    /// `#17`, `1>3`, or `1>3 2` for two of them.
    private mutating func messageReference() throws(ScriptError) -> MessageReference {
        guard let token = next else {
            throw ScriptError("a link like 1>3, or a message like #17, is missing", column: column)
        }
        if !token.isQuoted, token.text.hasPrefix("#") {
            _ = take()
            guard let number = UInt64(token.text.dropFirst()) else {
                throw ScriptError("a message is written #17, not '\(token.text)'", column: token.column)
            }
            return .numbered(number)
        }
        let link = try linkReference()
        return .oldest(link, count: next == nil ? 1 : try count("a count of messages", in: 1...100_000))
    }

    // MARK: - Servers and links

    mutating func nodeReference() throws(ScriptError) -> NodeReference {
        let token = try require("a node")
        return try nodeReference(token.text, column: token.column)
    }

    private func nodeReference(_ text: String, column: Int) throws(ScriptError) -> NodeReference {
        text == "leader" ? .leader : .node(try LineParser.node(text, column: column, nodes: nodes))
    }

    private mutating func nodeReferences(isOne: Bool) throws(ScriptError) -> [NodeReference] {
        var references = [try nodeReference()]
        while !isOne, next != nil { references.append(try nodeReference()) }
        return references
    }

    private mutating func linkReferences(isNeeded: Bool) throws(ScriptError) -> [LinkReference] {
        var references: [LinkReference] = []
        while next != nil { references.append(try linkReference()) }
        if isNeeded, references.isEmpty { throw ScriptError("a link like 1-3 or 1>3 is missing", column: column) }
        return references
    }

    /// A link, if the next word looks like one.
    private mutating func linkReferenceIfAny() throws(ScriptError) -> LinkReference? {
        guard let next, !next.isQuoted, next.text.contains(where: { $0 == "-" || $0 == ">" }) else { return nil }
        return try linkReference()
    }

    private mutating func linkReference() throws(ScriptError) -> LinkReference {
        let token = try require("a link")
        guard let sign = token.text.firstIndex(where: { $0 == "-" || $0 == ">" }) else {
            throw ScriptError("a link is written 1-3, or 1>3 for one way, not '\(token.text)'", column: token.column)
        }
        let from = String(token.text[..<sign])
        let to = String(token.text[token.text.index(after: sign)...])
        let link = LinkReference(
            from: try nodeReference(from, column: token.column),
            to: try nodeReference(to, column: token.column + from.count + 1), isBothWays: token.text[sign] == "-")
        if link.from == link.to { throw ScriptError("a link has two different ends", column: token.column) }
        return link
    }

    private mutating func latency() throws(ScriptError) -> ClosedRange<Interval> {
        let start = column
        let range = try durations("a latency")
        guard range.upperBound <= Command.latencyMax else {
            throw ScriptError("a latency is at most \(DurationText.text(of: Command.latencyMax))", column: start)
        }
        return range
    }

    /// `1,2 | 3,4,5`.
    private mutating func groups() throws(ScriptError) -> [[NodeReference]] {
        let start = column
        var groups: [[NodeReference]] = [[]]
        var isListOpen = false
        while let token = take() {
            if !token.isQuoted, token.text == "|" {
                groups.append([])
                isListOpen = true
                continue
            }
            // A list may be written with blanks after its commas; without a comma the next group begins with a |.
            guard isListOpen || groups.last?.isEmpty == true || token.text.hasPrefix(",") else {
                throw ScriptError("a | is missing between two groups", column: token.column)
            }
            isListOpen = token.text.hasSuffix(",")
            var column = token.column
            for part in token.text.split(separator: ",", omittingEmptySubsequences: false) {
                if !part.isEmpty { groups[groups.count - 1].append(try nodeReference(String(part), column: column)) }
                column += part.count + 1
            }
        }
        groups.removeAll(where: \.isEmpty)
        guard !groups.isEmpty else { throw ScriptError("groups like 1,2 | 3,4,5 are missing", column: start) }
        let all = groups.flatMap { $0 }
        guard Set(all).count == all.count else {
            throw ScriptError("a node can't be on two sides of a partition", column: start)
        }
        return groups
    }
}

extension OptionChange {
    /// The options' names.
    static let names = [
        "prevote", "checkquorum", "noop", "lease", "election-timeout", "heartbeat", "snapshot-every",
        "snapshot-trailing",
    ]
}

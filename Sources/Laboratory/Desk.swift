import KeyValue
import RaftCore
import RaftTrace

/// Where commands become orders: it knows what has been ordered so far, refuses what makes no sense, and remembers what
/// can be taken back. A value, the same for every laboratory, so that a script means the same on each.
public struct Desk: Sendable {
    /// The servers there are, in ascending order.
    public internal(set) var nodes: [NodeID]
    /// The servers that there were at first.
    private let firstNodes: [NodeID]
    /// What the servers follow.
    public private(set) var settings: Settings
    /// The clock's rate when it isn't frozen.
    public private(set) var speed: Double
    /// Whether the clock stands still.
    public private(set) var isFrozen = false
    /// What the links are like before anybody has touched them.
    public let untouchedLatency: ClosedRange<Interval>

    var standing: [NodeID: Standing] = [:]
    var heldTimers: Set<NodeID> = []
    var disks: [NodeID: DiskCondition] = [:]
    /// The servers that have no disk since they were wiped.
    var wiped: Set<NodeID> = []
    var links: [Picture.LinkID: LinkState] = [:]
    /// The faults that can be taken back, the latest last; those of one command together.
    var undoable: [Fault] = []
    /// The command that the latest one took back; `nil` where it took none back.
    public internal(set) var takenBack: String?
    private var lastWrites: [String: Request] = [:]
    private var load: Load?

    /// Whether a server runs, as far as has been ordered.
    enum Standing {
        case up
        case down
        case paused
    }

    /// A fault that can be taken back.
    struct Fault: Sendable {
        /// What takes it back; all that one command did.
        var undos: [Undo]
        /// That command.
        var text = ""
    }

    /// What taking back a fault does.
    enum Undo: Sendable {
        case revive(NodeID)
        case unwipe(NodeID, revives: Bool)
        case resume(NodeID)
        case links([LinkUndo])
        case disk(NodeID)
    }

    /// A change of a link, and what takes it back; what else was done to the link since stays.
    struct LinkUndo: Sendable {
        let id: Picture.LinkID
        let done: LinkChange
        let inverse: LinkChange
    }

    var firstCount: Int { firstNodes.count }

    /// A desk for servers that have not started yet.
    public init(nodes: [NodeID], settings: Settings, speed: Double, latency: ClosedRange<Interval>) {
        self.nodes = nodes
        firstNodes = nodes
        self.settings = settings
        self.speed = speed
        untouchedLatency = latency
    }

    /// What is to be done about `command`, in this order.
    ///
    /// - Parameter picture: What is known of the cluster: who leads, and which messages are on their way.
    /// - Throws: ``Refusal`` where it can't be done; nothing is changed then.
    public mutating func orders(for command: Command, seeing picture: Picture) throws(Refusal) -> [Order] {
        // What a command would change is kept only where all of it can be done.
        var copy = self
        copy.takenBack = nil
        let orders = try copy.carryOut(command, Names(picture: picture, nodes: nodes))
        for place in copy.undoable.indices.dropFirst(undoable.count) {
            copy.undoable[place].text = command.description
        }
        copy.forgetOldFaults()
        self = copy
        return orders
    }

    /// All servers start for the first time.
    public mutating func startAll() -> [Order] { nodes.flatMap { start($0) } }

    /// A server failed, though nobody ordered it: it is down.
    public mutating func noteFailure(of node: NodeID) { standing[node] = .down }

    /// The servers follow these settings, whoever has told them so.
    mutating func adopt(_ changed: SettingsChanged) { changed.change(&settings) }

    /// Every link, one way each.
    public var allLinks: [Picture.LinkID] {
        nodes.flatMap { from in nodes.filter { $0 != from }.map { Picture.LinkID(from: from, to: $0) } }
    }

    /// A link as it is now.
    public func link(_ id: Picture.LinkID) -> LinkState {
        links[id] ?? untouchedLink(id)
    }

    /// The links as they are before anybody has touched them; none where that is as if there were none.
    public var untouchedLinks: [LinkState] {
        untouchedLatency.upperBound > .zero ? allLinks.map(untouchedLink) : []
    }

    private func untouchedLink(_ id: Picture.LinkID) -> LinkState {
        var state = LinkState(from: id.from, to: id.to)
        state.apply(.latency(untouchedLatency))
        return state
    }

    // MARK: - Commands

    private mutating func carryOut(_ command: Command, _ names: Names) throws(Refusal) -> [Order] {
        switch command {
        case .client(let client): return try call(client, names)
        case .nodes(let action, let references):
            let count = undoable.count
            var orders: [Order] = []
            for reference in references { orders += try act(action, on: try names.node(reference), names) }
            joinUndos(after: count)
            return orders
        case .members(let added, let removed): return try changeMembers(adding: added, removing: removed, names)
        case .transfer(let reference): return try transfer(to: try names.node(reference), names)
        case .align(let references): return try align(references, names)
        case .disk(let reference, let condition): return try setDisk(of: try names.node(reference), condition)
        case .cut, .heal, .partition, .isolate, .latency, .loss, .hold, .release:
            return try changeLinks(command, names)
        case .messages(let action, let reference): return try handleMessages(action, reference, names)
        case .rule(let rule, let isOn):
            guard settings.rules[rule] != isOn else {
                throw Refusal("the rule \(rule.name) is \(OnOff.text(of: isOn)) already")
            }
            settings.rules[rule] = isOn
            return [.settings(settings)]
        case .option(let change):
            change.apply(to: &settings)
            return [.settings(settings)]
        case .freeze, .thaw, .speed: return try changeClock(command)
        case .step(let count):
            guard isFrozen else { throw Refusal("step works while the clock stands still: freeze it first") }
            guard Command.steps.contains(count) else {
                throw Refusal("steps are \(Command.steps.lowerBound) to \(Command.steps.upperBound) at a time")
            }
            return [.step(count)]
        case .load(let load): return try setLoad(load)
        case .undo: return try takeBack()
        case .reset:
            self = Desk(nodes: firstNodes, settings: settings, speed: speed, latency: untouchedLatency)
            for node in nodes { standing[node] = .up }
            return [.restart]
        }
    }

    private mutating func changeClock(_ command: Command) throws(Refusal) -> [Order] {
        switch command {
        case .freeze:
            if isFrozen { throw Refusal("the clock stands still already") }
            isFrozen = true
        case .thaw:
            if !isFrozen { throw Refusal("the clock isn't frozen") }
            isFrozen = false
        case .speed(let rate):
            guard Command.speeds.contains(rate) else { throw Refusal("a speed is between 1/1000 and 4") }
            speed = rate
            if isFrozen { return [] }
        default: return []
        }
        return [.clock(rate: isFrozen ? 0 : speed)]
    }

    private mutating func setLoad(_ load: Load?) throws(Refusal) -> [Order] {
        if let load {
            guard Load.rates.contains(load.rate) else {
                throw Refusal("a load is \(Load.rates.lowerBound)/s to \(Load.rates.upperBound)/s")
            }
            guard Load.clientCounts.contains(load.clients) else {
                throw Refusal("a load has \(Load.clientCounts.lowerBound) to \(Load.clientCounts.upperBound) clients")
            }
        } else if self.load == nil {
            throw Refusal("there is no load")
        }
        self.load = load
        return [.load(load)]
    }

    private mutating func call(_ command: ClientCommand, _ names: Names) throws(Refusal) -> [Order] {
        if Load.number(of: command.client) != nil {
            throw Refusal("\(command.client) is a client of the load: choose another name")
        }
        var via: NodeID?
        if let reference = command.via { via = try names.node(reference) }
        if command.isRetry, lastWrites[command.client] != command.request {
            throw Refusal("that is not \(command.client)'s last write, so it can't be sent again")
        }
        if command.request.readMode == .lease, !settings.options.lease {
            throw Refusal("lease reads are off: option lease on lets a leader answer them")
        }
        if case .write(let operation) = command.request, operation.bytes > Operation.bytesMax {
            throw Refusal("a write has at most \(Operation.bytesMax >> 20) MiB, and this has \(operation.bytes) bytes")
        }
        if !command.request.isRead { lastWrites[command.client] = command.request }
        return [.call(command, via: via)]
    }
}

/// What names in commands stand for now.
struct Names {
    let picture: Picture
    let nodes: [NodeID]

    func node(_ reference: NodeReference) throws(Refusal) -> NodeID {
        switch reference {
        case .leader:
            guard let leader = picture.leader?.id else { throw Refusal("nobody leads now") }
            return leader
        case .node(let node):
            guard nodes.contains(node) else {
                throw Refusal("no node \(node.rawValue) in a cluster of \(nodes.count)")
            }
            return node
        }
    }

    /// The directed links that are meant.
    func links(_ reference: LinkReference) throws(Refusal) -> [Picture.LinkID] {
        let from = try node(reference.from)
        let to = try node(reference.to)
        guard from != to else { throw Refusal("a link has two ends, and both of \(reference) are \(from)") }
        let there = Picture.LinkID(from: from, to: to)
        return reference.isBothWays ? [there, Picture.LinkID(from: to, to: from)] : [there]
    }

    /// The directed links that are meant by any of `references`, each once.
    func links(_ references: [LinkReference]) throws(Refusal) -> [Picture.LinkID] {
        var all: [Picture.LinkID] = []
        for reference in references {
            for link in try links(reference) where !all.contains(link) { all.append(link) }
        }
        return all
    }
}

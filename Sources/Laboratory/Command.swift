import KeyValue
import RaftCore
import RaftTrace

/// What can be done to a cluster: the value behind every key, every line at the prompt and every line of a script.
public enum Command: Hashable, Sendable {
    /// A client asks.
    case client(ClientCommand)
    /// Something is done to servers, one after the other.
    case nodes(NodeAction, [NodeReference])
    /// Links are cut.
    case cut([LinkReference])
    /// Links are opened again; all, where none is named.
    case heal([LinkReference])
    /// All links between servers of different groups are cut, and those within a group are whole. Servers that are not
    /// named are a group of their own.
    case partition([[NodeReference]])
    /// All links of a server are cut.
    case isolate(NodeReference)
    /// Links take so long from now on; all, where none is named.
    case latency(LinkReference?, ClosedRange<Interval>)
    /// Links lose this share of messages from now on, from 0 to 1; all, where none is named.
    case loss(LinkReference?, Double)
    /// Messages on these links wait until they are released or delivered by hand.
    case hold([LinkReference])
    /// Messages that wait on held links go on; on all, where none is named.
    case release([LinkReference])
    /// Messages on their way are delivered now, lost, or doubled.
    case messages(MessageAction, MessageReference)
    /// Servers become members of the cluster, and others none any more; one that isn't there yet is made (paper §6).
    case members(adding: [NodeID], removing: [NodeReference])
    /// The leader hands over to this server (thesis §3.10).
    case transfer(NodeReference)
    /// The election timers of these servers run out together.
    case align([NodeReference])
    /// A server's disk works so from now on.
    case disk(NodeReference, DiskCondition)
    /// A safety rule is kept, or switched off.
    case rule(Rule, isOn: Bool)
    /// An option of the protocol changes.
    case option(OptionChange)
    /// The clock stands still.
    case freeze
    /// The clock goes on.
    case thaw
    /// So many things happen that time alone would bring, one after the other, while the clock stands still.
    case step(Int)
    /// The clock's rate: seconds of cluster time in a second.
    case speed(Double)
    /// Clients write steadily from now on; none does, where there is no load.
    case load(Load?)
    /// The last fault is taken back.
    case undo
    /// The same cluster, fresh.
    case reset
}

/// What can be done to a server.
public enum NodeAction: String, Hashable, Sendable, CaseIterable {
    /// Its process ends: memory is lost, what was written is kept.
    case kill
    /// The power is cut: what was not synced is lost too.
    case power
    /// Its disk is taken away as well.
    case wipe
    /// It starts from its disk.
    case revive
    /// It freezes, with its memory and its connections.
    case pause
    /// It goes on.
    case resume
    /// It campaigns now, as if a leader had said so.
    case timeout
    /// It takes a snapshot, and its log forgets what that stands for.
    case snapshot
    /// Its election timer doesn't run out any more.
    case holdTimer = "hold-timer"
    /// Its election timer runs out again.
    case freeTimer = "free-timer"
}

/// How a server's disk works.
public typealias DiskCondition = DiskChanged.Condition

/// What can be done with messages on their way.
public enum MessageAction: String, Hashable, Sendable, CaseIterable {
    /// They arrive now, whatever delays them.
    case deliver
    /// They are lost.
    case drop
    /// Each comes twice.
    case duplicate
}

/// Messages on their way, as a command names them.
public enum MessageReference: Hashable, Sendable {
    /// The one that the screen shows under this number.
    case numbered(UInt64)
    /// So many of a link, the oldest first.
    case oldest(LinkReference, count: Int)
}

/// A change of an option of the protocol.
public enum OptionChange: Hashable, Sendable {
    /// A server asks whether it could win before it starts a term (thesis §9.6).
    case preVote(Bool)
    /// A leader that hears from no majority steps down (thesis §6.2).
    case checkQuorum(Bool)
    /// A new leader appends an empty entry of its term (paper §8).
    case noop(Bool)
    /// A leader answers lease reads at once (thesis §6.4.1).
    case lease(Bool)
    /// How long a follower waits for a leader before it campaigns.
    case electionTimeout(ClosedRange<Interval>)
    /// How often a leader shows that it leads.
    case heartbeat(Interval)
    /// How many entries are applied from one snapshot to the next; `nil` where none is taken unless it is ordered.
    case snapshotEvery(Int?)
    /// How many of the entries that such a snapshot stands for stay in the log.
    case snapshotTrailing(Int)

    /// Changes `settings` so.
    public func apply(to settings: inout Settings) {
        switch self {
        case .preVote(let isOn): settings.options.preVote = isOn
        case .checkQuorum(let isOn): settings.options.checkQuorum = isOn
        case .noop(let isOn): settings.options.noop = isOn
        case .lease(let isOn): settings.options.lease = isOn
        case .electionTimeout(let range): settings.timing.electionTimeout = range
        case .heartbeat(let interval): settings.timing.heartbeat = interval
        case .snapshotEvery(let count): settings.compaction.every = count
        case .snapshotTrailing(let count): settings.compaction.trailing = count
        }
    }
}

/// A server, as a command names it.
public enum NodeReference: Hashable, Sendable {
    /// This one.
    case node(NodeID)
    /// The one that leads when the command is carried out.
    case leader
}

/// A link, as a command names it.
public struct LinkReference: Hashable, Sendable {
    /// One end; the sender of a link one way.
    public var from: NodeReference
    /// The other end.
    public var to: NodeReference
    /// Whether both directions are meant.
    public var isBothWays: Bool

    /// A link.
    public init(from: NodeReference, to: NodeReference, isBothWays: Bool = true) {
        self.from = from
        self.to = to
        self.isBothWays = isBothWays
    }
}

/// A client asks.
public struct ClientCommand: Hashable, Sendable {
    /// What it asks for.
    public var request: Request
    /// The client; its name is ``defaultClient`` unless said.
    public var client: String
    /// The server it asks and no other.
    public var via: NodeReference?
    /// Whether it is its last write again, under the same number.
    public var isRetry: Bool
    /// Whether to go on without waiting for the result.
    public var isBackground: Bool

    /// The client of a command that names none.
    public static let defaultClient = "c1"

    /// A request.
    public init(
        _ request: Request, client: String = ClientCommand.defaultClient, via: NodeReference? = nil,
        isRetry: Bool = false, isBackground: Bool = false
    ) {
        self.request = request
        self.client = client
        self.via = via
        self.isRetry = isRetry
        self.isBackground = isBackground
    }
}

extension Command {
    /// The longest time that a message may take.
    public static let latencyMax = Interval.seconds(10)

    /// The speeds that the clock can have, seconds of cluster time in a second.
    public static let speeds: ClosedRange<Double> = 0.001...4

    /// How many things one step may let happen.
    public static let steps = 1...10_000

    /// The times that a timer can be set to.
    public static let timers: ClosedRange<Interval> = .milliseconds(1) ... .seconds(60)
}

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
    /// The clock stands still.
    case freeze
    /// The clock goes on.
    case thaw
    /// The clock's rate: seconds of cluster time in a second.
    case speed(Double)
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

    /// Whether it breaks something that `undo` can mend.
    public var isFault: Bool {
        switch self {
        case .nodes(let action, _): [.kill, .power, .wipe, .pause].contains(action)
        case .cut, .partition, .isolate, .latency, .loss: true
        case .client, .heal, .freeze, .thaw, .speed, .undo, .reset: false
        }
    }
}

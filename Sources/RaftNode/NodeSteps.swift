import KeyValue
import RaftCore
import RaftTrace

/// What happens to a server.
public enum NodeInput: Sendable {
    /// A message came.
    case message(Message)
    /// The moment ``Node/deadline`` is there.
    case deadline
    /// This write, and every one before it, is on disk.
    case durable(WriteNumber)
    /// Clients ask; those that come together are handled together.
    case requests([ClientRequest])
    /// Campaign now, as if a leader had said so.
    case campaign
    /// Hand leadership over to this server.
    case transfer(to: NodeID)
    /// Make these servers members, and those none any more.
    case changeMembers(adding: NodeSet, removing: NodeSet)
    /// The election timer runs out at this moment.
    case timer(Instant)
    /// Take a snapshot now.
    case takeSnapshot
    /// What became of the snapshot in ``Effects/draft``.
    case snapshotWritten(SnapshotOutcome)
    /// The snapshot that ``Effects/wantsSnapshot`` asked for.
    case snapshotLoaded(Snapshot)
    /// The disk failed, for this reason.
    case diskFailed(String)
}

/// The host's name for a request that waits.
public typealias RequestID = UInt64

/// A client's request to one server.
public struct ClientRequest: Hashable, Sendable {
    /// The name that the reply carries.
    public var id: RequestID
    /// What is asked.
    public var kind: Kind

    /// A request.
    public init(id: RequestID, kind: Kind) {
        self.id = id
        self.kind = kind
    }

    /// What is asked.
    public enum Kind: Hashable, Sendable {
        /// A command for the log.
        case write(SessionCommand)
        /// A read; its request is no write.
        case read(Request)
    }
}

/// An answer to a request.
public struct Reply: Hashable, Sendable {
    /// The request.
    public var id: RequestID
    /// What the client is told.
    public var result: ClientResult
    /// Whether the client's session is gone, so that this write was not applied now, but may have been before.
    public var isSessionGone: Bool
    /// Whether it ends the call though it is no answer of the store's: asked again, it would be the same.
    public var isFinal: Bool

    /// An answer.
    public init(id: RequestID, result: ClientResult, isSessionGone: Bool = false, isFinal: Bool = false) {
        self.id = id
        self.result = result
        self.isSessionGone = isSessionGone
        self.isFinal = isFinal
    }
}

/// What a step asks of the server's host. The host keeps one and hands it in again.
public struct Effects: Sendable {
    /// What to write to disk.
    public var write: Write?
    /// What to send, now.
    public var messages: [Message] = []
    /// What to tell clients.
    public var replies: [Reply] = []
    /// The snapshot to write while the server goes on; what became of it is ``NodeInput/snapshotWritten(_:)``.
    public var draft: SnapshotDraft?
    /// Whether the snapshot on disk is wanted, to be sent to others.
    public var wantsSnapshot = false
    /// What happened, in order; empty unless ``isObserved``, but for a failure.
    public var events: [NodeEvent] = []
    /// Whether to keep events.
    public var isObserved: Bool

    /// No effects.
    public init(isObserved: Bool = true) { self.isObserved = isObserved }

    /// Forgets what the last step asked, and keeps the memory.
    public mutating func clear() {
        write = nil
        messages.removeAll(keepingCapacity: true)
        replies.removeAll(keepingCapacity: true)
        draft = nil
        wantsSnapshot = false
        events.removeAll(keepingCapacity: true)
    }
}

import RaftCore
import RaftTrace

/// Something that waits for its time, and for nothing else: what ``Command/step(_:)`` chooses from. The one that is
/// earlier is the lesser; of those of the same moment, that of the lower server, its messages before its own deadline.
public struct Due: Hashable, Comparable, Sendable {
    /// When it is due; it may be overdue.
    public var at: Instant
    /// The server that sends, or that wants to act.
    public var node: NodeID
    /// The message that arrives; `nil` where the server acts unasked.
    public var message: Message?

    /// A message that is to arrive.
    public struct Message: Hashable, Sendable {
        /// Where.
        public var to: NodeID
        /// Its number.
        public var number: UInt64
    }

    /// A server's own deadline.
    public init(at: Instant, deadlineOf node: NodeID) {
        self.at = at
        self.node = node
    }

    /// The first message that waits on the link from one server to another; `nil` where none does, or the link is held.
    public init?(on link: Link, from: NodeID, to: NodeID) {
        guard !link.isHeld, let first = link.first else { return nil }
        at = first.due
        node = from
        message = Message(to: to, number: first.number)
    }

    /// The step to it, as it is told.
    public var told: ClockStepped {
        ClockStepped(from: node, to: message?.to, message: message?.number)
    }

    /// Whether `left` comes first.
    public static func < (left: Due, right: Due) -> Bool {
        func place(_ due: Due) -> (Instant, NodeID, Int) {
            (due.at, due.node, due.message.map { Int($0.to.rawValue) } ?? .max)
        }
        return place(left) < place(right)
    }
}

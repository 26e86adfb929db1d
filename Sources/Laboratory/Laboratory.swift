import RaftCore
import RaftTrace

/// A cluster that can be handled: the live one over TCP and real files, and the simulated one. The screen, the prompt
/// and scripts know a cluster only by this.
///
/// A laboratory is used from one thread. What it does is told as events and in no other way.
public protocol Laboratory: AnyObject {
    /// The cluster's time.
    var now: Instant { get }

    /// The servers there are, in ascending order.
    var members: [NodeID] { get }

    /// Gives a server's disk its contents, before the servers start.
    ///
    /// - Throws: ``Refusal`` where they run already, or the disk isn't new.
    func prepare(_ boot: Boot) throws(Refusal)

    /// Whether the servers were started.
    var hasStarted: Bool { get }

    /// Lets the servers start, once. Whether they do is told as events.
    func start()

    /// Begins to carry out `command`; what comes of it is told as events, the first of which is the command itself.
    ///
    /// - Parameter picture: What is known of the cluster, which says what `leader` and numbers of messages stand for.
    /// - Returns: The number of the call, where it is a client's.
    /// - Throws: ``Refusal`` where it can't be done; nothing is changed then.
    @discardableResult
    func perform(_ command: Command, seeing picture: Picture) throws(Refusal) -> UInt64?

    /// Whether every step of a server is looked at before anything of it leaves the server, no message, no write and no
    /// answer: it goes on when its events were taken, all orders have taken effect, and events are waited for again.
    var isWatched: Bool { get set }

    /// Whether everything that was begun had taken effect when events were taken last, and is told by them.
    var isSettled: Bool { get }

    /// The events since this was called last, in order.
    func takeEvents() -> [Event]

    /// Returns when there are events to take, or something has settled, or it is `moment`, if there is one.
    func waitForEvents(until moment: Instant?)
}

/// A laboratory that goes on by itself, while whoever watches it does other things.
public protocol RunningLaboratory: Laboratory {
    /// A descriptor that can be read from when there are events to take, or something has settled; `nil` where there is
    /// none, and ``delay`` says when.
    var eventDescriptor: Int32? { get }

    /// Lets servers that are watched go on, where everything that they did was looked at (``Laboratory/isWatched``).
    func releaseWatched()

    /// Stops it for good, and releases everything it holds.
    func close()

    /// Nanoseconds of real time until there are events to take; `nil` where that can't be known.
    var delay: Int64? { get }

    /// Why what was begun was not carried out after all, where that turned out later; each is told once.
    func takeRefusals() -> [Refusal]
}

extension RunningLaboratory {
    /// What isn't refused at once is carried out.
    public func takeRefusals() -> [Refusal] { [] }
}

/// A laboratory in which one can go back to a moment, and go on from there on another way.
public protocol BranchingLaboratory: RunningLaboratory {
    /// Goes back to the moment after the event of this number, and carries a command out there. Nothing is watched then.
    ///
    /// - Parameter picture: What is known of the cluster at that moment.
    /// - Returns: The number of the call, where the command is a client's.
    /// - Throws: ``Refusal`` where that moment isn't kept, or the command can't be carried out; nothing is changed then.
    func branch(after sequence: UInt64, then command: Command, seeing picture: Picture) throws(Refusal) -> UInt64?
}

/// Why a command is not carried out: one sentence for the person who gave it.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// A refusal.
    public init(_ description: String) { self.description = description }
}

import RaftCore
import RaftTrace

/// A server as those know it who serve it to the world: its HTTP face asks for no more than this, wherever the server
/// runs, alone in its process or with others.
public protocol ServedNode: Sendable {
    /// The server.
    var id: NodeID { get }

    /// Lets the server handle a client's request, or hand it on to the leader, until there is an answer or patience ends.
    ///
    /// - Parameters:
    ///   - key: A name under which a write is done once, however often it is sent; the answer is that of the first time.
    /// - Returns: What came of it. ``ClientResult/notLeader(_:)`` says that nobody leads and nothing was appended,
    ///   ``ClientResult/unknown`` that nobody can say whether a write was or will be done.
    func call(_ request: Request, once key: String?) async -> ClientResult

    /// What the server is like now; `nil` where it is down.
    func status() async -> ServedStatus?

    /// Everything that happens on the server from now on, in order; first its whole state. Ends when the reader does, or
    /// the server.
    func happenings() -> AsyncStream<[ToldEvents]>

    /// Carries out a command that is about this server and its links, such as `cut 1-2` (``Command``'s line).
    ///
    /// - Returns: `nil` where it was, or why it isn't.
    func perform(line: String) async -> String?
}

/// What a server is like.
public struct ServedStatus: Hashable, Sendable {
    /// Its term.
    public var term: Term
    /// The rest of what Raft keeps.
    public var state: NodeState
    /// Where the leader's HTTP face is, as `host:port`; `nil` where nobody leads or that isn't known.
    public var leaderAddress: String?
    /// Whether the server's vote counts: it is a voter, and its disk is the one that was made one.
    public var isVoter: Bool
    /// How often this and that has happened since the server started.
    public var counters: ServedCounters

    /// A server in this state.
    public init(
        term: Term, state: NodeState, leaderAddress: String? = nil, isVoter: Bool = true,
        counters: ServedCounters = .init()
    ) {
        self.isVoter = isVoter
        self.term = term
        self.state = state
        self.leaderAddress = leaderAddress
        self.counters = counters
    }
}

/// How often something has happened since a server started.
public struct ServedCounters: Hashable, Sendable {
    /// Messages that were sent to other servers.
    public var messagesSent: UInt64 = 0
    /// Messages that came from them.
    public var messagesReceived: UInt64 = 0
    /// How often the log was synced.
    public var syncs: UInt64 = 0
    /// Entries that were written to the log.
    public var entriesWritten: UInt64 = 0
    /// Terms in which it became the leader.
    public var elections: UInt64 = 0

    /// Nothing yet.
    public init() {}
}

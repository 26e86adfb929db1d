/// What one server sends to another: the paper's remote procedure calls as one-way messages (Figure 2).
public struct Message: Hashable, Sendable {
    /// The server that sends it.
    public var from: NodeID
    /// The life of the sender's disk.
    public var incarnation: Incarnation
    /// The server that it is for.
    public var to: NodeID
    /// The sender's term. A request for a pre-vote carries the term that its sender would start, and so does the
    /// answer that grants it.
    public var term: Term
    /// What it says.
    public var body: Body

    /// A message.
    public init(from: NodeID, incarnation: Incarnation, to: NodeID, term: Term, body: Body) {
        self.from = from
        self.incarnation = incarnation
        self.to = to
        self.term = term
        self.body = body
    }

    /// What a message says.
    public enum Body: Hashable, Sendable {
        /// RequestVote (paper §5.2), or a request for a pre-vote (thesis §9.6).
        case voteRequest(VoteRequest)
        /// The answer to one.
        case voteResponse(VoteResponse)
        /// AppendEntries (paper §5.3); without entries, a heartbeat.
        case append(Append)
        /// The answer to one, or the news that more of what came is on disk.
        case appendResponse(AppendResponse)
        /// The leader hands over: campaign now, without waiting for the timer (thesis §3.10).
        case timeoutNow
        /// InstallSnapshot (paper §7, Figure 13): a part of the snapshot that takes the place of a log.
        case snapshot(SnapshotChunk)
        /// The answer to one, until the whole snapshot is there; then an ``appendResponse(_:)`` follows.
        case snapshotResponse(SnapshotResponse)
        /// A follower asks its leader how far it must have applied before it may answer reads (thesis §6.4).
        case readIndexRequest(ReadIndexRequest)
        /// The answer to that.
        case readIndexResponse(ReadIndexResponse)
    }
}

/// Whether a vote is meant or only asked about.
public enum Poll: UInt8, Hashable, Sendable, Codable {
    /// A vote (paper §5.2).
    case vote
    /// The question whether a vote would be given; it binds nobody (thesis §9.6).
    case preVote
}

/// A candidate asks for a vote.
public struct VoteRequest: Hashable, Sendable {
    /// Whether a vote is meant or only asked about.
    public var poll: Poll
    /// The position of the candidate's last entry.
    public var last: LogPosition
    /// Whether the candidate was told to campaign, so that a leader that still lives doesn't count (thesis §4.2.3).
    public var isTold: Bool
    /// Whether it was the leader that told it, which has given its lease up for that (thesis §6.4.1).
    public var isHandedOver: Bool

    /// A request for a vote.
    public init(poll: Poll, last: LogPosition, isTold: Bool, isHandedOver: Bool = false) {
        self.poll = poll
        self.last = last
        self.isTold = isTold
        self.isHandedOver = isHandedOver
    }
}

/// A server gives or refuses its vote.
public struct VoteResponse: Hashable, Sendable {
    /// Whether a vote was meant or only asked about.
    public var poll: Poll
    /// Whether it is given.
    public var isGranted: Bool

    /// An answer to a candidate.
    public init(poll: Poll, isGranted: Bool) {
        self.poll = poll
        self.isGranted = isGranted
    }
}

/// A leader sends entries, or shows that it leads.
public struct Append: Hashable, Sendable {
    /// The position of the entry before the first of ``entries``.
    public var previous: LogPosition
    /// The entries that follow ``previous``; none in a heartbeat.
    public var entries: [Entry]
    /// The leader's commit index.
    public var commit: LogIndex
    /// The leader's latest round of read confirmation; the answer repeats it.
    public var round: ReadRound
    /// How long its receiver is to give its vote to nobody, from when it gets this: what the leader's lease rests on
    /// (thesis §6.4.1). Zero where the leader has no use for it.
    ///
    /// It is the leader that says how long, so that it counts on no voter that has the option off yet, or another timeout.
    public var lease: Interval

    /// The entries after `previous`.
    public init(
        previous: LogPosition, entries: [Entry], commit: LogIndex, round: ReadRound, lease: Interval = .zero
    ) {
        self.previous = previous
        self.entries = entries
        self.commit = commit
        self.round = round
        self.lease = lease
    }
}

/// A follower's answer to an ``Append``.
public struct AppendResponse: Hashable, Sendable {
    /// What became of the entries.
    public var outcome: Outcome
    /// The latest round of read confirmation that the follower has seen in this term.
    public var round: ReadRound

    /// An answer to the leader.
    public init(outcome: Outcome, round: ReadRound) {
        self.outcome = outcome
        self.round = round
    }

    /// What became of the entries.
    public enum Outcome: Hashable, Sendable {
        /// The follower's log matches the leader's up to this index, and is on disk that far.
        case accepted(match: LogIndex)
        /// The follower doesn't hold the entry at `previous`. The latest it can agree on is `hint`: the last of its
        /// entries that is no later than that entry, by index and by term.
        case refused(previous: LogIndex, hint: LogPosition)
    }
}

/// A follower asks its leader how far it must have applied before it may answer reads (thesis §6.4).
public struct ReadIndexRequest: Hashable, Sendable {
    /// The follower's name for the reads that wait, which the answer repeats. No two requests of a server have the same,
    /// not even in different lives.
    public var context: UInt64

    /// A question under this name.
    public init(context: UInt64) { self.context = context }
}

/// A leader's answer to a ``ReadIndexRequest``.
public struct ReadIndexResponse: Hashable, Sendable {
    /// The name that the request had.
    public var context: UInt64
    /// The index that must be applied; `nil` from a server that doesn't lead, or no longer.
    public var index: LogIndex?

    /// The answer to the question of this name.
    public init(context: UInt64, index: LogIndex?) {
        self.context = context
        self.index = index
    }
}

/// A round in which a leader asks whether it still leads (thesis §6.4). Rounds are numbered within a term, and an
/// answer confirms every round up to its own.
public struct ReadRound: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    /// Before the first round.
    public static let zero = ReadRound(rawValue: 0)

    /// The number of the round.
    public let rawValue: UInt64

    /// The round of this number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The round after this one.
    public var next: ReadRound { ReadRound(rawValue: rawValue + 1) }

    /// Rounds are ordered by number.
    public static func < (left: ReadRound, right: ReadRound) -> Bool { left.rawValue < right.rawValue }
}

/// What a server is told: the arguments of ``Raft/handle(_:at:into:)``.
public enum Input: Sendable {
    /// A message came.
    case message(Message)
    /// The moment ``Raft/deadline`` is there.
    case deadline
    /// A client wants these entries in the log; they are appended together or not at all.
    case propose([Payload])
    /// A client wants to read; the answer carries the same name.
    case read(ReadID)
    /// A client wants to read, and a leader's lease is good enough for it (thesis §6.4.1).
    case leaseRead(ReadID)
    /// This write, and every one before it, is on disk.
    case durable(WriteNumber)
    /// Campaign now, without a pre-vote and without regard for a leader that lives, as if one had handed over (thesis
    /// §3.10); but not against the lease that one may hold, for it doesn't know (§6.4.1).
    case campaign
    /// Hand leadership over to this server (thesis §3.10).
    case transfer(to: NodeID)
    /// Make these servers members, and those none any more (paper §6).
    case changeMembers(adding: NodeSet, removing: NodeSet)
    /// The snapshot that stands for this is on disk; of the entries in it, so many are to stay in the log, or not a single
    /// one, whoever may need it (paper §7).
    case snapshotTaken(SnapshotMark, keeping: Int?)
    /// The snapshot that ``Output/wantsSnapshot`` asked for.
    case snapshotLoaded(Snapshot)
    /// The election timer runs out at this moment, whatever was drawn: for somebody who wants two servers to campaign at
    /// once.
    case timer(Instant)
}

/// The host's name for a read that waits.
public typealias ReadID = UInt64

/// The number of a write within a server's life, from 1. Writes reach the disk in this order.
public typealias WriteNumber = UInt64

/// What a server must find again after a crash, apart from its log (paper Figure 2).
public struct HardState: Hashable, Sendable, Codable {
    /// The latest term that the server has seen.
    public var term: Term
    /// The candidate that got its vote in this term.
    public var vote: NodeID?

    /// The state of a server that has seen `term` and voted for `vote` in it.
    public init(term: Term = .zero, vote: NodeID? = nil) {
        self.term = term
        self.vote = vote
    }
}

/// What must reach the disk, all of it or nothing.
public struct Write: Hashable, Sendable {
    /// The number to report with ``Input/durable(_:)`` when it is there.
    public var number: WriteNumber
    /// The new term and vote, where they changed.
    public var hardState: HardState?
    /// A leader's snapshot, which takes the place of the whole log, and must be on disk before anything that follows.
    public var snapshot: Snapshot?
    /// Where the log begins from now on, if that has changed: after this position, up to which a snapshot on disk stands
    /// for it.
    public var base: LogPosition?
    /// Where ``entries`` go: they take the place of everything from this index on.
    public var first: LogIndex
    /// New entries; none where only term or vote changed.
    public var entries: [Entry]

    /// A write.
    public init(
        number: WriteNumber, hardState: HardState?, snapshot: Snapshot? = nil, base: LogPosition? = nil,
        first: LogIndex, entries: [Entry]
    ) {
        self.number = number
        self.hardState = hardState
        self.snapshot = snapshot
        self.base = base
        self.first = first
        self.entries = entries
    }
}

/// What a step asks of its host. The host keeps one and hands it in again, so that steps allocate little.
public struct Output: Sendable {
    /// What to write to disk. Messages don't wait for it: those that must are held until it is reported durable.
    public var write: Write?
    /// What to send, now.
    public var messages: [Message] = []
    /// What became of ``Input/propose(_:)``.
    public var proposal: Proposal?
    /// What became of reads.
    public var reads: [ReadAnswer] = []
    /// The snapshot that has taken the place of the log: the state machine is to go on from it, not from what it has.
    public var installed: Snapshot?
    /// Whether a follower needs the snapshot that is on disk, to be handed in as ``Input/snapshotLoaded(_:)``.
    public var wantsSnapshot = false
    /// What happened, in order; empty unless ``isObserved``.
    public var observations: [Observation] = []
    /// Whether to keep observations.
    public var isObserved: Bool

    /// An empty output.
    public init(isObserved: Bool = true) { self.isObserved = isObserved }

    /// Forgets what the last step said, and keeps the memory.
    public mutating func clear() {
        write = nil
        messages.removeAll(keepingCapacity: true)
        proposal = nil
        reads.removeAll(keepingCapacity: true)
        installed = nil
        wantsSnapshot = false
        observations.removeAll(keepingCapacity: true)
    }
}

/// What became of a proposal.
public enum Proposal: Hashable, Sendable {
    /// The first of its entries is at this position, and the others follow it.
    case appended(first: LogPosition)
    /// This server doesn't lead; `leader` does, as far as it knows. Nothing was appended.
    case refused(leader: NodeID?)
    /// Too much waits to be committed already (``Limits/unfinishedBytesMax``). Nothing was appended.
    case overloaded
}

/// What became of a read (thesis §6.4).
public enum ReadAnswer: Hashable, Sendable {
    /// Once the state machine has applied everything up to `index`, it may answer. That may be a follower's, whose leader
    /// has named the index.
    case ready(ReadID, index: LogIndex)
    /// Nobody is there to confirm it, or nobody any longer; `leader` leads, as far as this server knows.
    case refused(ReadID, leader: NodeID?)
    /// Too many reads wait already (``Limits/pendingReadsMax``).
    case overloaded(ReadID)
}

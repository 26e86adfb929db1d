import DequeModule

/// A server's role, with what belongs to it alone: a follower has no `nextIndex`, a leader no ballot (paper §5.1).
public enum Role: Hashable, Sendable {
    /// Answers leaders and candidates.
    case follower(Following)
    /// Asks whether it could win an election; its term is still the old one (thesis §9.6).
    case preCandidate(Ballot)
    /// Asks for votes in its term.
    case candidate(Ballot)
    /// Handles clients and replicates its log.
    case leader(Leadership)

    /// The role's name.
    public var name: RoleName {
        switch self {
        case .follower: .follower
        case .preCandidate: .precandidate
        case .candidate: .candidate
        case .leader: .leader
        }
    }
}

/// What a follower knows of the leader of its term.
public struct Following: Hashable, Sendable {
    /// The leader, once heard.
    public var leader: NodeID?
    /// How far the leader's messages have proved this log to match the leader's.
    var verified = LogIndex.zero
    /// The index that the leader was last told to be on this disk.
    var acknowledged = LogIndex.zero
    /// The latest round of read confirmation seen in this term.
    var round = ReadRound.zero
    /// The snapshot of which a part has arrived.
    var incoming: IncomingSnapshot?
}

/// The votes that a candidate has.
public struct Ballot: Hashable, Sendable {
    /// The servers that gave it their vote.
    public internal(set) var granted = NodeSet()
    /// The servers that refused.
    public internal(set) var refused = NodeSet()
}

/// What a leader keeps for its term (paper Figure 2, volatile state on leaders).
public struct Leadership: Hashable, Sendable {
    /// How far each other member is, in ascending order of their numbers.
    public internal(set) var peers: [Progress]
    /// The members heard from since the last check of the majority (``Options/checkQuorum``).
    public internal(set) var heard = NodeSet()
    /// The reads that wait.
    var reads = PendingReads()
    /// The transfer of leadership that is going on.
    var transfer: Transfer?
    /// The entries that are not committed yet, or not on the leader's own disk: those of each step together, oldest first.
    var unfinished = Deque<Progress.Flight>()
    /// The weight of them all.
    var unfinishedBytes = 0
    /// The snapshot that followers are sent, while any of them needs it.
    var image: Snapshot?
    /// Whether the host was asked for the snapshot.
    var isImageAwaited = false
    /// What its lease rests on.
    var lease = Lease()
    /// The last entry that was reported as held back, so that it is reported once.
    var heldBack = LogIndex.zero

    /// Everything up to `index` is committed, and on the leader's own disk.
    mutating func finish(upTo index: LogIndex) {
        while let oldest = unfinished.first, oldest.last <= index {
            unfinishedBytes -= oldest.bytes
            unfinished.removeFirst()
        }
    }

    /// The place of `peer` in ``peers``.
    func index(of peer: NodeID) -> Int? {
        for (place, progress) in peers.enumerated() where progress.peer == peer { return place }
        return nil
    }
}

/// How far one follower is, as its leader knows (paper Figure 2: `nextIndex`, `matchIndex`).
///
/// Invariant: `match < next`.
public struct Progress: Hashable, Sendable {
    /// The follower.
    public internal(set) var peer: NodeID
    /// The life of its disk that the numbers below belong to.
    public internal(set) var incarnation: Incarnation
    /// The next entry to send.
    public internal(set) var next: LogIndex
    /// The highest entry known to be on its disk.
    public internal(set) var match = LogIndex.zero
    /// Whether the leader still looks for the place where the logs agree, one message at a time.
    public internal(set) var isProbing = true
    /// Whether a probe is on its way.
    var isProbeSent = false
    /// How far a snapshot has got that it is sent, for lack of the entries it needs.
    public internal(set) var installing: SnapshotTransfer?
    /// The messages with entries on their way, oldest first.
    var inflight = Deque<Flight>()
    /// The weight of their entries.
    var inflightBytes = 0
    /// The latest round of read confirmation that it answered.
    var round = ReadRound.zero

    /// A message with entries on its way.
    struct Flight: Hashable, Sendable {
        /// The index of its last entry.
        var last: LogIndex
        /// The weight of its entries.
        var bytes: Int
    }

    /// Sends one message at a time, from `next` on, until one is accepted.
    mutating func probe(from next: LogIndex) {
        self.next = max(next, match.next)
        isProbing = true
        isProbeSent = false
        inflight.removeAll(keepingCapacity: true)
        inflightBytes = 0
    }

    /// Takes note that everything up to `index` is on the follower's disk. Answers whether that is news.
    mutating func maybeAdvance(to index: LogIndex) -> Bool {
        next = max(next, index.next)
        while let oldest = inflight.first, oldest.last <= index {
            inflightBytes -= oldest.bytes
            inflight.removeFirst()
        }
        guard index > match else { return false }
        match = index
        return true
    }
}

/// The reads that wait until a majority has confirmed their leader (thesis §6.4).
struct PendingReads: Hashable, Sendable {
    /// Who reads.
    enum Reader: Hashable, Sendable {
        /// A client of this server.
        case client(ReadID)
        /// A follower's clients, under its name for their reads.
        case follower(NodeID, context: UInt64)
    }

    /// A read, the commit index that it must see, and the round that must be confirmed first.
    struct Pending: Hashable, Sendable {
        var reader: Reader
        var index: LogIndex
        var round: ReadRound
    }

    /// The round that messages carry now.
    var round = ReadRound.zero
    /// Reads in order; their rounds never decrease.
    var pending = Deque<Pending>()
    /// Reads that came before an entry of the leader's own term was committed.
    var early: [Reader] = []
    /// Whether `reader` waits.
    func contains(_ reader: Reader) -> Bool { early.contains(reader) || pending.contains { $0.reader == reader } }
    /// Whether a read waits for a round that hasn't begun.
    var wantsRound: Bool { (pending.last?.round ?? .zero) > round }
    /// Whether a round has begun that a read waits for.
    var isRoundOpen: Bool {
        guard let oldest = pending.first else { return false }
        return oldest.round <= round
    }
}

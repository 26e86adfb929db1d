/// Everything about a server that its owner chooses and that is the same on every server of a cluster.
public struct Settings: Hashable, Sendable {
    /// How long a server waits for what.
    public var timing = Timing()
    /// Extensions of the protocol that are on where production systems turn them on.
    public var options = Options()
    /// The safety rules; all hold unless a lesson or a test says otherwise.
    public var rules = RuleSet.all
    /// The bounds on what a leader sends.
    public var limits = Limits()
    /// When a server replaces the beginning of its log by a snapshot.
    public var compaction = Compaction()

    /// The paper's timing, every option on but leases, every rule kept.
    public init() {}
}

/// How long a server waits for what, in cluster time (paper §5.6, §9.3).
public struct Timing: Hashable, Sendable {
    /// A follower that hears of no leader for a time drawn from this range starts an election.
    public var electionTimeout: ClosedRange<Interval> = .milliseconds(150) ... .milliseconds(300)
    /// A leader sends to every follower at least this often.
    public var heartbeat: Interval = .milliseconds(50)

    /// How much faster or slower than true time a server's clock may go, in percent. Nothing but leases relies on it.
    public static let driftMax: Int64 = 10

    /// How long a leader's lease lasts by its own clock, from the moment at which the round began that a majority
    /// confirmed (thesis §6.4.1).
    ///
    /// Whoever answered the round heard of it later than that, and keeps its vote to itself for the shortest election
    /// timeout E by its own clock. With clocks off by d at most, that is at least E / (1 + d) of true time, and a lease
    /// of length L is at most L / (1 - d): it is over in time if L = E (1 - d) / (1 + d).
    public var lease: Interval {
        let percent = Timing.driftMax
        return Interval(nanoseconds: electionTimeout.lowerBound.nanoseconds * (100 - percent) / (100 + percent))
    }

    /// The paper's: an election timeout of 150–300 ms, a heartbeat every 50 ms.
    public init() {}
}

/// Extensions of the protocol.
public struct Options: Hashable, Sendable {
    /// A server asks whether it could win before it starts a term (thesis §9.6).
    public var preVote = true
    /// A leader that hears from no majority for an election timeout steps down, and a server that hears from a leader
    /// ignores other candidates (thesis §4.2.3, §6.2).
    public var checkQuorum = true
    /// A new leader appends an empty entry of its own term (paper §8).
    public var noop = true
    /// A leader that a majority has confirmed lately answers lease reads at once (thesis §6.4.1). Voters keep their votes
    /// to themselves meanwhile. Unlike everything else here it relies on clocks (``Timing/driftMax``), and that the
    /// servers change it together: one that restarts must know whether it may have promised something.
    public var lease = false

    /// Every extension on but leases.
    public init() {}
}

/// The bounds on what a server sends to another before it hears back.
public struct Limits: Hashable, Sendable {
    /// Entries in one message.
    public var entriesPerAppendMax = 4_096
    /// Weight of the entries in one message, in bytes (``Payload/weight``); a single heavier entry goes alone.
    public var bytesPerAppendMax = 1 << 20
    /// Messages with entries on their way.
    public var inflightMessagesMax = 256
    /// Weight of the entries on their way, in bytes.
    public var inflightBytesMax = 8 << 20
    /// Weight of a leader's entries that are not committed, or not on its own disk, in bytes: beyond it, it takes no more.
    public var unfinishedBytesMax = 64 << 20
    /// Reads that wait at a leader until it is confirmed.
    public var pendingReadsMax = 65_536
    /// How many entries a learner may lack when it is made a voter.
    public var learnerLagMax = 100
    /// Reads that a follower has its leader confirm, together.
    public var forwardedReadsMax = 4_096

    /// Bytes of a snapshot in one message.
    public var bytesPerChunkMax = 256 << 10

    /// Bounds for a local network.
    public init() {}
}

/// When a server replaces the beginning of its log by a snapshot, and how much of it stays (paper §7).
public struct Compaction: Hashable, Sendable {
    /// How many entries are applied from one snapshot to the next; `nil` where none is taken unless somebody says so.
    public var every: Int? = 10_000
    /// How many of the entries that a snapshot stands for stay in the log, so that a follower that lacks a few of them
    /// needs no snapshot. Where somebody says when to take one, none.
    public var trailing = 1_000

    /// A snapshot every 10,000 entries, of which the last 1,000 stay.
    public init() {}
}

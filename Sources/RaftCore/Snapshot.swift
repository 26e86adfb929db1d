/// What a snapshot stands for: the log up to a position (paper §7).
public struct SnapshotMark: Hashable, Sendable {
    /// The position of the last entry that it stands for.
    public var last: LogPosition
    /// The members of the cluster as of that entry.
    public var configuration: Configuration

    /// A snapshot of everything up to `last`.
    public init(last: LogPosition, configuration: Configuration) {
        self.last = last
        self.configuration = configuration
    }
}

/// A snapshot: what the log amounts to up to a position (paper §7).
public struct Snapshot: Hashable, Sendable {
    /// What it stands for.
    public var mark: SnapshotMark
    /// The state machine, in its own form; Raft doesn't look into it.
    public var bytes: [UInt8]

    /// A snapshot that stands for `mark`.
    public init(mark: SnapshotMark, bytes: [UInt8]) {
        self.mark = mark
        self.bytes = bytes
    }

    /// The largest snapshot, in bytes. What claims to be larger is none.
    public static let sizeMax = 1 << 30 - 1 << 20
}

/// A leader sends a part of its snapshot (paper §7, Figure 13).
public struct SnapshotChunk: Hashable, Sendable {
    /// What the whole snapshot stands for.
    public var mark: SnapshotMark
    /// How many bytes the whole snapshot has.
    public var size: Int
    /// Where this part begins, in bytes.
    public var offset: Int
    /// The part; none in a message that only asks how much has arrived.
    public var bytes: [UInt8]
    /// The leader's latest round of read confirmation; the answer repeats it.
    public var round: ReadRound
    /// For how long the follower is to give its vote to nobody (``Append/lease``).
    public var lease: Interval

    /// The part of a snapshot that begins at `offset`.
    public init(
        mark: SnapshotMark, size: Int, offset: Int, bytes: [UInt8], round: ReadRound, lease: Interval = .zero
    ) {
        self.lease = lease
        self.mark = mark
        self.size = size
        self.offset = offset
        self.bytes = bytes
        self.round = round
    }
}

/// A follower says how much of a snapshot it has.
public struct SnapshotResponse: Hashable, Sendable {
    /// The last entry that the snapshot stands for.
    public var last: LogPosition
    /// How many bytes have arrived, from the first on.
    public var received: Int
    /// The latest round of read confirmation that the follower has seen in this term.
    public var round: ReadRound

    /// `received` bytes of the snapshot up to `last` are there.
    public init(last: LogPosition, received: Int, round: ReadRound) {
        self.last = last
        self.received = received
        self.round = round
    }
}

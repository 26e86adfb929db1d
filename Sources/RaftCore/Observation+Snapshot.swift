/// The beginning of the log was forgotten (paper §7).
public struct Compacted: Hashable, Sendable, Codable {
    /// The last entry that the snapshot on disk stands for.
    public var snapshot: LogPosition
    /// The last entry that was forgotten; no later than that of the snapshot.
    public var base: LogPosition
}

/// A part of a leader's snapshot has arrived (paper §7).
public struct SnapshotReceived: Hashable, Sendable, Codable {
    /// The leader.
    public var leader: NodeID
    /// The last entry that the snapshot stands for.
    public var last: LogPosition
    /// How many bytes have arrived.
    public var received: Int
    /// How many there are.
    public var size: Int
}

/// A leader's snapshot took the place of the log (paper §7).
public struct SnapshotInstalled: Hashable, Sendable, Codable {
    /// The leader.
    public var leader: NodeID
    /// The last entry that the snapshot stands for: the log begins after it, and everything up to it is committed.
    public var last: LogPosition
    /// The last entry of the log that was discarded.
    public var discarded: LogPosition
    /// How many bytes the snapshot has.
    public var size: Int
}

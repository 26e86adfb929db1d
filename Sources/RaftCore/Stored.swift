/// What a server's disk holds for certain, as a value: what ``Write``s come to, and where a server starts again (paper
/// Figure 2, persistent state; §7).
public struct Stored: Hashable, Sendable {
    /// Term and vote.
    public var hardState: HardState
    /// The snapshot, if there is one.
    public var snapshot: Snapshot?
    /// The log.
    public var log: Log

    /// A disk that holds this.
    public init(hardState: HardState = HardState(), snapshot: Snapshot? = nil, log: Log = Log()) {
        self.hardState = hardState
        self.snapshot = snapshot
        self.log = log
    }

    /// What is there after `write`.
    public mutating func apply(_ write: Write) {
        hardState = write.hardState ?? hardState
        if let snapshot = write.snapshot {
            self.snapshot = snapshot
            log = Log(after: snapshot.mark.last)
        }
        if write.first <= log.lastIndex { log.truncate(from: write.first) }
        log.append(contentsOf: write.entries[...])
        if let base = write.base { log.compact(to: base.index) }
    }
}

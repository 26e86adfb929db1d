/// One entry of the log: what to apply, and the term in which a leader received it (paper §5.3). Its index is its
/// place in the log and is not stored in it.
public struct Entry: Hashable, Sendable {
    /// The term of the leader that created the entry.
    public var term: Term
    /// What the entry holds.
    public var payload: Payload

    /// An entry of `term` that holds `payload`.
    public init(term: Term, payload: Payload) {
        self.term = term
        self.payload = payload
    }
}

/// What an entry holds.
public enum Payload: Hashable, Sendable {
    /// Nothing: a new leader's first entry, which lets it commit at once and know how far the log is committed
    /// (paper §8).
    case noop
    /// The members of the cluster from here on (paper §6).
    indirect case configuration(Configuration)
    /// A command for the state machine, in the state machine's own form; Raft doesn't look into it.
    case command([UInt8])

    /// How many bytes the payload counts for against ``Limits``: its own, plus a fixed share for the entry itself.
    @inlinable
    public var weight: Int {
        switch self {
        case .noop: Payload.overhead
        case .configuration(let configuration): Payload.overhead + 8 * configuration.members.count
        case .command(let bytes): bytes.count + Payload.overhead
        }
    }

    /// The share of an entry's weight that doesn't depend on its command, in bytes.
    @usableFromInline static let overhead = 16
}

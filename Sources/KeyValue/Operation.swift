/// Keys and values are rows of bytes; what they mean is their users' affair.
public typealias Bytes = [UInt8]

/// A change of the store.
public enum Operation: Hashable, Sendable {
    /// Gives `key` the value `value`.
    case set(key: Bytes, value: Bytes)
    /// Takes `key` away.
    case delete(key: Bytes)
    /// Adds `amount` to the decimal number at `key`; a key that isn't there counts as 0.
    case increment(key: Bytes, by: Int64)
    /// Gives `key` the value `new` if its value is `old`.
    case compareAndSet(key: Bytes, old: Bytes, new: Bytes)

    /// The key that it is about.
    public var key: Bytes {
        switch self {
        case .set(let key, _), .delete(let key), .increment(let key, _), .compareAndSet(let key, _, _): key
        }
    }

    /// The most bytes that an operation's key and values may have together. A message must have room for it, and an entry
    /// that can't be sent would hold up all that follow.
    public static let bytesMax = 1 << 20

    /// How many bytes its key and values have.
    public var bytes: Int {
        switch self {
        case .set(let key, let value): key.count + value.count
        case .delete(let key), .increment(let key, _): key.count
        case .compareAndSet(let key, let old, let new): key.count + old.count + new.count
        }
    }
}

/// What became of an operation, or what a read found.
public enum Outcome: Hashable, Sendable {
    /// It was done.
    case done
    /// It was done, or read, and this is the value.
    case value(Bytes)
    /// The key isn't there.
    case notFound
    /// Nothing was changed, for this is the value: not the one that `compareAndSet` asked for, or no number that
    /// `increment` could add to.
    case mismatch(Bytes)
    /// The keys that were asked for, in ascending order.
    case keys([Bytes])
    /// The client's session is gone, so that nobody can say whether this write was applied before.
    case sessionExpired
    /// Nothing was changed: the name under which the write was to be done once stands for another write.
    case nameUsed
}

/// An operation as it stands in the log: what to do, and whose it is, so that it is done once (paper §8, thesis §6.3).
public struct SessionCommand: Hashable, Sendable {
    /// The client, by name; without one the operation is done every time it is met.
    public var client: String
    /// The client's number for this operation, from 1, the same each time it sends it.
    public var sequence: UInt64
    /// The client has the results of all its operations before this number, or doesn't want them.
    ///
    /// Zero in a session that is for a single write, numbered by its fingerprint: another one is refused.
    public var firstIncomplete: UInt64
    /// What to do.
    public var operation: Operation

    /// A command.
    public init(client: String, sequence: UInt64, firstIncomplete: UInt64, operation: Operation) {
        self.client = client
        self.sequence = sequence
        self.firstIncomplete = firstIncomplete
        self.operation = operation
    }

    /// An operation that is nobody's.
    public init(_ operation: Operation) {
        self.init(client: "", sequence: 0, firstIncomplete: 0, operation: operation)
    }
}

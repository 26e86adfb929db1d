import HashTreeCollections

/// The keys and their values. A copy takes no time and shares what doesn't change.
public struct Store: Hashable, Sendable {
    private var values: TreeDictionary<Key, Bytes> = [:]

    /// A key that is hashed as a whole, and not byte by byte.
    struct Key: Hashable, Sendable {
        let bytes: Bytes

        init(_ bytes: Bytes) { self.bytes = bytes }

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    /// An empty store.
    public init() {}

    /// How many keys there are.
    public var count: Int { values.count }

    /// The value of `key`; `nil` where it isn't there.
    public subscript(key: Bytes) -> Bytes? { values[Key(key)] }

    /// The keys that start with `prefix`, in ascending order of their bytes.
    public func keys(withPrefix prefix: Bytes = []) -> [Bytes] {
        values.keys.lazy.map(\.bytes).filter { $0.starts(with: prefix) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// All keys with their values, in no particular order.
    var pairs: some Sequence<(key: Bytes, value: Bytes)> { values.lazy.map { (key: $0.key.bytes, value: $0.value) } }

    /// Does `operation` and says what became of it.
    public mutating func apply(_ operation: Operation) -> Outcome {
        if case .set(let key, let value) = operation {
            // Whatever was there, this takes its place: there is nothing to look up.
            values.updateValue(value, forKey: Key(key))
            return .done
        }
        let key = Key(operation.key)
        let (value, outcome) = operation.applied(to: values[key])
        switch outcome {
        case .notFound, .mismatch, .keys, .sessionExpired: break
        case .done, .value: values[key] = value
        }
        return outcome
    }
}

extension Operation {
    /// What the operation makes of its key's value, and what became of it. A missing value is `nil`.
    public func applied(to present: Bytes?) -> (value: Bytes?, outcome: Outcome) {
        switch self {
        case .set(_, let value): return (value, .done)
        case .delete: return (nil, present == nil ? .notFound : .done)
        case .increment(_, let amount): return Operation.incremented(present, by: amount)
        case .compareAndSet(_, let old, let new):
            guard let present else { return (nil, .notFound) }
            return present == old ? (new, .done) : (present, .mismatch(present))
        }
    }

    private static func incremented(_ present: Bytes?, by amount: Int64) -> (value: Bytes?, outcome: Outcome) {
        let digits = present ?? Bytes("0".utf8)
        guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { return (present, .mismatch(digits)) }
        let (sum, isOverflow) = number.addingReportingOverflow(amount)
        guard !isOverflow else { return (present, .mismatch(digits)) }
        let value = Bytes(String(sum).utf8)
        return (value, .value(value))
    }
}

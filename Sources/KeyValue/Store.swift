import HashTreeCollections

/// The keys and their values. A copy takes no time and shares what doesn't change.
public struct Store: Hashable, Sendable {
    private var values: TreeDictionary<Bytes, Bytes> = [:]

    /// An empty store.
    public init() {}

    /// How many keys there are.
    public var count: Int { values.count }

    /// The value of `key`; `nil` where it isn't there.
    public subscript(key: Bytes) -> Bytes? { values[key] }

    /// The keys that start with `prefix`, in ascending order of their bytes.
    public func keys(withPrefix prefix: Bytes = []) -> [Bytes] {
        values.keys.filter { $0.starts(with: prefix) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Does `operation` and says what became of it.
    public mutating func apply(_ operation: Operation) -> Outcome {
        switch operation {
        case .set(let key, let value):
            values[key] = value
            return .done
        case .delete(let key):
            return values.removeValue(forKey: key) == nil ? .notFound : .done
        case .increment(let key, let amount):
            return increment(key, by: amount)
        case .compareAndSet(let key, let old, let new):
            guard let value = values[key] else { return .notFound }
            guard value == old else { return .mismatch(value) }
            values[key] = new
            return .done
        }
    }

    private mutating func increment(_ key: Bytes, by amount: Int64) -> Outcome {
        let present = values[key] ?? Bytes("0".utf8)
        guard let number = Int64(String(decoding: present, as: UTF8.self)) else { return .mismatch(present) }
        let (sum, isOverflow) = number.addingReportingOverflow(amount)
        guard !isOverflow else { return .mismatch(present) }
        let value = Bytes(String(sum).utf8)
        values[key] = value
        return .value(value)
    }
}

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

    /// How many bytes the keys and values have together.
    public private(set) var bytes = 0

    /// The most bytes that keys and values should have together. A snapshot must have room for them and for what clients'
    /// writes came to; so a leader appends no write that lets them grow any further.
    public static let bytesMax = 768 << 20

    /// How many keys there are.
    public var count: Int { values.count }

    /// The value of `key`; `nil` where it isn't there.
    public subscript(key: Bytes) -> Bytes? { values[Key(key)] }

    /// The most keys that are listed at once, and the most bytes they may have together: everybody else's requests wait
    /// while they are looked for, and an answer has to fit into a message.
    public static let listedMax = (keys: 10_000, bytes: 4 << 20)

    /// The keys that start with `prefix`, in ascending order of their bytes; `nil` where there are more than ``listedMax``.
    public func keys(withPrefix prefix: Bytes = []) -> [Bytes]? {
        var found: [Bytes] = []
        var bytes = 0
        for key in values.keys where key.bytes.starts(with: prefix) {
            found.append(key.bytes)
            bytes += key.bytes.count
            guard found.count <= Store.listedMax.keys, bytes <= Store.listedMax.bytes else { return nil }
        }
        return found.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// All keys with their values, in no particular order.
    var pairs: some Sequence<(key: Bytes, value: Bytes)> { values.lazy.map { (key: $0.key.bytes, value: $0.value) } }

    /// Does `operation` and says what became of it.
    public mutating func apply(_ operation: Operation) -> Outcome {
        if case .set(let key, let value) = operation {
            // Whatever was there, this takes its place: there is nothing to look up.
            let old = values.updateValue(value, forKey: Key(key))
            count(key, from: old, to: value)
            return .done
        }
        let key = Key(operation.key)
        let old = values[key]
        let (value, outcome) = operation.applied(to: old)
        switch outcome {
        case .notFound, .mismatch, .keys, .sessionExpired, .nameUsed: break
        case .done, .value:
            values[key] = value
            count(key.bytes, from: old, to: value)
        }
        return outcome
    }

    private mutating func count(_ key: Bytes, from old: Bytes?, to new: Bytes?) {
        bytes += (new.map { key.count + $0.count } ?? 0) - (old.map { key.count + $0.count } ?? 0)
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

import HashTreeCollections
import KeyValue

/// What is known of a server's store. It is persistent: a copy shares its memory with the one that goes on, so that many
/// moments of one store cost little more than one.
public struct StorePicture: Hashable, Sendable {
    private var values: TreeDictionary<Bytes, Bytes> = [:]

    /// An empty store.
    public init() {}

    init(_ pairs: [NodeState.Pair]) {
        values = TreeDictionary(pairs.map { ($0.key, $0.value) }) { _, last in last }
    }

    /// The value of a key; `nil` where it isn't known to be there.
    public internal(set) subscript(key: Bytes) -> Bytes? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// How many keys are known.
    public var count: Int { values.count }

    /// Whether no key is known.
    public var isEmpty: Bool { values.isEmpty }

    /// The first `limit` keys in ascending order; all, unless said.
    public func keys(limit: Int = .max) -> [Bytes] {
        guard limit < count else { return values.keys.sorted { $0.lexicographicallyPrecedes($1) } }
        // A row of the smallest so far: few of many keys get into it.
        var smallest: [Bytes] = []
        for key in values.keys {
            if smallest.count == limit, let last = smallest.last, !key.lexicographicallyPrecedes(last) { continue }
            let place = smallest.firstIndex { key.lexicographicallyPrecedes($0) } ?? smallest.endIndex
            smallest.insert(key, at: place)
            if smallest.count > limit { smallest.removeLast() }
        }
        return smallest
    }
}

extension StorePicture: ExpressibleByDictionaryLiteral {
    /// A store with these keys and values.
    public init(dictionaryLiteral elements: (Bytes, Bytes)...) {
        values = TreeDictionary(elements) { _, last in last }
    }
}

/// The messages that are on their way, by the numbers that the screen knows them by. Persistent, too.
public struct Flights: Sendable {
    private var flights: TreeDictionary<UInt64, Picture.InFlight> = [:]

    /// The message of this number, while it is on its way.
    public internal(set) subscript(number: UInt64) -> Picture.InFlight? {
        get { flights[number] }
        set { flights[number] = newValue }
    }

    /// How many there are.
    public var count: Int { flights.count }

    /// Whether there is none.
    public var isEmpty: Bool { flights.isEmpty }

    /// All of them, in the order of their numbers.
    public var all: [Picture.InFlight] { flights.values.sorted { $0.sent.number < $1.sent.number } }
}

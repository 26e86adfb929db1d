/// A set of servers in one machine word, walked in ascending order, so that nothing depends on a hash.
public struct NodeSet: Hashable, Sendable, Sequence, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// Bit `n` is set where server `n` is a member.
    @usableFromInline var bits: UInt64

    @inlinable
    init(bits: UInt64) { self.bits = bits }

    /// The empty set.
    @inlinable
    public init() { bits = 0 }

    /// The set of these servers.
    public init(_ nodes: some Sequence<NodeID>) {
        self.init()
        for node in nodes { insert(node) }
    }

    /// The set of these servers.
    public init(arrayLiteral elements: NodeID...) { self.init(elements) }

    /// How many servers are in it.
    @inlinable
    public var count: Int { bits.nonzeroBitCount }

    /// Whether no server is in it.
    @inlinable
    public var isEmpty: Bool { bits == 0 }

    /// Whether `node` is in it.
    @inlinable
    public func contains(_ node: NodeID) -> Bool { bits & (1 << UInt64(node.rawValue)) != 0 }

    /// Adds `node`.
    @inlinable
    public mutating func insert(_ node: NodeID) { bits |= 1 << UInt64(node.rawValue) }

    /// Takes `node` out.
    @inlinable
    public mutating func remove(_ node: NodeID) { bits &= ~(1 << UInt64(node.rawValue)) }

    /// The servers that are in this set or in `other`.
    @inlinable
    public func union(_ other: NodeSet) -> NodeSet { NodeSet(bits: bits | other.bits) }

    /// The servers that are in both sets.
    @inlinable
    public func intersection(_ other: NodeSet) -> NodeSet { NodeSet(bits: bits & other.bits) }

    /// The servers of this set that are not in `other`.
    @inlinable
    public func subtracting(_ other: NodeSet) -> NodeSet { NodeSet(bits: bits & ~other.bits) }

    /// This set with `node`.
    @inlinable
    public func with(_ node: NodeID) -> NodeSet { NodeSet(bits: bits | 1 << UInt64(node.rawValue)) }

    /// This set without `node`.
    @inlinable
    public func without(_ node: NodeID) -> NodeSet { NodeSet(bits: bits & ~(1 << UInt64(node.rawValue))) }

    /// Walks the members in ascending order.
    @inlinable
    public func makeIterator() -> Iterator { Iterator(bits: bits) }

    /// A walk through a set in ascending order.
    public struct Iterator: IteratorProtocol {
        @usableFromInline var bits: UInt64

        @inlinable
        init(bits: UInt64) { self.bits = bits }

        /// The next member.
        @inlinable
        public mutating func next() -> NodeID? {
            guard bits != 0 else { return nil }
            let number = bits.trailingZeroBitCount
            bits &= bits - 1
            return NodeID(number)
        }
    }

    /// `n1,n2,n3`.
    public var description: String { map(\.description).joined(separator: ",") }
}

extension NodeSet: Codable {
    /// A set is written as the ascending list of its members.
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode([NodeID].self))
    }

    /// A set is written as the ascending list of its members.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Array(self))
    }
}

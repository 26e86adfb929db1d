/// The name of a server, shown as `n1`, `n2`, ….
///
/// A cluster has few servers, so that a set of them fits one machine word (``NodeSet``).
public struct NodeID: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The numbers a server may have.
    public static let range: ClosedRange<UInt8> = 1...63

    /// The server's number, within ``range``.
    public let rawValue: UInt8

    /// A name from a number that came from outside: `nil` where no server can have it.
    public init?(rawValue: UInt8) {
        guard NodeID.range.contains(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// A name from a number that the programmer vouches for.
    @inlinable
    public init(_ number: Int) {
        precondition(number >= 1 && number <= 63, "a server's number is 1 to 63, not \(number)")
        self.rawValue = UInt8(truncatingIfNeeded: number)
    }

    /// Servers are ordered by number.
    @inlinable
    public static func < (left: NodeID, right: NodeID) -> Bool { left.rawValue < right.rawValue }

    /// `n3`.
    public var description: String { "n\(rawValue)" }
}

/// A term: Raft's logical clock, numbered with consecutive integers (paper §5.1). Term 0 is before the first election.
public struct Term: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The term before any election.
    public static let zero = Term(0)

    /// The number of the term.
    public let rawValue: UInt64

    /// The term of this number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The term of this number.
    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The term that a candidate starts.
    @inlinable
    public var next: Term { Term(rawValue + 1) }

    /// Terms are ordered by number.
    @inlinable
    public static func < (left: Term, right: Term) -> Bool { left.rawValue < right.rawValue }

    /// `7`.
    public var description: String { "\(rawValue)" }
}

/// A place in the log. The first entry has index 1; index 0 is the empty log's end (paper Figure 2).
public struct LogIndex: RawRepresentable, Hashable, Comparable, Strideable, Sendable, Codable, CustomStringConvertible {
    /// The place before the first entry.
    public static let zero = LogIndex(0)

    /// The number of the place.
    public let rawValue: UInt64

    /// The place of this number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The place of this number.
    @inlinable
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The place after this one.
    @inlinable
    public var next: LogIndex { LogIndex(rawValue + 1) }

    /// The place before this one; the place before the first is ``zero``, and so is the one before that.
    @inlinable
    public var previous: LogIndex { LogIndex(rawValue == 0 ? 0 : rawValue - 1) }

    /// Places are ordered by number.
    @inlinable
    public static func < (left: LogIndex, right: LogIndex) -> Bool { left.rawValue < right.rawValue }

    /// How many places on `other` is.
    @inlinable
    public func distance(to other: LogIndex) -> Int { Int(Int64(bitPattern: other.rawValue &- rawValue)) }

    /// The place `count` on.
    @inlinable
    public func advanced(by count: Int) -> LogIndex { LogIndex(rawValue &+ UInt64(bitPattern: Int64(count))) }

    /// `42`.
    public var description: String { "\(rawValue)" }
}

/// Which life of a server's disk this is. A server whose disk was wiped comes back with another one, and has
/// forgotten what it promised under the first (``Rule/rememberIdentity``).
public struct Incarnation: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The first life.
    public static let first = Incarnation(1)
    /// The life of a new member that was not heard yet.
    public static let unknown = Incarnation(0)

    /// The number of the life, from 1.
    public let rawValue: UInt32

    /// The life of this number.
    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The life of this number.
    @inlinable
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The life after this one.
    public var next: Incarnation { Incarnation(rawValue + 1) }

    /// Lives are ordered by number.
    @inlinable
    public static func < (left: Incarnation, right: Incarnation) -> Bool { left.rawValue < right.rawValue }

    /// `2`.
    public var description: String { "\(rawValue)" }
}

/// The place of an entry and the term it was created in. Two logs are compared by the positions of their last
/// entries: the later term is newer, and in one term the longer log is (paper §5.4.1).
public struct LogPosition: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The end of the empty log.
    public static let zero = LogPosition(term: .zero, index: .zero)

    /// The term of the entry.
    public var term: Term
    /// The place of the entry.
    public var index: LogIndex

    /// The position of the entry at `index`, created in `term`.
    @inlinable
    public init(term: Term, index: LogIndex) {
        self.term = term
        self.index = index
    }

    /// Positions are compared by term, then by index.
    @inlinable
    public static func < (left: LogPosition, right: LogPosition) -> Bool {
        left.term != right.term ? left.term < right.term : left.index < right.index
    }

    /// `(7, 12)`: term 7, index 12.
    public var description: String { "(\(term), \(index))" }
}

/// A length of cluster time, in whole nanoseconds.
///
/// The standard library's `Duration` counts attoseconds in 128 bits; a node adds and compares times in every step, so
/// the core keeps its own in one machine word.
public struct Interval: Hashable, Comparable, Sendable, Codable, AdditiveArithmetic {
    /// No time at all.
    public static let zero = Interval(nanoseconds: 0)

    /// The length in nanoseconds.
    public var nanoseconds: Int64

    /// A length of `nanoseconds`.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// A length of `count` microseconds.
    public static func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000) }

    /// A length of `count` milliseconds.
    public static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000) }

    /// A length of `count` seconds.
    public static func seconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000_000) }

    /// The length in seconds.
    public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// The shorter is the lesser.
    @inlinable
    public static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    /// One after the other.
    @inlinable
    public static func + (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds + right.nanoseconds)
    }

    /// What is left of one without the other.
    @inlinable
    public static func - (left: Interval, right: Interval) -> Interval {
        Interval(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
}

/// A moment of cluster time: nanoseconds since the cluster's clock started.
///
/// Cluster time runs at a rate that the cluster's owner sets: 1 is real time, 0 is frozen.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    /// The moment at which the clock started.
    public static let zero = Instant(nanoseconds: 0)

    /// Nanoseconds since the clock started.
    public var nanoseconds: Int64

    /// The moment `nanoseconds` after the clock started.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The earlier is the lesser.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The moment `length` later.
    @inlinable
    public static func + (moment: Instant, length: Interval) -> Instant {
        Instant(nanoseconds: moment.nanoseconds + length.nanoseconds)
    }

    /// The moment `length` earlier.
    @inlinable
    public static func - (moment: Instant, length: Interval) -> Instant {
        Instant(nanoseconds: moment.nanoseconds - length.nanoseconds)
    }

    /// The time from `earlier` to `later`.
    @inlinable
    public static func - (later: Instant, earlier: Instant) -> Interval {
        Interval(nanoseconds: later.nanoseconds - earlier.nanoseconds)
    }

    /// A moment is written as its nanoseconds.
    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// A moment is written as its nanoseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

extension Interval {
    /// A length is written as its nanoseconds.
    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    /// A length is written as its nanoseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

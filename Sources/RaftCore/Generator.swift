/// A seeded source of random numbers (SplitMix64; Steele, Lea and Flood, OOPSLA 2014): the same seed gives the same
/// numbers in every process, and a copy of it goes on from where the original stood.
public struct Generator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The generator of this seed.
    public init(seed: UInt64) { state = seed }

    /// A generator whose numbers have nothing to do with those of another `stream` of the same seed.
    public init(seed: UInt64, stream: UInt64) {
        var root = Generator(seed: seed)
        state = root.next() ^ (stream &* 0xd134_2543_de82_ef95)
        state = next()
    }

    /// The next 64 random bits.
    @inlinable
    public mutating func next() -> UInt64 { advance() }

    @usableFromInline
    mutating func advance() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, `bound`, which is at least 1. Multiplying and keeping the high half
    /// is even enough here (its bias is below `bound / 2^64`) and takes the same one draw every time.
    public mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

    /// A length of time within `range`, both ends included.
    public mutating func interval(in range: ClosedRange<Interval>) -> Interval {
        let spread = UInt64(range.upperBound.nanoseconds - range.lowerBound.nanoseconds)
        return Interval(nanoseconds: range.lowerBound.nanoseconds + Int64(below(spread + 1)))
    }

    /// True with a chance of `probability`, from 0 (never) to 1 (always).
    public mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }
}

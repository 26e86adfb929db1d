/// Small numbers for large ones, as they come. The oldest are forgotten when there are many.
struct SmallNumbers: Sendable {
    private var known: [UInt64: UInt64] = [:]
    private var last: UInt64 = 0

    /// How many are remembered.
    static let max = 65_536

    /// A number that stands for nothing else.
    mutating func draw() -> UInt64 {
        last += 1
        return last
    }

    /// The small number of a large one.
    mutating func number(of large: UInt64) -> UInt64 {
        if let small = known[large] { return small }
        if known.count >= SmallNumbers.max {
            let oldest = last - UInt64(SmallNumbers.max / 2)
            known = known.filter { $0.value > oldest }
        }
        let small = draw()
        known[large] = small
        return small
    }

    /// Forgets the numbers that a node's process has drawn: a fresh one draws the same again.
    mutating func forget(of node: UInt8) { known = known.filter { $0.key >> 48 != UInt64(node) } }
}

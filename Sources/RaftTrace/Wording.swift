import RaftCore

// How numbers are put into sentences.

extension Int {
    /// So many of something: `1 entry`, `2 entries`.
    package func of(_ one: String, _ many: String) -> String { "\(self) \(self == 1 ? one : many)" }
}

extension Interval {
    /// A length of time, or a range of them: `50 ms`, `0.5 ms`, `150…300 ms`.
    static func text(of shortest: Interval, _ longest: Interval) -> String {
        let range = shortest == longest ? [shortest] : [shortest, longest]
        // Of long times, fractions of a millisecond matter to nobody.
        let numbers = range.map { length in
            let milliseconds = Double(length.nanoseconds) / 1_000_000
            return RateText.plain(
                milliseconds < 10 ? (milliseconds * 1_000).rounded() / 1_000 : milliseconds.rounded())
        }
        return numbers.joined(separator: "…") + " ms"
    }
}

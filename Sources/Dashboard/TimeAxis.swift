import RaftCore

/// Cluster time laid out on so many columns.
struct TimeAxis {
    private let first: Instant
    private let length: Int64
    private let columns: Int

    /// The time from `first` to `last` on so many columns.
    init(from first: Instant, to last: Instant, columns: Int) {
        self.first = first
        length = max(1, (last - first).nanoseconds)
        self.columns = columns
    }

    /// The column of a moment; one that lies outside stands at the nearer end.
    func column(of moment: Instant) -> Int {
        let share = Double((moment - first).nanoseconds) / Double(length)
        return min(columns - 1, max(0, Int(share * Double(columns))))
    }

    /// The moment at which the next column begins.
    func end(of column: Int) -> Instant {
        first + Interval(nanoseconds: Int64(Double(length) * Double(column + 1) / Double(columns)))
    }
}

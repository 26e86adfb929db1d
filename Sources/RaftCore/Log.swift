/// A server's log in memory: every entry from index 1 (paper §5.3, Figure 6).
///
/// Invariant: terms never decrease along the log.
public struct Log: Hashable, Sendable {
    /// The entries; the one of index `i` is `entries[i - 1]`.
    private var entries: [Entry] = []

    /// An empty log, or one that holds `entries` from index 1.
    public init(_ entries: [Entry] = []) { self.entries = entries }

    /// The index of the last entry; zero for an empty log.
    public var lastIndex: LogIndex { LogIndex(UInt64(entries.count)) }

    /// The position of the last entry: what two logs are compared by (paper §5.4.1).
    public var last: LogPosition { LogPosition(term: entries.last?.term ?? .zero, index: lastIndex) }

    /// The term of the entry at `index`; zero for index 0, `nil` beyond the end.
    public func term(at index: LogIndex) -> Term? {
        if index == .zero { return .zero }
        guard index <= lastIndex else { return nil }
        return entries[Int(index.rawValue) - 1].term
    }

    /// The entry at `index`, which the log must hold.
    public subscript(index: LogIndex) -> Entry {
        precondition(index > .zero && index <= lastIndex, "index \(index) is not within 1…\(lastIndex)")
        return entries[Int(index.rawValue) - 1]
    }

    /// Whether the log holds an entry at `position`; every log holds the position before its first entry.
    public func contains(_ position: LogPosition) -> Bool { term(at: position.index) == position.term }

    /// The entries from `first` on: at least one where there is one, then as many as fit both `maxCount` and
    /// `maxWeight` (see ``Payload/weight``).
    public func entries(from first: LogIndex, maxCount: Int = .max, maxWeight: Int = .max) -> [Entry] {
        precondition(first > .zero, "entries start at index 1")
        guard first <= lastIndex else { return [] }
        let start = Int(first.rawValue) - 1
        var end = start
        var weight = 0
        while end < entries.count, end - start < maxCount {
            weight += entries[end].payload.weight
            if weight > maxWeight, end > start { break }
            end += 1
        }
        return Array(entries[start..<end])
    }

    /// Adds `entry` at the end.
    mutating func append(_ entry: Entry) { entries.append(entry) }

    /// Adds `more` at the end.
    mutating func append(contentsOf more: ArraySlice<Entry>) { entries.append(contentsOf: more) }

    /// Removes the entry at `index` and all that follow it.
    mutating func truncate(from index: LogIndex) {
        precondition(index > .zero, "the log can't be truncated from index 0")
        guard index <= lastIndex else { return }
        entries.removeSubrange((Int(index.rawValue) - 1)...)
    }

    /// Puts `entry` in the place of the one at `index`. No Raft server does this; it stands for the mistake that
    /// ``Rule/truncateWholeTail`` forbids.
    mutating func overwrite(at index: LogIndex, with entry: Entry) { entries[Int(index.rawValue) - 1] = entry }

    /// The last index, at most `index`, whose entry is of a term no later than `term`: where two logs that differ at
    /// `index` can agree at the latest. Both sides of a repair use it, so that one message mends a whole term
    /// (paper §5.3, the optimisation after Figure 7).
    func lastIndex(upTo index: LogIndex, withTermAtMost term: Term) -> LogIndex {
        var candidate = Swift.min(index, lastIndex)
        while candidate > .zero, entries[Int(candidate.rawValue) - 1].term > term { candidate = candidate.previous }
        return candidate
    }
}

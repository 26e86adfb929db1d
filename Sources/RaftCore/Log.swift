/// A server's log in memory: every entry since its beginning, or since the place up to which a snapshot stands for it
/// (paper §5.3, Figure 6; §7, Figure 12).
///
/// Invariant: terms never decrease along the log.
public struct Log: Hashable, Sendable {
    /// The position of the entry before the first one that is kept: what came up to it is in a snapshot.
    public private(set) var base: LogPosition
    /// The entries; the one of index `i` is `entries[i - base.index - 1]`.
    private var entries: [Entry]

    /// An empty log, or one that holds `entries` after `base`.
    public init(_ entries: [Entry] = [], after base: LogPosition = .zero) {
        self.entries = entries
        self.base = base
    }

    /// The index of the first entry that is kept, or would be.
    public var firstIndex: LogIndex { base.index.next }

    /// The index of the last entry; zero for an empty log.
    public var lastIndex: LogIndex { base.index.advanced(by: entries.count) }

    /// The position of the last entry: what two logs are compared by (paper §5.4.1).
    public var last: LogPosition { entries.last.map { LogPosition(term: $0.term, index: lastIndex) } ?? base }

    /// How many entries are kept.
    public var count: Int { entries.count }

    /// The term of the entry at `index`; zero for index 0, `nil` beyond the end and before ``base``.
    public func term(at index: LogIndex) -> Term? {
        if index == base.index { return base.term }
        guard index > base.index, index <= lastIndex else { return nil }
        return entries[place(of: index)].term
    }

    /// The entry at `index`, which the log must hold.
    public subscript(index: LogIndex) -> Entry {
        precondition(
            index > base.index && index <= lastIndex, "index \(index) is not within \(firstIndex)…\(lastIndex)")
        return entries[place(of: index)]
    }

    private func place(of index: LogIndex) -> Int { Int(index.rawValue - base.index.rawValue) - 1 }

    /// Whether the log holds an entry at `position`; every log holds the position before its first entry.
    public func contains(_ position: LogPosition) -> Bool { term(at: position.index) == position.term }

    /// The entries from `first` on: at least one where there is one, then as many as fit both `maxCount` and
    /// `maxWeight` (see ``Payload/weight``).
    public func entries(from first: LogIndex, maxCount: Int = .max, maxWeight: Int = .max) -> [Entry] {
        precondition(first > base.index, "entries are kept from \(firstIndex), not from \(first)")
        guard first <= lastIndex else { return [] }
        let start = place(of: first)
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
        precondition(index > base.index, "the log begins after \(base.index) and can't be truncated from \(index)")
        guard index <= lastIndex else { return }
        entries.removeSubrange(place(of: index)...)
    }

    /// Forgets the entries up to `index`, which a snapshot stands for from now on (paper §7).
    ///
    /// - Returns: The entries as they were, for whoever wants to give their memory back little by little: that takes time.
    @discardableResult
    mutating func compact(to index: LogIndex) -> [Entry] {
        guard index > base.index, let term = term(at: index) else { return [] }
        let before = entries
        entries = Array(before[(place(of: index) + 1)...])
        base = LogPosition(term: term, index: index)
        return before
    }

    /// Puts `entry` in the place of the one at `index`. No Raft server does this; it stands for the mistake that
    /// ``Rule/truncateWholeTail`` forbids.
    mutating func overwrite(at index: LogIndex, with entry: Entry) { entries[place(of: index)] = entry }

    /// The last index, at most `index`, whose entry is of a term no later than `term`: where two logs that differ at
    /// `index` can agree at the latest. Both sides of a repair use it, so that one message mends a whole term
    /// (paper §5.3, the optimisation after Figure 7). Before ``base`` nothing is known, and anything may agree.
    func lastIndex(upTo index: LogIndex, withTermAtMost term: Term) -> LogIndex {
        var candidate = Swift.min(index, lastIndex)
        while candidate > .zero, let own = self.term(at: candidate), own > term { candidate = candidate.previous }
        return candidate
    }
}

import RaftCore
import RaftTrace

/// The terms of a log's entries, as runs: a log of a million entries has few terms.
struct TermLog: Sendable {
    /// The position after which it is known: a snapshot stands for what came up to it.
    private(set) var base: LogPosition
    /// The term of each run, and the index of its last entry.
    private var runs: [(term: Term, end: UInt64)] = []

    init(_ runs: [TermRun] = [], after base: LogPosition = .zero) {
        self.base = base
        for run in runs where run.count > 0 { self.runs.append((run.term, count + UInt64(run.count))) }
    }

    /// The index of the last entry.
    var count: UInt64 { runs.last?.end ?? base.index.rawValue }

    /// Whether a snapshot stands for the entry at `index`, so that nothing is known of it by itself.
    func hasForgotten(_ index: LogIndex) -> Bool { index < base.index }

    /// The term of the entry at `index`; zero for index 0, `nil` beyond the end and where it is forgotten.
    func term(at index: LogIndex) -> Term? {
        if index == base.index { return base.term }
        guard index > base.index else { return nil }
        // What is asked for is mostly near the end.
        guard let last = runs.last, index.rawValue <= last.end else { return nil }
        var (low, high) = (0, runs.count - 1)
        if high == 0 || runs[high - 1].end < index.rawValue { return last.term }
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].end < index.rawValue { low = middle + 1 } else { high = middle }
        }
        return runs[low].term
    }

    /// Adds an entry at the end.
    mutating func append(_ term: Term) {
        if runs.last?.term == term { runs[runs.count - 1].end += 1 } else { runs.append((term, count + 1)) }
    }

    /// Takes away the entry at `index` and all that follow.
    mutating func truncate(from index: LogIndex) {
        while let last = runs.last, last.end >= index.rawValue {
            runs.removeLast()
            if count + 1 < index.rawValue { runs.append((last.term, index.rawValue - 1)) }
        }
    }

    /// Puts an entry of `term` in the place of the one at `index`, and leaves those that follow. No Raft server does so.
    mutating func overwrite(at index: LogIndex, with term: Term) {
        let tail = (index.rawValue + 1..<max(index.rawValue + 1, count + 1)).compactMap { self.term(at: LogIndex($0)) }
        truncate(from: index)
        append(term)
        for term in tail { append(term) }
    }
}

/// The latest of a row of things that are numbered from 1. Older ones are forgotten.
struct Window<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    /// How many were forgotten.
    private var forgotten = 0
    private let size: Int

    init(size: Int) { self.size = size }

    /// How many there were in all.
    var count: Int { forgotten + elements.count }

    /// The one of this number; `nil` where it isn't known, or not any more.
    subscript(index: LogIndex) -> Element? {
        let place = Int(index.rawValue) - 1 - forgotten
        return elements.indices.contains(place) ? elements[place] : nil
    }

    /// Whether the one of this number was there once, and is forgotten.
    func hasForgotten(_ index: LogIndex) -> Bool { index.rawValue <= UInt64(forgotten) }

    /// The indices of those that are known.
    var known: ClosedRange<UInt64>? {
        elements.isEmpty ? nil : UInt64(forgotten) + 1...UInt64(count)
    }

    /// Goes on after `index`; what lies between was never seen, and counts as forgotten where it is much.
    mutating func skip(to index: LogIndex, with filler: Element) {
        let missing = Int(index.rawValue) - count
        guard missing <= size else {
            elements = []
            forgotten = Int(index.rawValue)
            return
        }
        for _ in 0..<Swift.max(0, missing) { append(filler) }
    }

    mutating func append(_ element: Element) {
        elements.append(element)
        // Forgetting takes time, and is done for many at once.
        guard elements.count >= 2 * size else { return }
        elements.removeFirst(size)
        forgotten += size
    }
}

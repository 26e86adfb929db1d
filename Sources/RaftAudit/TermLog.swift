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

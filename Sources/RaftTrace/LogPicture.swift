import RaftCore

/// What is known of a log: the terms of all entries, and what the latest of them hold.
public struct LogPicture: Hashable, Sendable {
    /// The position after which the log begins: a snapshot stands for what came up to it.
    public private(set) var base = LogPosition.zero
    /// The terms of the entries after ``base``, as runs.
    public private(set) var runs: [TermRun] = []
    /// The index of the last entry.
    public private(set) var last = LogIndex.zero
    /// What the entries from ``firstKnown`` on hold.
    private var known: [Entry?] = []
    private var firstKnown = LogIndex(1)

    /// How many entries are known by what they hold.
    private static let knownMax = 512

    /// An empty log.
    init() {}

    /// A log of which the terms are known, and what another picture of it knows of entries of the same terms.
    init(runs: [TermRun], after base: LogPosition, knowing other: LogPicture) {
        self.runs = runs
        self.base = base
        last = base.index.advanced(by: runs.reduce(0) { $0 + $1.count })
        firstKnown = last.next
        guard last > base.index else { return }
        let latest = LogIndex(last.rawValue - min(last.rawValue, UInt64(LogPicture.knownMax)) + 1)
        let first = max(other.firstKnown, latest, base.index.next)
        guard first <= last else { return }
        firstKnown = first
        known = (first.rawValue...last.rawValue).map { raw in
            guard let entry = other.entry(at: LogIndex(raw)), entry.term == term(at: LogIndex(raw)) else { return nil }
            return entry
        }
    }

    /// The term of the entry at `index`; `nil` where there is none.
    public func term(at index: LogIndex) -> Term? {
        guard index > base.index, index <= last else { return nil }
        var end = last.rawValue
        for run in runs.reversed() {
            if index.rawValue > end - UInt64(run.count) { return run.term }
            end -= UInt64(run.count)
        }
        return nil
    }

    /// The entry at `index`, where it is known what it holds.
    public func entry(at index: LogIndex) -> Entry? {
        guard index >= firstKnown, index <= last else { return nil }
        return known[firstKnown.distance(to: index)]
    }

    /// The terms of all entries, in order.
    public var terms: [Term] { runs.flatMap { repeatElement($0.term, count: $0.count) } }

    mutating func append(_ entries: [Entry], from first: LogIndex) {
        truncate(from: first)
        // Entries before `first` that were never told are unknown; the next whole state tells them.
        guard first == last.next else { return }
        for entry in entries {
            if runs.last?.term == entry.term {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(TermRun(term: entry.term, count: 1))
            }
            known.append(entry)
        }
        last = last.advanced(by: entries.count)
        if known.count > 2 * LogPicture.knownMax {
            let excess = known.count - LogPicture.knownMax
            known.removeFirst(excess)
            firstKnown = firstKnown.advanced(by: excess)
        }
    }

    mutating func truncate(from index: LogIndex) {
        guard index <= last, index > base.index else { return }
        var excess = index.distance(to: last) + 1
        known.removeLast(min(excess, known.count))
        last = index.previous
        firstKnown = min(firstKnown, last.next)
        while excess > 0, let run = runs.last {
            let taken = min(run.count, excess)
            excess -= taken
            if taken == run.count { runs.removeLast() } else { runs[runs.count - 1].count -= taken }
        }
    }

    /// Whether another log ends at the same place, with entries of the same terms as far as both are kept.
    public func matches(_ other: LogPicture) -> Bool {
        guard last == other.last else { return false }
        var (one, another) = (self, other)
        one.forget(upTo: other.base)
        another.forget(upTo: base)
        return one.runs == another.runs
    }

    /// A snapshot stands for everything up to `base` from now on.
    mutating func forget(upTo base: LogPosition) {
        guard base.index > self.base.index, base.index <= last else { return }
        var excess = self.base.index.distance(to: base.index)
        while excess > 0, let run = runs.first {
            let taken = min(run.count, excess)
            excess -= taken
            if taken == run.count { runs.removeFirst() } else { runs[0].count -= taken }
        }
        if firstKnown <= base.index {
            known.removeFirst(min(known.count, firstKnown.distance(to: base.index) + 1))
            firstKnown = base.index.next
        }
        self.base = base
    }
}

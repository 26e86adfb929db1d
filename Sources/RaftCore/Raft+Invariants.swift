// What is always true of a server, whatever happens around it.

extension Raft {
    /// Looks for a broken invariant. Tests and simulations call it after every step; it takes time in proportion to
    /// the log.
    ///
    /// - Returns: The first invariant that doesn't hold, with the numbers; `nil` where all do.
    public func checkInvariants() -> Violation? {
        if commitIndex > log.lastIndex { return .commitBeyondLog(commit: commitIndex, last: log.lastIndex) }
        if durableIndex > log.lastIndex {
            return .invariant("the log is on disk up to \(durableIndex), but ends at \(log.lastIndex)")
        }
        if log.last.term > currentTerm {
            return .invariant("the log ends in term \(log.last.term), but the current term is \(currentTerm)")
        }
        if let snapshot, snapshot.last.index > commitIndex || log.base.index > snapshot.last.index {
            let order = "log's base \(log.base) ≤ snapshot \(snapshot.last) ≤ commit index \(commitIndex)"
            return .invariant("\(order) doesn't hold")
        }
        if snapshot == nil, log.base != .zero { return .invariant("no snapshot stands for the log up to \(log.base)") }
        return disorderInLog() ?? disorderInLeadership()
    }

    /// Terms never decrease along the log (paper §5.3).
    private func disorderInLog() -> Violation? {
        var term = log.base.term
        var index = log.firstIndex
        while let next = log.term(at: index) {
            if next < term { return .invariant("entry \(index) is of term \(next), after one of term \(term)") }
            term = next
            index = index.next
        }
        return nil
    }

    private func disorderInLeadership() -> Violation? {
        guard case .leader(let leadership) = role else { return nil }
        if votedFor != id, keeps(.voteOncePerTerm), keeps(.stepDownOnLaterTerm) {
            return .invariant("\(id) leads term \(currentTerm) but didn't vote for itself")
        }
        for progress in leadership.peers {
            if progress.match >= progress.next || progress.next > log.lastIndex.next {
                let order = "match \(progress.match) < next \(progress.next) ≤ \(log.lastIndex.next)"
                return .invariant("for \(progress.peer), \(order) doesn't hold")
            }
            if progress.inflightBytes != progress.inflight.reduce(0, { $0 + $1.bytes }) {
                return .invariant("the window of \(progress.peer) miscounts its bytes")
            }
        }
        return nil
    }
}

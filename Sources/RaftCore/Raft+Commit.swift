// Commitment (paper §5.3, §5.4.2).

extension Raft {
    /// Commits what a majority of the voters has on disk, if it is of the leader's own term (paper §5.4.2): an entry of
    /// an earlier term could still be replaced (Figure 8), and is committed together with the next one of this term.
    mutating func maybeCommit() {
        guard case .leader(let leadership) = role else { return }
        let rule = keeps(.majorityCommits) ? Configuration.majority(of:) : Raft.half(of:)
        let index = decidingConfiguration.index(reachedBy: rule) { storedIndex(of: $0, leadership) }
        guard index > commitIndex, let term = log.term(at: index) else { return }
        let stored = configuration.voters.count { storedIndex(of: $0, leadership) >= index }
        guard term == currentTerm || !keeps(.commitOnlyOwnTerm) else {
            guard leadership.heldBack < index else { return }
            leadershipIfLeading?.heldBack = index
            let voters = configuration.voters.count
            return observe(.heldBack(HeldBack(index: index, entryTerm: term, stored: stored, voters: voters)))
        }
        commit(to: index, stored: stored)
        startEarlyReads()
        advanceMembership()
    }

    /// How far a voter's log is on its disk, as far as the leader knows; the leader counts itself by the same measure
    /// (thesis §10.2.1).
    private func storedIndex(of voter: NodeID, _ leadership: Leadership) -> LogIndex {
        if voter == id {
            guard isCounted(id, incarnation) else { return .zero }
            return keeps(.persistBeforeReply) ? durableIndex : log.lastIndex
        }
        guard let place = leadership.index(of: voter) else { return .zero }
        let progress = leadership.peers[place]
        return isCounted(voter, progress.incarnation) ? progress.match : .zero
    }

    /// A follower commits what its leader has, as far as this message proves its log to match the leader's (paper
    /// Figure 2, AppendEntries 5).
    mutating func advanceCommit(to leaderCommit: LogIndex, proven: LogIndex) {
        let index = min(leaderCommit, keeps(.commitOnlyProven) ? proven : log.lastIndex)
        guard index > commitIndex else { return }
        commit(to: index, stored: nil)
    }

    private mutating func commit(to index: LogIndex, stored: Int?) {
        guard index <= log.lastIndex else { return halt(.commitBeyondLog(commit: index, last: log.lastIndex)) }
        let from = commitIndex
        commitIndex = index
        observe(.committed(Committed(from: from, to: index, stored: stored, voters: configuration.voters.count)))
    }
}

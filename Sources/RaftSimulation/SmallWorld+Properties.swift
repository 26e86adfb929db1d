import RaftAudit
import RaftCore

// What must hold in a small world. What needs the past is with ``Past``.

extension SmallWorld {
    /// What a step adds to the past.
    func addition(by move: Move, before: Raft, after: Raft, _ messages: [Message]) -> Past.Addition {
        var addition = Past.Addition(node: after.id, term: after.currentTerm)
        addition.isCommand = move.kind == .command
        addition.isCrash = move.kind == .crash
        addition.isSnapshot = move.kind == .snapshot
        addition.isChange = move.kind == .change && before.log != after.log
        addition.votes = messages.compactMap(\.vote)
        let isLeader = after.role.name == .leader
        if isLeader, before.role.name != .leader || before.currentTerm != after.currentTerm {
            addition.electedWith = before.log
        }
        if move.kind != .crash, after.commitIndex > before.commitIndex, after.commitIndex <= after.log.lastIndex {
            // What a leader's snapshot stands for is known by its last entry alone.
            if after.log.base.index > before.commitIndex, after.log.base != before.log.base {
                addition.installed = after.log.base
            }
            let first = max(before.commitIndex.next, after.log.firstIndex)
            let count = first.previous.distance(to: after.commitIndex)
            addition.commits = (first, after.log.entries(from: first, maxCount: count))
        }
        return addition
    }

    /// What a server breaks in a step of its own.
    func broken(by move: Move, before: Raft, after: Raft) -> Broken? {
        let node = after.id
        if let violation = after.violation { return Broken(violation.property, "\(node) halts: \(violation)") }
        guard move.kind != .crash else { return nil }
        if after.currentTerm < before.currentTerm {
            return Broken(.monotone, "\(node) went from term \(before.currentTerm) to \(after.currentTerm)")
        }
        if after.commitIndex < before.commitIndex {
            return Broken(.monotone, "\(node)'s commit index goes from \(before.commitIndex) to \(after.commitIndex)")
        }
        if before.role.name == .leader, after.role.name == .leader, let index = firstDifference(before.log, after.log) {
            return Broken(
                .leaderAppendOnly, "\(node) leads in term \(after.currentTerm) and takes away entry \(index)")
        }
        guard settings.rules == .all, let violation = after.checkInvariants() else { return nil }
        return Broken(violation.property, "\(node): \(violation)")
    }

    /// The first index at which `after` doesn't hold what `before` does.
    private func firstDifference(_ before: Log, _ after: Log) -> LogIndex? {
        var index = max(before.firstIndex, after.firstIndex)
        while index <= before.lastIndex {
            if index > after.lastIndex || before[index] != after[index] { return index }
            index = index.next
        }
        return nil
    }

    /// If two logs hold an entry of the same index and term, they are the same up to it (paper §5.3, Figure 3).
    func brokenLogMatching(in state: State, changedAt place: Int) -> Broken? {
        let one = servers[state.servers[place]].raft
        for (otherPlace, number) in state.servers.enumerated() where otherPlace != place {
            let other = servers[number].raft
            guard let (index, difference) = mismatch(one.log, other.log) else { continue }
            let term = one.log[index].term
            return Broken(
                .logMatching,
                "\(one.id) and \(other.id) both have an entry \(index) of term \(term), but their logs differ at \(difference)"
            )
        }
        return nil
    }

    /// An index at which both logs have an entry of one term, and one up to it at which they differ.
    private func mismatch(_ one: Log, _ other: Log) -> (index: LogIndex, difference: LogIndex)? {
        var index = max(one.firstIndex, other.firstIndex)
        var difference: LogIndex?
        while index <= min(one.lastIndex, other.lastIndex) {
            if difference == nil, one[index] != other[index] { difference = index }
            if let difference, one[index].term == other[index].term { return (index, difference) }
            index = index.next
        }
        return nil
    }
}

extension Message {
    /// The vote that the message tells: a candidate's for itself, or one that is given to another.
    fileprivate var vote: (term: Term, candidate: NodeID)? {
        switch body {
        case .voteRequest(let request) where request.poll == .vote: (term, from)
        case .voteResponse(let response) where response.poll == .vote && response.isGranted: (term, to)
        case .voteRequest, .voteResponse, .append, .appendResponse, .timeoutNow, .snapshot, .snapshotResponse,
            .readIndexRequest, .readIndexResponse:
            nil
        }
    }
}

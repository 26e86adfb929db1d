// The follower's side of log replication (paper §5.3, Figure 2: AppendEntries).

extension Raft {
    /// Takes a leader's entries, or refuses them.
    mutating func receive(_ append: Append, from message: Message) {
        guard follow(message), let append = withoutForgotten(append) else { return }
        let leader = message.from
        guard isMatched(append.previous) else { return refuse(append, from: leader, isEarlierTerm: false) }
        guard store(append) else { return }
        let proven = append.previous.index.advanced(by: append.entries.count)
        advanceCommit(to: append.commit, proven: proven)
        acknowledge(append, proven: proven, to: leader)
    }

    /// Acknowledges the leader of this term (paper §5.2). Answers whether there is only one.
    mutating func follow(_ message: Message) -> Bool {
        let leader = message.from
        switch role {
        case .leader:
            halt(.twoLeaders(term: currentTerm, one: id, other: leader))
            return false
        case .candidate, .preCandidate:
            becomeFollower(leader: leader, .leaderHeard, peer: leader)
        case .follower(var following):
            if following.leader == nil {
                following.leader = leader
                role = .follower(following)
                observe(.roleChanged(RoleChange(role: .follower, reason: .leaderHeard, peer: leader)))
            } else if let known = following.leader, known != leader, message.term == currentTerm {
                halt(.twoLeaders(term: currentTerm, one: known, other: leader))
                return false
            }
        }
        timers.leaderHeard = now
        restartElectionTimer()
        return true
    }

    /// The entries without those that this log has forgotten: they are committed, so that the leader's are the same (paper
    /// §7). Halts where the one that is remembered by its term is another.
    private mutating func withoutForgotten(_ append: Append) -> Append? {
        let base = log.base
        guard append.previous.index < base.index else { return append }
        let count = append.previous.index.distance(to: base.index)
        if append.entries.count >= count, append.entries[count - 1].term != base.term {
            let other = append.entries[count - 1].term
            halt(.committedEntryReplaced(index: base.index, own: base.term, other: other, commit: commitIndex))
            return nil
        }
        var append = append
        append.previous = base
        append.entries.removeFirst(min(count, append.entries.count))
        return append
    }

    /// Whether this log holds the entry that the leader's follow (paper §5.3, the consistency check).
    private func isMatched(_ previous: LogPosition) -> Bool {
        keeps(.logMatching) ? log.contains(previous) : previous.index <= log.lastIndex
    }

    /// Tells the leader what to try instead: the latest place where the logs can agree.
    mutating func refuse(_ append: Append, from leader: NodeID, isEarlierTerm: Bool) {
        let previous = append.previous
        let index = log.lastIndex(upTo: previous.index, withTermAtMost: previous.term)
        let hint = LogPosition(term: log.term(at: index) ?? .zero, index: index)
        observe(
            .appendRefused(
                AppendRefused(
                    leader: leader, previous: previous, own: log.term(at: previous.index), hint: hint,
                    isEarlierTerm: isEarlierTerm)))
        var round = ReadRound.zero
        if !isEarlierTerm, case .follower(let following) = role { round = following.round }
        promise(
            .appendResponse(AppendResponse(outcome: .refused(previous: previous.index, hint: hint), round: round)),
            to: leader)
    }

    /// Puts the leader's entries into the log. Where one conflicts, it goes with all that follow it; where all are
    /// there already, nothing changes, for the message may be a late one (paper §5.3, Figure 2: AppendEntries 3, 4).
    /// Answers whether no committed entry was to be replaced.
    private mutating func store(_ append: Append) -> Bool {
        var index = append.previous.index.next
        if !keeps(.truncateOnlyOnConflict), index <= log.lastIndex {
            guard truncate(from: index, wanted: append.entries.first?.term) else { return false }
        }
        for (place, entry) in append.entries.enumerated() {
            if let own = log.term(at: index) {
                if own != entry.term {
                    guard replace(at: index, with: entry) else { return false }
                }
            }
            if index > log.lastIndex {
                let rest = append.entries[place...]
                durability.change(from: index)
                log.append(contentsOf: rest)
                tail = Tail(first: index, entries: place == 0 ? append.entries : Array(rest))
                if output.isObserved { observe(.appended(Appended(first: index, entries: Array(rest)))) }
                noteConfigurations(in: rest, from: index)
                break
            }
            index = index.next
        }
        return true
    }

    /// Makes room for `entry`, with which the entry at `index` conflicts.
    private mutating func replace(at index: LogIndex, with entry: Entry) -> Bool {
        guard keeps(.truncateWholeTail) else {
            durability.change(from: index)
            log.overwrite(at: index, with: entry)
            forgetConfigurations(from: index)
            return true
        }
        return truncate(from: index, wanted: entry.term)
    }

    /// Removes the entries from `index` on; halts where one of them is committed (paper §5.4, Leader Completeness).
    private mutating func truncate(from index: LogIndex, wanted: Term?) -> Bool {
        let had = log.term(at: index) ?? .zero
        guard index > commitIndex else {
            halt(.committedEntryReplaced(index: index, own: had, other: wanted ?? .zero, commit: commitIndex))
            return false
        }
        observe(.truncated(Truncated(first: index, last: log.lastIndex, had: had, wanted: wanted)))
        durability.change(from: index)
        tail = Tail()
        log.truncate(from: index)
        forgetConfigurations(from: index)
        return true
    }

    /// Tells the leader how far this log is on disk. What is still on its way there is told later
    /// (``acknowledgeDurable()``); a heartbeat and a new round of read confirmation are answered at once.
    private mutating func acknowledge(_ append: Append, proven: LogIndex, to leader: NodeID) {
        guard case .follower(var following) = role else { return }
        let isNewRound = append.round > following.round
        following.round = max(following.round, append.round)
        following.verified = max(following.verified, proven)
        role = .follower(following)
        let match = promisedIndex(following)
        if append.entries.isEmpty || isNewRound || match >= proven { sendAcknowledgement(of: match, to: leader) }
    }

    /// Tells the leader how far this log matches its own, as far as that is on disk.
    mutating func acknowledgeVerified(to leader: NodeID) {
        guard case .follower(let following) = role else { return }
        sendAcknowledgement(of: promisedIndex(following), to: leader)
    }

    /// More of the log is on disk: the leader is told, where that is news to it.
    mutating func acknowledgeDurable() {
        guard case .follower(let following) = role, let leader = following.leader else { return }
        let match = promisedIndex(following)
        if match > following.acknowledged { sendAcknowledgement(of: match, to: leader) }
    }

    /// How far this log both matches the leader's and is on disk.
    private func promisedIndex(_ following: Following) -> LogIndex {
        keeps(.persistBeforeReply) ? min(following.verified, durableIndex) : following.verified
    }

    private mutating func sendAcknowledgement(of match: LogIndex, to leader: NodeID) {
        guard case .follower(var following) = role else { return }
        following.acknowledged = max(following.acknowledged, match)
        role = .follower(following)
        promise(
            .appendResponse(AppendResponse(outcome: .accepted(match: match), round: following.round)), to: leader)
    }
}

import RaftCore

// What happens in a server's part of Raft, in sentences.

extension Observation {
    func explanation(on node: NodeID, term: Term) -> Explanation {
        switch self {
        case .termChanged(let change):
            guard let peer = change.peer else {
                return Explanation([node], "starts term \(change.to)", "§5.2")
            }
            return Explanation(
                [node, peer], "goes from term \(change.from) to \(change.to), heard from \(peer)", "§5.1")
        case .roleChanged(let change): return change.explanation(on: node, term: term)
        case .voteCast(let cast): return cast.explanation(on: node, term: term)
        case .voteCounted(let counted): return counted.explanation(on: node)
        case .timerSet(let timer):
            return Explanation(
                [node], "sets its election timer to \(Interval.text(of: timer.timeout, timer.timeout))", "§5.2",
                .background)
        case .appended(let appended): return appended.explanation(on: node)
        case .truncated(let truncated): return truncated.explanation(on: node)
        case .appendRefused(let refused): return refused.explanation(on: node, term: term)
        case .progressed(let progressed): return progressed.explanation(on: node)
        case .committed(let committed): return committed.explanation(on: node)
        case .heldBack(let held):
            return Explanation(
                [node],
                "doesn't commit \(held.index), stored on \(held.stored) of \(held.voters): its term \(held.entryTerm) is not the leader's term \(term)",
                "§5.4.2", .important)
        case .persisted(let persisted):
            let what =
                persisted.index == .zero
                ? "has term and vote on disk, and no entries yet" : "has entries up to \(persisted.index) on disk"
            return Explanation([node], what, "Figure 2", .background)
        case .readRound(let step): return step.explanation(on: node)
        case .transfer(let step): return step.explanation(on: node)
        case .configured(let configured): return configured.explanation(on: node)
        case .changeRefused(let refused): return refused.explanation(on: node)
        case .compacted(let compacted): return compacted.explanation(on: node)
        case .snapshotReceived(let received): return received.explanation(on: node)
        case .snapshotInstalled(let installed): return installed.explanation(on: node)
        case .lease(let step):
            guard step.until != nil else {
                return Explanation(
                    [node], "has no lease any more: it asks before it answers reads", "thesis §6.4.1")
            }
            let length = Interval.text(of: step.length, step.length)
            return Explanation(
                [node], "has a lease for \(length) from when it asked a majority", "thesis §6.4.1", .background)
        case .halted(let violation): return Explanation([node], "halts: \(violation)", nil, .alarming)
        }
    }
}

extension RoleChange {
    fileprivate func explanation(on node: NodeID, term: Term) -> Explanation {
        let tally = votes.map { " with \($0.of("vote", "votes")), \(needed ?? 0) needed" } ?? ""
        let who = peer?.description ?? "another"
        switch (role, reason) {
        case (.precandidate, _):
            return Explanation([node], "hears no leader: asks whether it could win", "thesis §9.6", .important)
        case (.candidate, .told):
            return Explanation([node], "campaigns for term \(term), as told", "thesis §3.10", .important)
        case (.candidate, .preVoteWon):
            return Explanation([node], "could win: campaigns for term \(term)", "§5.2", .important)
        case (.candidate, _):
            return Explanation([node], "hears no leader: campaigns for term \(term)", "§5.2", .important)
        case (.leader, _): return Explanation([node], "leads term \(term)\(tally)", "§5.2", .important)
        case (.follower, .laterTerm):
            return Explanation(
                [node, peer ?? node], "steps down: \(who) has the later term \(term)", "§5.1", .important)
        case (.follower, .leaderHeard):
            return Explanation([node, peer ?? node], "follows \(who), the leader of term \(term)", "§5.2")
        case (.follower, .removed):
            return Explanation(
                [node], "steps down: it is no member any more, and that is committed", "thesis §4.2.2", .important)
        case (.follower, .majorityLost):
            return Explanation(
                [node], "steps down: it has heard no majority for an election timeout", "thesis §6.2", .important)
        case (.follower, .electionLost):
            return Explanation([node], "can't win any more, for too many have refused: it waits", "§5.2")
        case (.follower, _): return Explanation([node, peer ?? node], "follows: it votes for \(who)", "§5.2")
        }
    }
}

extension VoteCast {
    fileprivate func explanation(on node: NodeID, term: Term) -> Explanation {
        guard let reason else {
            let what = isPreVote ? "would vote for" : "votes for"
            // Without the rule a vote may go to an older log.
            let comparison = own > last ? "is older than" : "is no older than"
            return Explanation(
                [node, candidate],
                "\(what) \(candidate) in term \(forTerm): log \(last) \(comparison) its own \(own)",
                isPreVote ? "thesis §9.6" : "§5.2")
        }
        let refusal = isPreVote ? "wouldn't give \(candidate) its vote" : "refuses \(candidate) its vote"
        let (why, section) = explanation(of: reason, on: node, term: term)
        return Explanation([node, candidate], "\(refusal) for term \(forTerm): \(why)", section)
    }

    private func explanation(of reason: Refusal, on node: NodeID, term: Term) -> (String, String) {
        switch reason {
        case .alreadyVoted:
            (votedFor == node ? "it voted for itself" : "it voted for \(votedFor?.description ?? "another")", "§5.2")
        case .newerLog: ("its own log ends at \(own), newer than \(last)", "§5.4.1")
        case .leaderAlive where leader == node: ("it is the leader", "thesis §4.2.3")
        case .leaderAlive where leader == nil: ("it has promised a leader not to vote yet", "thesis §6.4.1")
        case .leaderAlive: ("it hears from its leader\(leader.map { " \($0)" } ?? "")", "thesis §4.2.3")
        case .earlierTerm: ("it is in term \(term) already", "§5.1")
        case .notAVoter: ("its disk was wiped, and with it what it promised", "thesis §3.8")
        case .justStarted: ("it has just started, and may have promised a leader not to vote", "thesis §6.4.1")
        case .notAMember: ("\(candidate)'s disk was wiped: it is not the server that was a member", "thesis §3.8")
        }
    }
}

extension VoteCounted {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let what =
            voter == node ? "votes for itself" : "hears \(isGranted ? "yes" : "no") from \(voter)"
        let kind = isPreVote ? "yes" : needed == 1 ? "vote" : "votes"
        let share = votes >= needed && needed == 1 ? "the 1" : "\(votes) of the \(needed)"
        return Explanation(
            voter == node ? [node] : [node, voter], "\(what): has \(share) \(kind) it needs",
            isPreVote ? "thesis §9.6" : "§5.2")
    }
}

// MARK: - Logs

extension Appended {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        guard let entry = entries.first, let last = entries.last else {
            return Explanation([node], "appends nothing", nil, .background)
        }
        guard entries.count > 1 else {
            return Explanation([node], "appends \(first): \(entry.summary), term \(entry.term)", "§5.3")
        }
        let terms = entry.term == last.term ? "of term \(entry.term)" : "of terms \(entry.term) to \(last.term)"
        return Explanation([node], "appends \(first)…\(first.advanced(by: entries.count - 1)) \(terms)", "§5.3")
    }
}

extension Truncated {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let wanted = wanted.map { ": the leader's \(first) is of term \($0)" } ?? ""
        let what =
            first == last
            ? "removes \(first) of term \(had)" : "removes \(first)…\(last), the first of them of term \(had)"
        return Explanation([node], what + wanted, "§5.3", .important)
    }
}

extension AppendRefused {
    fileprivate func explanation(on node: NodeID, term: Term) -> Explanation {
        if isEarlierTerm {
            return Explanation(
                [node, leader], "refuses \(leader)'s entries: their term is past, for it is in term \(term)", "§5.1",
                .important)
        }
        let has = own.map { "its own entry \(previous.index) is of term \($0)" } ?? "it has no entry \(previous.index)"
        let advice = hint == .zero ? "send all from 1 on" : "try after \(hint)"
        return Explanation(
            [node, leader], "refuses \(leader)'s entries after \(previous): \(has); \(advice)", "§5.3", .important)
    }
}

extension Progressed {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        if let transfer = installing {
            return Explanation(
                [node, peer],
                "sends \(peer) its snapshot up to \(transfer.last.index), for entry \(next) is forgotten: \(transfer.received) of \(transfer.size) bytes have arrived",
                "§7")
        }
        let what = isProbing ? "looks for the place where \(peer)'s log agrees" : "knows \(peer)'s log"
        return Explanation([node, peer], "\(what): match \(match), next \(next)", "§5.3", .background)
    }
}

extension Committed {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        guard let stored else {
            return Explanation([node], "commits up to \(to), as its leader has", "§5.3", .background)
        }
        return Explanation([node], "commits up to \(to), stored on \(stored) of \(voters)", "§5.3")
    }
}

// MARK: - Reads and transfers

extension ReadRoundStep {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let share = "\(confirmedBy.count) of \(voters)"
        let what =
            if isConfirmed {
                "is confirmed as leader by \(share): \(reads.of("read goes", "reads go")) on"
            } else if let peer {
                "hears from \(peer) that it still leads: \(share)"
            } else {
                "asks whether it still leads, for \(reads.of("read", "reads"))"
            }
        return Explanation([node] + (peer.map { [$0] } ?? []), "\(what), round \(round.rawValue)", "thesis §6.4")
    }
}

extension TransferStep {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let sentence =
            switch stage {
            case .began: "hands over to \(target): it takes no commands until \(target) has the whole log and leads"
            case .told: "tells \(target), which has the whole log, to campaign now"
            case .givenUp: "serves again: \(target) has not taken over within an election timeout"
            }
        return Explanation([node, target], sentence, "thesis §3.10", .important)
    }
}

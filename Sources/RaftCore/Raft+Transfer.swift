// Leadership transfer (thesis §3.10).

extension Raft {
    /// Hands leadership over to `target`, where this server leads: from now on it takes no commands, brings the target's
    /// log up to its own, and then tells it to campaign. After the shortest election timeout it gives up and serves again.
    mutating func transferLeadership(to target: NodeID) {
        guard case .leader(let leadership) = role, leadership.transfer == nil, configuration.voters.contains(target),
            let place = leadership.index(of: target), isCounted(target, leadership.peers[place].incarnation)
        else { return }
        leadershipIfLeading?.transfer = Transfer(target: target)
        timers.transfer = now + settings.timing.electionTimeout.lowerBound
        observe(.transfer(TransferStep(target: target, stage: .began)))
    }

    /// Tells the target to campaign once it holds the whole log: then it can win at once.
    mutating func continueTransfer() {
        guard case .leader(let leadership) = role, let transfer = leadership.transfer, !transfer.isTold,
            let place = leadership.index(of: transfer.target), leadership.peers[place].match == log.lastIndex
        else { return }
        leadershipIfLeading?.transfer?.isTold = true
        giveUpLease()
        send(.timeoutNow, to: transfer.target)
        observe(.transfer(TransferStep(target: transfer.target, stage: .told)))
    }

    /// The target has not taken over in time: this server goes on leading, and with a change of the members that waited
    /// for that. Should the target still campaign, it may win; that is as safe as any election.
    mutating func giveUpTransfer() {
        guard case .leader(let leadership) = role, let transfer = leadership.transfer else { return }
        leadershipIfLeading?.transfer = nil
        observe(.transfer(TransferStep(target: transfer.target, stage: .givenUp)))
        advanceMembership()
    }

    /// When a transfer is given up; `nil` where there is none.
    var transferDeadline: Instant? {
        guard case .leader(let leadership) = role, leadership.transfer != nil else { return nil }
        return timers.transfer
    }
}

/// A transfer of leadership that is going on.
struct Transfer: Hashable, Sendable {
    /// The server that is to lead.
    var target: NodeID
    /// Whether it was told to campaign.
    var isTold = false
}

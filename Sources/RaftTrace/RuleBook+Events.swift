import RaftCore

// Which rule an event shows at work.

extension Event {
    /// The rule that this event shows at work, and on which server; `nil` where it shows none.
    ///
    /// Three rules work unseen, for nothing is told where they hold something back: that reads wait for an entry of the
    /// leader's own term, that entries after a snapshot stay, and that a client is answered for its own entry alone.
    public var firedRule: (line: RuleLine, node: NodeID)? {
        switch kind {
        case .node(let node, _, let event): event.firedRule.map { ($0, node) }
        case .sent(let sent) where sent.copyOf == nil: sent.message.firedRule.map { ($0, sent.message.from) }
        default: nil
        }
    }
}

extension NodeEvent {
    fileprivate var firedRule: RuleLine? {
        switch self {
        case .raft(let observation): observation.firedRule
        case .started(let started): started.incarnation == .first ? .persist : .identity
        case .applied(let applied): applied.isDuplicate ? .exactlyOnce : .apply
        case .snapshot(let step): step.stage == .restored ? .snapshotSessions : .takeSnapshot
        case .stopped, .paused, .resumed, .timerHeld, .timerFreed, .disk, .failed, .hungUp, .state: nil
        }
    }
}

extension Observation {
    fileprivate var firedRule: RuleLine? {
        switch self {
        case .termChanged(let change): change.peer == nil ? .campaign : .laterTerm
        case .roleChanged(let change): change.firedRule
        case .voteCast(let cast): cast.firedRule
        case .voteCounted(let counted): counted.isPreVote ? .preVote : .majorityElects
        case .truncated(let truncated): truncated.last > truncated.first ? .truncateTail : .truncateOnConflict
        case .appendRefused(let refused): refused.isEarlierTerm ? .earlierTerm : .logMatching
        case .progressed(let progressed): progressed.firedRule
        case .committed(let committed): committed.stored == nil ? .commitProven : .majorityCommits
        case .heldBack: .commitOwnTerm
        case .persisted: .persist
        case .readRound: .readMajority
        case .configured(let configured): configured.members.isJoint ? .joint : .membersInLog
        case .changeRefused(let refused): refused.firedRule
        case .compacted: .takeSnapshot
        case .snapshotReceived, .snapshotInstalled: .sendSnapshot
        case .transfer: .transfer
        case .lease: .lease
        case .timerSet, .appended, .halted: nil
        }
    }
}

extension RoleChange {
    fileprivate var firedRule: RuleLine {
        switch reason {
        case .electionTimeout: .electionTimeout
        case .told: .transfer
        case .preVoteWon: .campaign
        case .electionWon, .electionLost: .majorityElects
        case .laterTerm: .laterTerm
        case .leaderHeard: .heartbeat
        case .votedForAnother: .voteOnce
        case .majorityLost: .checkQuorum
        case .removed: .membersInLog
        }
    }
}

extension VoteCast {
    fileprivate var firedRule: RuleLine {
        switch reason {
        case nil: isPreVote ? .preVote : .voteOnce
        case .alreadyVoted: .voteOnce
        case .newerLog: .electionRestriction
        case .leaderAlive, .justStarted: .leaderAlive
        case .earlierTerm: .earlierTerm
        case .notAVoter, .notAMember: .identity
        }
    }
}

extension Progressed {
    fileprivate var firedRule: RuleLine {
        if installing != nil { return .sendSnapshot }
        return isProbing ? .probe : .replicate
    }
}

extension ChangeRefused {
    fileprivate var firedRule: RuleLine? {
        switch reason {
        case .termNotCommitted: .changeAfterCommit
        case .changeOpen: .oneChange
        case .transferOpen: .transfer
        case .notLeader, .lastVoter, .noMajority, .nothingToChange: nil
        }
    }
}

extension Message {
    fileprivate var firedRule: RuleLine? {
        switch body {
        case .voteRequest(let request): request.poll == .preVote ? .preVote : .campaign
        case .append(let append): append.entries.isEmpty ? .heartbeat : .replicate
        case .timeoutNow: .transfer
        case .snapshot: .sendSnapshot
        case .readIndexRequest, .readIndexResponse: .readMajority
        // What an answer says was told when it was decided.
        case .voteResponse, .appendResponse, .snapshotResponse: nil
        }
    }
}

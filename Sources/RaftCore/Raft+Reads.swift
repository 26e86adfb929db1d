import DequeModule

// Linearizable reads without a log entry: ReadIndex (paper §8, thesis §6.4).

extension Raft {
    /// Reads at this leader: notes the commit index, asks a majority whether this server still leads, and lets the
    /// state machine answer once it has applied that index.
    mutating func read(_ id: ReadID) {
        guard case .leader = role else {
            output.reads.append(.refused(id, leader: leader))
            return
        }
        if hasCommittedOwnTerm || !keeps(.readIndexNeedsOwnTermCommit) {
            start([id])
        } else {
            leadershipIfLeading?.reads.early.append(id)
        }
    }

    /// An entry of the leader's own term is committed: reads that came too early start now.
    mutating func startEarlyReads() {
        guard let early = leadershipIfLeading?.reads.early, !early.isEmpty, hasCommittedOwnTerm else { return }
        leadershipIfLeading?.reads.early = []
        start(early)
    }

    /// Whether the leader knows how far the log was committed when it was elected: only once an entry of its own term
    /// is (paper §8).
    private var hasCommittedOwnTerm: Bool { log.term(at: commitIndex) == currentTerm }

    /// Lets `ids` wait for a round that begins after now. Those that come while one is open share the next.
    private mutating func start(_ ids: [ReadID]) {
        guard keeps(.readIndexNeedsMajority), !isOnlyVoter else {
            for id in ids { output.reads.append(.ready(id, index: commitIndex)) }
            return
        }
        guard let reads = leadershipIfLeading?.reads else { return }
        for id in ids {
            let read = PendingReads.Pending(id: id, index: commitIndex, round: reads.round.next)
            leadershipIfLeading?.reads.pending.append(read)
        }
        if !reads.isRoundOpen { sendHeartbeats() }
    }

    /// Begins the round that reads wait for; the messages that carry it follow.
    mutating func beginReadRoundIfWanted() {
        guard let reads = leadershipIfLeading?.reads, reads.wantsRound else { return }
        leadershipIfLeading?.reads.round = reads.round.next
        observe(
            .readRound(ReadRoundStep(round: reads.round.next, isConfirmed: false, reads: reads.pending.count)))
    }

    /// A follower answered `round`: what a majority confirmed is ready. An answer that is late or comes twice says no
    /// more than it did, for rounds only grow and end with the term.
    mutating func confirmReads(upTo round: ReadRound, at place: Int) {
        guard var leadership = leadershipIfLeading, round > leadership.peers[place].round else { return }
        leadershipIfLeading?.peers[place].round = round
        leadership.peers[place].round = round
        guard leadership.reads.isRoundOpen else { return }
        var released = 0
        while let oldest = leadershipIfLeading?.reads.pending.first,
            configuration.isMajority(confirming(oldest.round, leadership))
        {
            leadershipIfLeading?.reads.pending.removeFirst()
            output.reads.append(.ready(oldest.id, index: oldest.index))
            released += 1
        }
        guard released > 0 else { return }
        observe(.readRound(ReadRoundStep(round: round, isConfirmed: true, reads: released)))
        if leadershipIfLeading?.reads.wantsRound == true { sendHeartbeats() }
    }

    /// The voters that have answered `round`, the leader among them.
    private func confirming(_ round: ReadRound, _ leadership: Leadership) -> NodeSet {
        var nodes = isCounted(id, incarnation) ? NodeSet([id]) : NodeSet()
        for progress in leadership.peers where progress.round >= round && isCounted(progress.peer, progress.incarnation)
        {
            nodes.insert(progress.peer)
        }
        return nodes
    }

    /// A leader that steps down answers none of the reads that wait.
    mutating func refuseReads(of leadership: Leadership, leader: NodeID?) {
        for id in leadership.reads.early { output.reads.append(.refused(id, leader: leader)) }
        for read in leadership.reads.pending { output.reads.append(.refused(read.id, leader: leader)) }
    }
}

import DequeModule

// Linearizable reads without a log entry: ReadIndex (paper §8, thesis §6.4).

extension Raft {
    /// Reads: a leader notes the commit index, asks a majority whether it still leads, and lets the state machine answer
    /// once it has applied that index. A follower has its leader do so.
    mutating func read(_ id: ReadID) {
        guard case .leader(let leadership) = role else { return forward(id) }
        let waiting = leadership.reads.pending.count + leadership.reads.early.count
        guard waiting < settings.limits.pendingReadsMax else { return output.reads.append(.overloaded(id)) }
        read(.client(id))
    }

    /// Reads at this leader.
    mutating func read(_ reader: PendingReads.Reader) {
        if hasCommittedOwnTerm || !keeps(.readIndexNeedsOwnTermCommit) {
            start([reader])
        } else {
            leadershipIfLeading?.reads.early.append(reader)
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
    var hasCommittedOwnTerm: Bool { log.term(at: commitIndex) == currentTerm }

    /// Lets `readers` wait for a round that begins after now. Those that come while one is open share the next.
    private mutating func start(_ readers: [PendingReads.Reader]) {
        guard keeps(.readIndexNeedsMajority), !isOnlyVoter else {
            for reader in readers { answer(reader, index: commitIndex) }
            return
        }
        guard let reads = leadershipIfLeading?.reads else { return }
        for reader in readers {
            let read = PendingReads.Pending(reader: reader, index: commitIndex, round: reads.round.next)
            leadershipIfLeading?.reads.pending.append(read)
        }
        if !reads.isRoundOpen { sendHeartbeats() }
    }

    /// Begins a round where reads or the lease want one; the messages that carry it follow.
    mutating func beginRoundIfWanted() {
        guard let reads = leadershipIfLeading?.reads else { return }
        let isForLease = wantedLease > .zero
        if !isForLease { tellLeaseIsOver() }
        guard reads.wantsRound || isForLease else { return }
        let round = reads.round.next
        leadershipIfLeading?.reads.round = round
        if isForLease { noteBegun(round) }
        if reads.wantsRound { observeRound(round, reads: reads.pending.count, heardFrom: nil) }
    }

    /// A follower answered `round`: what a majority confirmed is ready. An answer that is late or comes twice says no
    /// more than it did, for rounds only grow and end with the term.
    mutating func confirmRounds(upTo round: ReadRound, at place: Int) {
        guard let peers = leadershipIfLeading?.peers, round > peers[place].round else { return }
        leadershipIfLeading?.peers[place].round = round
        extendLease()
        guard let oldest = leadershipIfLeading?.reads.pending.first else { return }
        let peer = peers[place].peer
        if !answerConfirmedReads(heardFrom: peer), round >= oldest.round,
            let reads = leadershipIfLeading?.reads, reads.isRoundOpen
        {
            observeRound(oldest.round, reads: reads.pending.count, heardFrom: peer)
        }
    }

    /// Answers the reads whose round a majority has confirmed: because `peer` has answered, or because the voters have
    /// changed. Answers whether there are any.
    @discardableResult
    mutating func answerConfirmedReads(heardFrom peer: NodeID?) -> Bool {
        guard let leadership = leadershipIfLeading, leadership.reads.isRoundOpen else { return false }
        var confirmed: ReadRound?
        var released = 0
        while let oldest = leadershipIfLeading?.reads.pending.first,
            isMajority(confirming(oldest.round, leadership))
        {
            leadershipIfLeading?.reads.pending.removeFirst()
            answer(oldest.reader, index: oldest.index)
            confirmed = oldest.round
            released += 1
        }
        guard let confirmed else { return false }
        observeRound(confirmed, reads: released, heardFrom: peer)
        if leadershipIfLeading?.reads.wantsRound == true { sendHeartbeats() }
        return true
    }

    /// The voters that have answered `round`, the leader among them.
    func confirming(_ round: ReadRound, _ leadership: Leadership) -> NodeSet {
        var nodes = isCounted(id, incarnation) ? NodeSet([id]) : NodeSet()
        for progress in leadership.peers where progress.round >= round && isCounted(progress.peer, progress.incarnation)
        {
            nodes.insert(progress.peer)
        }
        return nodes
    }

    /// Tells how far the confirmation of a round is.
    private mutating func observeRound(_ round: ReadRound, reads: Int, heardFrom peer: NodeID?) {
        guard output.isObserved, case .leader(let leadership) = role else { return }
        let voters = configuration.electorate
        let nodes = voters.intersection(confirming(round, leadership))
        observe(
            .readRound(
                ReadRoundStep(
                    round: round, isConfirmed: isMajority(nodes), reads: reads, peer: peer,
                    confirmedBy: Array(nodes), voters: voters.count)))
    }

    /// The leader has confirmed a read: its own client is answered, or the follower that asked for its clients.
    private mutating func answer(_ reader: PendingReads.Reader, index: LogIndex) {
        switch reader {
        case .client(let id): output.reads.append(.ready(id, index: index))
        case .follower(let peer, let context):
            promise(.readIndexResponse(ReadIndexResponse(context: context, index: index)), to: peer)
        }
    }

    /// A read can't be confirmed here.
    mutating func refuse(_ reader: PendingReads.Reader, leader: NodeID?) {
        switch reader {
        case .client(let id): output.reads.append(.refused(id, leader: leader))
        case .follower(let peer, let context):
            promise(.readIndexResponse(ReadIndexResponse(context: context, index: nil)), to: peer)
        }
    }

    /// A leader that steps down answers none of the reads that wait.
    mutating func refuseReads(of leadership: Leadership, leader: NodeID?) {
        for reader in leadership.reads.early { refuse(reader, leader: leader) }
        for read in leadership.reads.pending { refuse(read.reader, leader: leader) }
    }
}

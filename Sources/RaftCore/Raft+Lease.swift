import DequeModule

// Lease reads (thesis §6.4.1).
//
// Every heartbeat begins a round and asks whoever gets it to give its vote to nobody for the shortest election timeout.
// When a majority has answered a round, no other server can be elected before those promises end, and until shortly
// before that, by its own clock, the leader answers reads without asking again.
//
// That nobody is elected meanwhile rests on this: a candidate needs the vote of one that has promised, and
// - a promise outlives the voter's role and term, and holds against itself, too (``Raft/boundUntil``);
// - one that has forgotten it in a crash waits as long after its start;
// - a leader that tells another to campaign, which is let pass, has no lease any more in its term. The candidate it told
//   is of the next term, so that it can pass no promise to a later leader.

// MARK: - The leader

extension Raft {
    /// How long followers are to give nobody their vote; zero where that is not asked of them.
    var wantedLease: Interval {
        guard settings.options.lease, isVoter, case .leader(let leadership) = role, !leadership.lease.isGivenUp else {
            return .zero
        }
        return settings.timing.electionTimeout.lowerBound
    }

    /// When this leader's lease ends; `nil` where it has none, and for others.
    ///
    /// It is counted anew each time, with the voters that there are now.
    var leaseEnd: Instant? {
        guard wantedLease > .zero, case .leader(let leadership) = role else { return nil }
        let confirmed = leadership.lease.begun.last { isMajority(confirming($0.round, leadership)) }
        return confirmed.map { $0.at + settings.timing.lease }
    }

    /// Answers a read at once while the lease holds, and otherwise as every other: when a round is confirmed.
    mutating func leaseRead(_ id: ReadID) {
        guard case .leader = role, settings.options.lease, hasCommittedOwnTerm || !keeps(.readIndexNeedsOwnTermCommit),
            isLeaseHeld || !keeps(.leaseExpires)
        else { return read(id) }
        output.reads.append(.ready(id, index: commitIndex))
    }

    private var isLeaseHeld: Bool { leaseEnd.map { now < $0 } ?? false }

    /// Notes when `round` began, so that its confirmation extends the lease.
    mutating func noteBegun(_ round: ReadRound) {
        guard var lease = leadershipIfLeading?.lease else { return }
        while let oldest = lease.begun.first, oldest.at + settings.timing.lease <= now { lease.begun.removeFirst() }
        // Where too many are open, those that come later do without: the older ones are confirmed, or end.
        if lease.begun.count < Lease.begunMax { lease.begun.append(Lease.Begun(round: round, at: now)) }
        leadershipIfLeading?.lease = lease
        if let told = lease.told, told <= now { tellLeaseIsOver() }
    }

    /// A round may have been confirmed: what is older says nothing more.
    mutating func extendLease() {
        guard case .leader(let leadership) = role, !leadership.lease.begun.isEmpty, wantedLease > .zero else { return }
        let latest = leadership.lease.begun.lastIndex { isMajority(confirming($0.round, leadership)) }
        guard let latest else { return }
        leadershipIfLeading?.lease.begun.removeFirst(latest)
        let end = leadership.lease.begun[latest].at + settings.timing.lease
        // Half a heartbeat more is worth telling; less, where reads come in quick succession, is not.
        let half = Interval(nanoseconds: settings.timing.heartbeat.nanoseconds / 2)
        guard end > now, leadership.lease.told.map({ end >= $0 + half }) ?? true else { return }
        leadershipIfLeading?.lease.told = end
        observe(.lease(LeaseStep(until: end, length: settings.timing.lease)))
    }

    /// Whoever is told to campaign is let pass by every promise. However late it does so, this leader has no lease then:
    /// it takes none any more in its term.
    mutating func giveUpLease() {
        leadershipIfLeading?.lease.begun = []
        leadershipIfLeading?.lease.isGivenUp = true
        tellLeaseIsOver()
    }

    /// The option or the timeout changes: the answers to rounds that have begun promised something else.
    mutating func forgetRounds() { leadershipIfLeading?.lease.begun = [] }

    /// Tells that there is no lease any more, if it was told that there is one.
    mutating func tellLeaseIsOver() {
        guard leadershipIfLeading?.lease.told != nil else { return }
        leadershipIfLeading?.lease.told = nil
        observe(.lease(LeaseStep(until: nil, length: settings.timing.lease)))
    }
}

/// What a leader's lease rests on.
struct Lease: Hashable, Sendable {
    /// A round, and when it began.
    struct Begun: Hashable, Sendable {
        var round: ReadRound
        var at: Instant
    }

    /// The latest round that is confirmed, if one is, and those that began after it.
    var begun = Deque<Begun>()
    /// Whether the leader takes no lease any more in its term.
    var isGivenUp = false
    /// The end of the lease, as it was told.
    var told: Instant?

    /// How many rounds are remembered.
    static let begunMax = 64
}

// MARK: - The voter

extension Raft {
    /// Promises a leader of this term to vote for nobody for so long.
    mutating func bindVote(for length: Interval) {
        guard length > .zero else { return }
        timers.bound = max(timers.bound, now + length)
    }

    /// A server that has just started may have forgotten a promise. Having found out that there are leases it waits for
    /// as long as one can last, whatever is switched meanwhile.
    mutating func bindVoteAfterStart() {
        guard settings.options.lease else { return }
        timers.startBound = max(timers.startBound, timers.started + settings.timing.electionTimeout.lowerBound)
    }

    /// Until when this server gives its vote to nobody, itself included; `nil` where it is free.
    ///
    /// A lone voter has promised nothing to anybody.
    var boundUntil: Instant? {
        guard !isOnlyVoter else { return nil }
        let end = max(timers.bound, timers.startBound)
        return end > now ? end : nil
    }

    /// Why a vote is refused for the sake of a lease; `nil` where it isn't. A leader's own lease is one, too.
    var refusalForLease: VoteCast.Refusal? {
        if isLeaseHeld { return .leaderAlive }
        guard boundUntil != nil else { return nil }
        return timers.bound > now ? .leaderAlive : .justStarted
    }
}

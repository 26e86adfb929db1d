import Testing

@testable import RaftCore

/// Thesis §6.4.1: reads by a leader's lease.
struct LeaseTests {
    static let timeout = Settings().timing.electionTimeout.lowerBound
    static let lease = Settings().timing.lease

    /// Servers with leases, and with nothing else that keeps voters from voting. n1 leads, and has a lease that began
    /// just now.
    private func bench(_ count: Int = 3, _ change: (inout Settings) -> Void = { _ in }) -> Workbench {
        var bench = unled(count, change)
        bench.advance(Self.timeout)
        bench.elect(n1)
        beat(&bench)
        return bench
    }

    private func unled(_ count: Int = 3, _ change: (inout Settings) -> Void = { _ in }) -> Workbench {
        Workbench(
            count,
            settings: Settings {
                $0.options.lease = true
                $0.options.preVote = false
                $0.options.checkQuorum = false
                change(&$0)
            })
    }

    /// n1's next heartbeat, which everybody answers at once.
    private func beat(_ bench: inout Workbench) {
        bench.dropWire()
        while bench.wire.isEmpty { bench.reachDeadline(of: n1) }
        bench.deliver()
        bench.clearReads()
    }

    /// Whether `node` answers a lease read without asking anybody.
    private func answersAtOnce(_ bench: Workbench, _ node: NodeID = n1) -> Bool {
        var bench = bench
        bench.clearReads()
        bench.step(.leaseRead(7), on: node)
        return bench.reads == [.ready(7, index: bench[node].commitIndex)]
    }

    /// Whether `voter` votes for `candidate`, which was told to campaign by hand.
    private func votes(
        _ bench: Workbench, _ voter: NodeID = n2, for candidate: NodeID = n3, in term: Term = Term(2),
        isHandedOver: Bool = false
    ) -> Bool {
        var bench = bench
        bench.dropWire()
        let request = VoteRequest(
            poll: .vote, last: LogPosition(term: Term(9), index: LogIndex(9)), isTold: true, isHandedOver: isHandedOver)
        bench.inject(.voteRequest(request), from: candidate, to: voter, term: term)
        return bench.wire.contains { $0.voteResponse?.isGranted == true }
    }

    // MARK: - The leader

    @Test("a leader that a majority has confirmed answers a lease read at once, and asks nobody")
    func atOnce() {
        var bench = bench()
        bench.step(.leaseRead(7), on: n1)
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
        #expect(bench.wire.isEmpty)
    }

    @Test("without a lease the read waits for a round, like every other")
    func withoutLease() {
        var bench = unled()
        bench.advance(Self.timeout)
        bench.elect(n1)
        bench.step(.leaseRead(7), on: n1)
        #expect(bench.reads.isEmpty)
        bench.deliver()
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
    }

    @Test("a leader whose own vote doesn't count, for it lost its disk, takes no lease")
    func wipedLeader() {
        var bench = bench {
            $0.options.noop = false
            $0.rules = .all(without: .rememberIdentity, .readIndexNeedsOwnTermCommit)
        }
        bench.wipe(n1)
        bench.start(n1, incarnation: Incarnation.first.next)
        bench.advance(Self.timeout)
        bench.elect(n1)
        beat(&bench)
        #expect(answersAtOnce(bench))
        bench.adopt { $0.rules[.rememberIdentity] = true }
        beat(&bench)
        #expect(bench[n1].role.name == .leader)
        #expect(!answersAtOnce(bench))
    }

    @Test("where leases are off the read waits for a round, and heartbeats begin none")
    func off() {
        var bench = bench { $0.options.lease = false }
        #expect(!answersAtOnce(bench))
        #expect(!answersAtOnce(self.bench { ($0.options.lease, $0.rules) = (false, .all(without: .leaseExpires)) }))
        bench.reachDeadline(of: n1)
        #expect(bench.wire.allSatisfy { $0.append?.round == .zero && $0.append?.lease == .zero })
    }

    @Test("the lease lasts from the moment the round began, however late its answers come, and is over to the moment")
    func length() {
        var bench = bench()
        bench.reachDeadline(of: n1)
        let began = bench.now
        bench.advance(.milliseconds(30))
        bench.deliver()
        bench.now = began + Self.lease - Interval(nanoseconds: 1)
        #expect(answersAtOnce(bench))
        bench.now = began + Self.lease
        #expect(!answersAtOnce(bench))
        bench.advance(.seconds(5))
        #expect(!answersAtOnce(bench), "a server that was paused sees it by its clock")
    }

    @Test("with the leader's clock as slow and a voter's as fast as they may be, the lease ends before the promise")
    func drift() {
        let drift = Double(Timing.driftMax) / 100
        let lease = Self.lease.seconds / (1 - drift)
        let promise = Self.timeout.seconds / (1 + drift)
        #expect(lease <= promise)
        #expect(promise - lease < 1e-8, "and it is no shorter than it has to be")
    }

    @Test("an answer to an earlier round extends the lease only from when that round began")
    func earlierRound() {
        var bench = bench()
        bench.reachDeadline(of: n1)
        let began = bench.now
        let first = bench.takeWire()
        for _ in 1...2 {
            bench.reachDeadline(of: n1)
            bench.dropWire()
        }
        bench.restoreWire(first)
        bench.deliver()
        #expect(answersAtOnce(bench))
        bench.now = began + Self.lease
        #expect(!answersAtOnce(bench))
    }

    @Test("one answer of four, or that of a server which lost its disk, is no majority")
    func minority() {
        var five = bench(5)
        five.advance(Self.lease)
        five.reachDeadline(of: n1)
        five.deliverOnce { $0.to == n2 }
        five.deliverOnce { $0.to == n1 }
        #expect(!answersAtOnce(five))
        five.deliverOnce { $0.to == n3 }
        five.deliverOnce { $0.to == n1 }
        #expect(answersAtOnce(five))

        var three = bench()
        three.wipe(n2)
        three.start(n2, incarnation: Incarnation.first.next)
        three.advance(Self.lease)
        for _ in 1...2 {
            three.reachDeadline(of: n1)
            three.deliver { $0.to != n3 }
        }
        #expect(!answersAtOnce(three))
    }

    @Test("a lease is worth nothing before an entry of the leader's own term is committed")
    func ownTermFirst() {
        for isKept in [true, false] {
            var bench = unled {
                $0.options.noop = false
                $0.rules[.readIndexNeedsOwnTermCommit] = isKept
            }
            bench.advance(Self.timeout)
            bench.elect(n1)
            beat(&bench)
            #expect(answersAtOnce(bench) == !isKept)
        }
    }

    @Test("a leader that steps down has no lease any more, and leads without one when it leads again")
    func stepsDown() {
        var bench = bench()
        bench.inject(.voteResponse(VoteResponse(poll: .vote, isGranted: false)), from: n2, to: n1, term: Term(5))
        #expect(!answersAtOnce(bench))
        bench.advance(.seconds(1))
        bench.elect(n1)
        #expect(bench[n1].role.name == .leader)
        #expect(!answersAtOnce(bench))
    }

    @Test("without the rule a leader answers whatever the time is, and another may have been elected")
    func ruleOff() {
        var bench = bench { $0.rules = .all(without: .leaseExpires) }
        bench.advance(.seconds(1))
        bench.step(.campaign, on: n2)
        bench.deliver { $0.from != n1 && $0.to != n1 }
        #expect(bench[n2].role.name == .leader)
        #expect(answersAtOnce(bench))
    }

    @Test("what was asked before the option or the timeout changed says nothing about what was promised")
    func changes() {
        let changes: [[(inout Settings) -> Void]] = [
            [{ $0.options.lease = false }, { $0.options.lease = true }],
            [{ $0.timing.electionTimeout = .milliseconds(500) ... .milliseconds(900) }],
            [{ $0.timing.electionTimeout = .milliseconds(60) ... .milliseconds(80) }],
        ]
        for steps in changes {
            var bench = bench()
            bench.reachDeadline(of: n1)
            let old = bench.takeWire()
            for change in steps { bench.adopt(change) }
            #expect(!answersAtOnce(bench))
            bench.restoreWire(old)
            bench.deliver()
            #expect(!answersAtOnce(bench))
            beat(&bench)
            #expect(answersAtOnce(bench))
        }
    }

    @Test("a leader that no majority can hear begins round after round, and remembers only some")
    func bounded() {
        var bench = bench {
            $0.timing.electionTimeout = .seconds(50) ... .seconds(60)
            $0.timing.heartbeat = .milliseconds(1)
        }
        for _ in 1...500 {
            bench.reachDeadline(of: n1)
            bench.dropWire()
        }
        guard case .leader(let leadership) = bench[n1].role else {
            Issue.record("n1 doesn't lead")
            return
        }
        #expect(leadership.lease.begun.count == Lease.begunMax)
        bench.advance(.seconds(60))
        beat(&bench)
        #expect(answersAtOnce(bench))
    }

    // MARK: - Voters

    @Test(
        "a voter that has heard a leader votes for nobody else for the shortest election timeout, whatever options are off"
    )
    func sticky() {
        var bench = bench()
        let heard = bench.now
        bench.now = heard + Self.timeout - Interval(nanoseconds: 1)
        #expect(!votes(bench))
        var follower = bench
        follower.elect(n3)
        #expect(follower[n1].role.name == .leader)
        #expect(follower[n2].currentTerm == Term(1))
        bench.now = heard + Self.timeout
        #expect(votes(bench))
    }

    @Test("one that hears nothing campaigns in vain: nobody who is bound adopts its term, and the leader goes on")
    func undisturbed() {
        for isLeaseHeld in [true, false] {
            var bench = bench()
            for _ in 1...10 {
                bench.reachDeadline(of: n1)
                bench.deliver { $0.to != n3 && $0.from != n3 }
            }
            if !isLeaseHeld { bench.advance(Self.lease) }
            bench.step(.campaign, on: n3)
            #expect(bench[n3].role.name == .candidate)
            bench.deliverOnce { $0.isVoteRequest }
            #expect(bench[n2].currentTerm == Term(1))
            #expect(
                bench[n1].role.name == (isLeaseHeld ? .leader : .follower), "without a lease it may as well step down")
        }
    }

    @Test("the promise outlives the term in which it was given")
    func outlivesTerm() {
        var bench = bench()
        // An answer to something long past, from a server that has gone on: n2 adopts its term, and knows no leader.
        bench.inject(.voteResponse(VoteResponse(poll: .vote, isGranted: false)), from: n3, to: n2, term: Term(5))
        #expect(bench[n2].currentTerm == Term(5))
        #expect(!votes(bench, in: Term(5)))
        #expect(!votes(bench, in: Term(6)))
        bench.advance(Self.timeout)
        #expect(votes(bench, in: Term(5)))
    }

    @Test("a pre-vote is refused as well")
    func preVote() {
        var bench = bench()
        bench.inject(.voteResponse(VoteResponse(poll: .vote, isGranted: false)), from: n3, to: n2, term: Term(5))
        let request = VoteRequest(
            poll: .preVote, last: LogPosition(term: Term(9), index: LogIndex(9)), isTold: false)
        bench.inject(.voteRequest(request), from: n3, to: n2, term: Term(6))
        #expect(bench.wire.last?.voteResponse?.isGranted == false)
        bench.advance(Self.timeout)
        bench.inject(.voteRequest(request), from: n3, to: n2, term: Term(6))
        #expect(bench.wire.last?.voteResponse?.isGranted == true)
    }

    @Test(
        "a voter keeps its own vote, too: told by hand or by its timer, it doesn't campaign before its promise is over")
    func ownVote() {
        for input in [Input.campaign, .timer(.zero)] {
            var bench = bench()
            let end = bench.now + Self.timeout
            bench.step(input, on: n2)
            bench.step(.deadline, on: n2)
            #expect(bench[n2].role.name == .follower)
            #expect(bench[n2].currentTerm == Term(1))
            #expect(bench[n2].deadline == end)
            bench.reachDeadline(of: n2)
            #expect(bench[n2].role.name == .candidate)
        }
    }

    @Test("a campaign that has to wait says why")
    func toldWhy() {
        var bench = bench()
        bench.step(.campaign, on: n2)
        let casts = (bench.observations[n2] ?? []).compactMap { observation -> VoteCast? in
            if case .voteCast(let cast) = observation, !cast.isGranted { cast } else { nil }
        }
        #expect(casts.map(\.candidate) == [n2])
        #expect(casts.map(\.reason) == [.leaderAlive])
    }

    @Test("a server that has just started may have forgotten a promise, and keeps its vote as long")
    func restarted() {
        var bench = bench()
        bench.crash(n2)
        bench.start(n2)
        let start = bench.now
        #expect(!votes(bench))
        bench.step(.campaign, on: n2)
        #expect(bench[n2].role.name == .follower)
        bench.now = start + Self.timeout - Interval(nanoseconds: 1)
        #expect(!votes(bench))
        var switched = bench
        switched.adopt(on: [n2]) { $0.options.lease = false }
        #expect(!votes(switched), "the leader may not know of it yet")
        bench.now = start + Self.timeout
        #expect(votes(bench))
        bench.adopt { $0.options.lease = false }
        bench.crash(n3)
        bench.start(n3)
        #expect(votes(bench, n3, for: n2), "where there are no leases nothing was promised")
        bench.adopt { $0.options.lease = true }
        #expect(!votes(bench, n3, for: n2), "now something may have been")
    }

    @Test("a lone voter has promised nothing to anybody, and leads as soon as it starts")
    func lone() {
        var bench = unled(1)
        bench.step(.deadline, on: n1)
        #expect(bench[n1].role.name == .leader)
        #expect(answersAtOnce(bench))
    }

    @Test("a voter that has the option off, or a shorter timeout, is bound for as long as the leader counts on it")
    func otherSettings() {
        var bench = bench()
        bench.adopt(on: [n2, n3]) {
            $0.options.lease = false
            $0.timing.electionTimeout = .milliseconds(10) ... .milliseconds(20)
        }
        beat(&bench)
        let heard = bench.now
        bench.now = heard + Self.timeout - Interval(nanoseconds: 1)
        #expect(!votes(bench))
        bench.step(.campaign, on: n3)
        bench.deliver()
        #expect(bench[n3].role.name == .follower)
        bench.now = heard + Self.timeout
        #expect(votes(bench))
    }

    // MARK: - Handing over

    @Test("a candidate that its leader told is let pass, and from then on that leader has no lease")
    func handedOver() {
        var bench = bench()
        bench.step(.transfer(to: n2), on: n1)
        #expect(bench.wire.contains { $0.body == .timeoutNow })
        #expect(!answersAtOnce(bench))
        bench.deliver { $0.to != n1 }
        #expect(bench[n1].role.name == .leader, "n1 doesn't know of it yet")
        #expect(bench[n3].votedFor == n2)
        #expect(!answersAtOnce(bench))
    }

    @Test("a leader that has told one to campaign takes no lease again in its term: that one may come late")
    func givenUp() {
        var bench = bench()
        bench.step(.transfer(to: n2), on: n1)
        let told = bench.takeWire()
        while bench.now < .zero + .seconds(2) {
            bench.reachDeadline(of: n1)
            bench.deliver()
        }
        #expect(bench.observations[n1]?.contains(.transfer(TransferStep(target: n2, stage: .givenUp))) == true)
        #expect(!answersAtOnce(bench))
        bench.restoreWire(told)
        bench.deliver { $0.to != n1 }
        #expect(bench[n3].votedFor == n2)
        #expect(!answersAtOnce(bench))
    }

    // MARK: - What is told

    @Test("the lease is told when there is one, seldom while it is extended, and when it is over")
    func told() {
        var bench = bench()
        func steps(_ bench: Workbench) -> [Instant?] {
            (bench.observations[n1] ?? []).compactMap {
                if case .lease(let step) = $0 { .some(step.until) } else { nil }
            }
        }
        let first = bench.now + Self.lease
        #expect(steps(bench) == [first])
        for id in 1...100 as ClosedRange<ReadID> {
            bench.step(.read(id), on: n1)
            bench.deliver()
            bench.advance(.microseconds(1))
        }
        #expect(steps(bench) == [first])
        beat(&bench)
        let second = bench.now + Self.lease
        #expect(steps(bench) == [first, second])
        bench.clearObservations()
        while bench.now < second {
            bench.reachDeadline(of: n1)
            bench.dropWire()
        }
        #expect(steps(bench) == [nil])
        bench.clearObservations()
        beat(&bench)
        bench.adopt { $0.options.lease = false }
        beat(&bench)
        #expect(steps(bench).count == 2 && steps(bench).last == .some(nil))
    }

    @Test("a round that no read waits for isn't told")
    func silentRounds() {
        var bench = bench()
        for _ in 1...5 { beat(&bench) }
        #expect(bench.observations[n1]?.contains { if case .readRound = $0 { true } else { false } } == false)
    }
}

import RaftCore
import Testing

/// New members learn before they vote (thesis §4.2.1), and count in the life in which they did.
struct LearnerTests {
    @Test("a learner gets the log, and what it has counts for nothing")
    func countsForNothing() {
        var bench = Workbench.led(2)
        bench.start(n3)
        bench.change(adding: [n3])
        bench.step(.read(7), on: n1)
        bench.reachDeadline(of: n1)
        bench.deliver { $0.to != n2 }
        #expect(bench[n3].log == bench[n1].log)
        #expect(bench[n1].progress(of: n3)?.match == LogIndex(2))
        #expect(bench[n1].commitIndex == LogIndex(1), "n1 is one of two")
        #expect(bench.reads.isEmpty)
        bench.settle()
        #expect(bench[n1].commitIndex == bench[n1].log.lastIndex)
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
    }

    @Test("a leader that hears of learners only steps down")
    func checkQuorum() {
        var bench = Workbench.led(2)
        bench.start(n3)
        bench.change(adding: [n3])
        let start = bench.now
        while bench.now < start + .milliseconds(400) {
            bench.reachDeadline(of: n1)
            bench.deliver { $0.to != n2 }
        }
        #expect(bench[n1].role.name != .leader)
    }

    @Test("a learner doesn't campaign, and isn't asked for its vote; what it says counts for nothing")
    func noVote() {
        var bench = Workbench.led(2)
        bench.start(n3)
        bench.change(adding: [n3])
        bench.reachDeadline(of: n1)
        bench.deliver { $0.append?.entries.contains(where: \.endsChange) != true }
        #expect(bench[n3].configuration.description == "n1,n2 +n3")
        bench.advance(.seconds(1))
        bench.reachDeadline(of: n3)
        bench.step(.campaign, on: n3)
        #expect(bench[n3].role.name == .follower)
        bench.step(.campaign, on: n2)
        #expect(bench.takeWire().map(\.to) == [n1])
        bench.inject(
            .voteResponse(VoteResponse(poll: .vote, isGranted: true)), from: n3, to: n2, term: bench[n2].currentTerm)
        #expect(bench[n2].role.name == .candidate)
    }

    /// Delivers what is on its way, step by step, until n1 makes n4 a voter.
    private func promote(_ bench: inout Workbench) {
        for _ in 1...100 where !bench[n1].configuration.voters.contains(n4) {
            if bench.wire.isEmpty { bench.reachDeadline(of: n1) }
            bench.deliverOnce()
        }
        #expect(bench[n1].configuration.voters.contains(n4))
    }

    @Test("it becomes a voter once it has what made it a learner, and lacks no more than a few entries")
    func hardlyLags() {
        var bench = Workbench.led(
            3,
            settings: Settings {
                $0.limits.learnerLagMax = 2
                $0.limits.entriesPerAppendMax = 1
                $0.limits.inflightMessagesMax = 1
            })
        bench.change(adding: [n4])
        for _ in 1...10 {
            bench.propose(on: n1)
            bench.deliver()
        }
        bench.start(n4)
        promote(&bench)
        #expect(bench[n1].progress(of: n4)?.match == LogIndex(10), "it lacks two of twelve")
    }

    @Test("one that lacks what made it a learner stays one, though it lacks little else")
    func hasWhatMadeIt() {
        var bench = Workbench.led(
            3,
            settings: Settings {
                $0.limits.entriesPerAppendMax = 1
                $0.limits.inflightMessagesMax = 1
            })
        for _ in 1...6 { bench.propose(on: n1) }
        bench.settle()
        bench.start(n4)
        bench.change(adding: [n4])
        bench.deliver { $0.to != n4 }
        #expect(bench[n1].commitIndex == LogIndex(8))
        // The leader's snapshot stands for that entry, too; the log is still there.
        bench.takeSnapshot(on: n1, keeping: 100)
        promote(&bench)
        #expect(bench[n4].lastIndex >= 8)
        #expect(bench[n4].configuration.description == "n1,n2,n3 +n4")
    }

    @Test("one to which something was lost waits until the leader has found out how far it is")
    func notWhileProbing() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4])
        bench.reachDeadline(of: n1)
        bench.deliver { Set([$0.from, $0.to]) == [n1, n4] }
        #expect(bench[n1].progress(of: n4)?.match == LogIndex(2))
        bench.propose(on: n1)
        bench.dropWire()
        bench.reachDeadline(of: n1)
        bench.deliverOnce { $0.to == n4 }
        bench.deliverOnce { $0.from == n4 }
        #expect(bench[n1].progress(of: n4)?.isProbing == true)
        bench.deliver { $0.to != n4 }
        #expect(bench[n1].commitIndex == LogIndex(3))
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        bench.settle()
        #expect(bench[n1].configuration.voters == [n1, n2, n3, n4])
    }

    @Test("one that needs a snapshot waits until it has it")
    func notWhileInstalling() {
        var bench = Workbench.led(3, settings: Settings { $0.limits.bytesPerChunkMax = 3 })
        for _ in 1...6 { bench.propose(on: n1) }
        bench.settle()
        bench.takeSnapshot(on: n1)
        bench.start(n4)
        bench.change(adding: [n4])
        bench.settle()
        #expect(bench.wantsSnapshot == [n1])
        bench.loadSnapshot(on: n1)
        for _ in 1...3 { bench.deliverOnce() }
        #expect(bench[n1].progress(of: n4)?.installing?.received == 3)
        #expect(bench[n1].commitIndex == LogIndex(8))
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        bench.settle()
        #expect(bench[n1].configuration.voters == [n1, n2, n3, n4])
        #expect(bench[n4].log.base.index == LogIndex(7))
    }

    @Test("where several learn, all of them have to catch up before anyone votes")
    func all() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4, n5])
        bench.settle()
        #expect(bench[n4].log == bench[n1].log)
        #expect(bench[n1].changes == ["n1,n2,n3 +n4 +n5"])
        bench.start(n5)
        bench.settle()
        #expect(bench[n1].changes.last == "n1,n2,n3,n4,n5")
    }

    // MARK: - Lives

    @Test("the life that counts is the one in which it caught up")
    func life() {
        var bench = Workbench.led(3)
        bench.start(n4, incarnation: Incarnation(3))
        bench.change(adding: [n4])
        #expect(bench[n1].configuration.incarnation(of: n4) == .unknown)
        bench.settle()
        #expect(bench[n1].configuration.incarnation(of: n4) == Incarnation(3))
        #expect(bench[n4].isVoter)
    }

    @Test("one that loses its disk while it learns starts anew, in another life")
    func lifeEnds() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4])
        bench.reachDeadline(of: n1)
        bench.deliver { Set([$0.from, $0.to]) == [n1, n4] }
        #expect(bench[n1].progress(of: n4)?.match == LogIndex(2))
        bench.wipe(n4)
        bench.start(n4, incarnation: Incarnation(2))
        bench.reachDeadline(of: n1)
        bench.deliverOnce { $0.to == n4 }
        bench.deliverOnce { $0.from == n4 }
        #expect(bench[n1].progress(of: n4)?.match == .zero)
        bench.settle()
        #expect(bench[n1].configuration.incarnation(of: n4) == Incarnation(2))
    }

    @Test("a leader that hears of a voter only in another life steps down")
    func notHeard() {
        var bench = Workbench.led(2)
        bench.wipe(n2)
        bench.start(n2, incarnation: Incarnation(2))
        let start = bench.now
        while bench.now < start + .milliseconds(400) {
            bench.reachDeadline(of: n1)
            bench.deliver()
        }
        #expect(bench[n2].log.count == 1)
        #expect(bench[n1].role.name != .leader)
    }

    @Test("nobody is removed where too few of the rest may vote, for a disk was lost; the one that lost it can be")
    func noMajorityLeft() {
        var bench = Workbench.led(3)
        bench.wipe(n2)
        bench.start(n2, incarnation: Incarnation(2))
        bench.settle()
        bench.change(removing: [n3])
        #expect(bench.refusals == [.noMajority])
        bench.change(removing: [n2])
        bench.settle()
        #expect(bench[n1].configuration.voters == [n1, n3])
    }

    @Test("a voter that lost its disk counts again when it was removed and has learned anew (thesis §3.8, §4.1)")
    func addedAgain() {
        var bench = Workbench.led(3)
        bench.wipe(n3)
        bench.start(n3, incarnation: Incarnation(2))
        bench.settle()
        #expect(!bench[n3].isVoter)
        bench.change(removing: [n3])
        bench.settle()
        bench.change(adding: [n3])
        bench.settle()
        #expect(bench[n1].configuration.incarnation(of: n3) == Incarnation(2))
        #expect(bench[n3].isVoter)
        bench.crash(n2)
        bench.propose(on: n1)
        bench.settle()
        #expect(bench[n1].commitIndex == bench[n1].log.lastIndex)
    }

    // MARK: - A vote of one that doesn't know that it has one

    @Test("a voter whose own log says that it learns votes when it is asked, for it may be needed")
    func mustVote() {
        var bench = Workbench.led(1)
        bench.start(n2)
        bench.change(adding: [n2])
        bench.reachDeadline(of: n1)
        bench.deliver { $0.append?.entries.contains(where: \.endsChange) != true }
        #expect(bench[n1].configuration.voters == [n1, n2])
        #expect(bench[n2].configuration.description == "n1 +n2")
        bench.crash(n1)
        bench.start(n1)
        bench.advance(.seconds(1))
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n2].votedFor == n1)
        bench.settle()
        #expect(bench[n2].configuration.voters == [n1, n2])
    }

    @Test("but not in a life of which the log knows that it isn't the one that was made a voter")
    func mustNotVote() {
        var bench = Workbench.led(2)
        bench.wipe(n2)
        bench.start(n2, incarnation: Incarnation(2))
        bench.crash(n1)
        bench.start(n1)
        bench.elect(n1)
        #expect(bench[n1].role.name == .candidate)
        #expect(bench[n2].votedFor == nil)
    }
}

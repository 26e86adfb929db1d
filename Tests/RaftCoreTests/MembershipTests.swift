import RaftCore
import Testing

/// A change of the members, from when it is asked for until it is over (paper §6, thesis §4).
struct MembershipTests {
    @Test("a change counts as soon as it is appended, at the leader and at whoever gets it, committed or not (§4.1)")
    func countsWhenAppended() {
        var bench = Workbench.led(4)
        bench.change(removing: [n4])
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        #expect(bench[n1].commitIndex == LogIndex(1))
        bench.deliverOnce { $0.to == n2 }
        #expect(bench[n2].configuration.voters == [n1, n2, n3])
        #expect(bench[n2].commitIndex == LogIndex(1))
        #expect(bench[n3].configuration.voters == [n1, n2, n3, n4])
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].commitIndex == LogIndex(2), "n1 and n2 are a majority of three, and none of four")
    }

    @Test("one voter less is a single step")
    func oneLess() {
        var bench = Workbench.led(3)
        bench.change(removing: [n3])
        bench.settle()
        #expect(bench[n1].changes == ["n1,n2"])
        #expect(bench[n2].changes == ["n1,n2"])
    }

    @Test("one voter more learns first, and is then a single step")
    func oneMore() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4])
        bench.settle()
        #expect(bench[n1].changes == ["n1,n2,n3 +n4", "n1,n2,n3,n4"])
        #expect(bench[n4].log == bench[n1].log)
    }

    @Test("several at once lead through a configuration of both sets, and out of it without being asked (paper §6)")
    func several() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4], removing: [n3])
        bench.settle()
        #expect(bench[n1].changes == ["n1,n2,n3 +n4", "n1,n2,n4 with n1,n2,n3", "n1,n2,n4"])
        bench.change(removing: [n2, n4])
        bench.settle()
        #expect(bench[n1].changes.suffix(2) == ["n1 with n1,n2,n4", "n1"])
        #expect(bench[n1].commitIndex == bench[n1].log.lastIndex)
    }

    @Test("both sets decide until that they do is committed, and not only appended (paper §6, Figure 11)")
    func leavesWhenCommitted() {
        var bench = Workbench.led(5)
        bench.change(removing: [n4, n5])
        bench.deliver { $0.from != n2 && $0.from != n3 }
        #expect(bench[n1].changes == ["n1,n2,n3 with n1,n2,n3,n4,n5"], "n1, n4 and n5: no majority of the new")
        bench.settle()
        #expect(bench[n1].changes.last == "n1,n2,n3")
    }

    @Test("where the leader's own disk is the last to commit a change, that goes on all the same")
    func ownDiskLast() {
        var bench = Workbench.led(3)
        bench.syncsAtOnce = false
        bench.change(removing: [n2, n3])
        for _ in 1...4 {
            bench.deliver()
            bench.sync(n2)
            bench.sync(n3)
        }
        #expect(bench[n1].changes == ["n1 with n1,n2,n3"])
        bench.sync(n1)
        #expect(bench[n1].changes == ["n1 with n1,n2,n3", "n1"])
        bench.sync(n1)
        #expect(bench[n1].commitIndex == LogIndex(3))
    }

    @Test("whoever has gone is sent nothing any more")
    func gone() {
        var bench = Workbench.led(3)
        bench.change(removing: [n3])
        bench.propose(on: n1)
        bench.reachDeadline(of: n1)
        #expect(!bench.wire.contains { $0.to == n3 })
        #expect(bench[n1].progress(of: n3) == nil)
    }

    // MARK: - What is refused

    @Test("before an entry of its own term is committed a leader changes nothing (thesis §4.1, the mistake of 2015)")
    func ownTermFirst() {
        var bench = Workbench(3)
        bench.step(.campaign, on: n1)
        bench.deliverOnce()
        bench.deliverOnce()
        #expect(bench[n1].role.name == .leader)
        bench.change(removing: [n3])
        #expect(bench.refusals == [.termNotCommitted])
        bench.settle()
        bench.change(removing: [n3])
        #expect(bench[n1].changes == ["n1,n2"])
    }

    @Test("no change before the one before is committed")
    func oneAtATime() {
        var bench = Workbench.led(3)
        bench.change(removing: [n3])
        bench.change(removing: [n2])
        #expect(bench.refusals == [.changeOpen])
        bench.settle()
        bench.change(removing: [n2])
        bench.settle()
        #expect(bench[n1].changes == ["n1,n2", "n1"])
    }

    @Test("none while somebody learns, though that is committed, and none while both sets decide")
    func openUntilSettled() {
        var bench = Workbench.led(4)
        bench.change(adding: [n5])
        bench.settle()
        #expect(bench[n1].commitIndex == LogIndex(2), "and n5 doesn't run")
        bench.change(removing: [n4])
        #expect(bench.refusals == [.changeOpen])
        bench.change(removing: [n5])
        bench.settle()
        bench.change(removing: [n3, n4])
        bench.dropWire()
        bench.change(removing: [n2])
        #expect(bench.refusals == [.changeOpen, .changeOpen])
        #expect(bench[n1].changes.last == "n1,n2 with n1,n2,n3,n4")
    }

    @Test("without that rule one change follows the other at once, and both can count for some alone")
    func oneAtATimeOff() {
        var bench = Workbench.led(5, settings: Settings { $0.rules = .all(without: .oneChangeAtATime) })
        bench.change(removing: [n5])
        bench.change(removing: [n4])
        #expect(bench.refusals.isEmpty)
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        #expect(bench[n1].commitIndex == LogIndex(1))
    }

    @Test("a learner that never catches up can be given up, and so can one of two, so that the other one goes on")
    func givesUp() {
        var bench = Workbench.led(3)
        bench.change(adding: [n4])
        bench.settle()
        bench.change(removing: [n4])
        bench.settle()
        #expect(bench.refusals.isEmpty)
        #expect(bench[n1].changes == ["n1,n2,n3 +n4", "n1,n2,n3"])
        bench.start(n5)
        bench.change(adding: [n4, n5], removing: [n3])
        bench.settle()
        #expect(bench[n1].changes.last == "n1,n2,n3 +n4 +n5")
        bench.change(removing: [n4])
        bench.settle()
        #expect(bench[n1].changes.suffix(3) == ["n1,n2,n3 +n5", "n1,n2,n5 with n1,n2,n3", "n1,n2,n5"])
    }

    @Test("where the only one to learn is given up, those who were to go still do")
    func givesUpTheLast() {
        var bench = Workbench.led(3)
        bench.change(adding: [n4], removing: [n3])
        bench.settle()
        bench.change(removing: [n4])
        bench.settle()
        #expect(bench[n1].changes == ["n1,n2,n3 +n4", "n1,n2"])
    }

    @Test("the last voter stays, and nothing is appended where nothing would change")
    func nonsense() {
        var bench = Workbench.led(1)
        bench.change(removing: [n1])
        bench.change(adding: [n1])
        bench.change(removing: [n2])
        bench.change(adding: [n2], removing: [n2])
        #expect(bench.refusals == [.lastVoter, .nothingToChange, .nothingToChange, .nothingToChange])
        #expect(bench[n1].changes.isEmpty)
    }

    @Test("a server that doesn't lead changes nothing")
    func notLeader() {
        var bench = Workbench.led(3)
        bench.change(removing: [n3], on: n2)
        #expect(bench.refusals(of: n2) == [.notLeader])
        #expect(bench[n2].changes.isEmpty)
    }

    // MARK: - Two leaders

    /// What happened in 2015 (thesis §4.1): n1 has appended that n4 goes, and is cut off. n3 leads the next term and is to
    /// make n1 go, when no entry of its own term is on more servers than itself.
    private func overlapping(_ rules: RuleSet) -> Workbench {
        var bench = Workbench.led(4, settings: Settings { $0.rules = rules })
        bench.change(removing: [n4])
        bench.dropWire()
        bench.step(.campaign, on: n3)
        bench.deliver { $0.isVoteRequest || $0.voteResponse != nil }
        #expect(bench[n3].role.name == .leader)
        bench.change(removing: [n1], on: n3)
        bench.reachDeadline(of: n3)
        bench.deliver { Set([$0.from, $0.to]).isSubset(of: [n3, n4]) }
        return bench
    }

    @Test("without the rule of 2015 two leaders commit with majorities that share no server, and one entry is lost")
    func mistakeOf2015() {
        var bench = overlapping(.all(without: .configurationAfterOwnCommit))
        #expect(bench[n3].changes == ["n2,n3,n4"])
        #expect(bench[n3].commitIndex == LogIndex(3), "by n3 and n4 alone, of n2, n3 and n4")
        bench.elect(n1)
        bench.elect(n1)
        #expect(bench[n1].role.name == .leader, "by n1 and n2 alone, of n1, n2 and n3")
        #expect(bench[n3].violation != nil, "n3 is to replace what it has committed")
    }

    @Test("with the rule the leader refuses, and a majority of all four must have its entry first")
    func ruleOf2015() {
        var bench = overlapping(.all)
        #expect(bench.refusals(of: n3) == [.termNotCommitted])
        #expect(bench[n3].commitIndex == LogIndex(1))
        bench.reachDeadline(of: n3)
        bench.deliver { $0.to != n1 }
        #expect(bench[n3].commitIndex == LogIndex(2))
        bench.elect(n1)
        bench.elect(n1)
        #expect(bench[n1].role.name != .leader, "n2 has an entry of a later term")
        #expect([n1, n2, n3, n4].allSatisfy { bench[$0].violation == nil })
    }

    @Test("a change that was not committed goes with its entry, and the members before it count again")
    func truncated() {
        var bench = Workbench.led(4)
        bench.change(removing: [n3, n4])
        bench.deliverOnce { $0.to == n4 }
        bench.dropWire()
        #expect(bench[n4].configuration.isJoint)
        bench.step(.campaign, on: n2)
        bench.deliver { $0.to != n1 && $0.from != n1 && $0.to != n4 && $0.from != n4 }
        #expect(bench[n2].role.name == .candidate, "n2 and n3 are no majority of four")
        bench.dropWire()
        bench.crash(n4)
        bench.disks[n4] = nil
        bench.start(n4)
        bench.elect(n2)
        bench.settle(n2)
        for node in [n1, n2, n3, n4] {
            #expect(bench[node].changes.isEmpty)
            #expect(bench[node].configuration == Configuration(count: 4))
        }
    }

    // MARK: - A new leader goes on

    @Test("a new leader leads out of a joint configuration that it finds")
    func finishesJoint() {
        var bench = Workbench.led(5)
        bench.change(removing: [n4, n5])
        bench.deliverOnce()
        bench.dropWire()
        #expect(bench[n2].configuration.isJoint)
        bench.crash(n1)
        bench.elect(n2)
        bench.settle(n2)
        #expect(bench[n2].changes.last == "n1,n2,n3")
        #expect(bench[n2].configuration.isSettled)
        #expect(bench[n2].commitIndex == bench[n2].log.lastIndex)
    }

    @Test("a new leader makes those voters who were to learn first")
    func finishesPromotion() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4])
        bench.deliver { $0.to != n4 }
        bench.crash(n1)
        bench.elect(n2)
        bench.settle(n2)
        #expect(bench[n2].configuration.voters == [n1, n2, n3, n4])
        #expect(bench[n4].configuration.voters == [n1, n2, n3, n4])
    }

    @Test("it does so only once an entry of its own term is committed, though it knows that what it found is")
    func finishesAfterOwnCommit() {
        var bench = Workbench.led(5, settings: Settings { $0.options.noop = false })
        bench.propose(on: n1)
        bench.settle()
        bench.change(removing: [n4, n5])
        for _ in 1...4 {
            bench.reachDeadline(of: n1)
            bench.deliver { $0.append?.entries.contains(where: \.endsChange) != true }
        }
        #expect(bench[n2].commitIndex == LogIndex(2))
        bench.crash(n1)
        bench.elect(n2)
        bench.settle(n2)
        #expect(bench[n2].role.name == .leader)
        #expect(bench[n2].changes == ["n1,n2,n3 with n1,n2,n3,n4,n5"])
        bench.propose(on: n2)
        bench.settle(n2)
        #expect(bench[n2].changes.last == "n1,n2,n3")
    }

    // MARK: - Leaders that go

    /// With how many votes `node` has won elections.
    private func wins(of node: NodeID, in bench: Workbench) -> [Int?] {
        (bench.observations[node] ?? []).compactMap { observation in
            guard case .roleChanged(let change) = observation, change.reason == .electionWon else { return nil }
            return .some(change.votes)
        }
    }

    @Test(
        "a leader that is removed doesn't count itself, goes on until that is committed, and then steps down (§4.2.2)")
    func removedLeader() {
        var bench = Workbench.led(3)
        bench.change(removing: [n1])
        bench.propose(on: n1)
        bench.deliverOnce { $0.to == n2 }
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].commitIndex == LogIndex(1), "n1 and n2 have it: one of two voters")
        #expect(bench[n1].role.name == .leader)
        bench.reachDeadline(of: n1)
        bench.deliver { $0.to != n1 || $0.from == n3 }
        #expect(bench[n1].commitIndex >= LogIndex(2))
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n2].configuration.voters == [n2, n3])
        bench.elect(n2)
        #expect(bench[n2].commitIndex == bench[n2].log.lastIndex)
    }

    @Test("a leader that is replaced leads while both sets decide, and until the new one decides alone")
    func replacedLeader() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4], removing: [n1])
        bench.reachDeadline(of: n1)
        bench.deliver { $0.append?.entries.contains(where: \.endsChange) != true }
        #expect(bench[n1].changes.suffix(2) == ["n2,n3,n4 with n1,n2,n3", "n2,n3,n4"])
        #expect(bench[n1].role.name == .leader)
        bench.settle()
        #expect(bench[n1].role.name == .follower)
        #expect([n2, n3, n4].allSatisfy { bench[$0].configuration.voters == [n2, n3, n4] })
    }

    @Test(
        "a removed leader may be needed until its removal is committed: it campaigns, and doesn't count itself (§4.2.2)"
    )
    func removedAndNeeded() {
        var bench = Workbench.led(2)
        bench.change(removing: [n1])
        bench.dropWire()
        bench.crash(n1)
        bench.start(n1)
        bench.now = bench.now + .seconds(1)
        bench.reachDeadline(of: n2)
        bench.deliver()
        #expect(bench[n2].role.name != .leader, "n1 has more")
        bench.now = bench.now + .seconds(1)
        bench.reachDeadline(of: n1)
        #expect(bench[n1].role.name == .precandidate)
        #expect(bench[n1].ballot?.granted == [])
        bench.deliver { $0.from == n1 }
        #expect(bench[n1].role.name == .precandidate, "its own word is not enough")
        bench.now = bench.now + .seconds(1)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].commitIndex == LogIndex(3))
        #expect(wins(of: n1, in: bench).last == 1, "the vote of n2")
        #expect(bench[n1].role.name == .follower, "it has led until its removal was committed")
        bench.reachDeadline(of: n2)
        #expect(bench[n2].role.name == .leader)
        #expect(bench[n2].configuration.voters == [n2])
        #expect(bench[n2].commitIndex == bench[n2].log.lastIndex)
    }

    @Test("a leader that was removed and added again leads with the vote of its new membership")
    func removedAndAdded() {
        var bench = Workbench.led(3)
        bench.change(removing: [n1])
        bench.settle()
        bench.elect(n2)
        bench.settle(n2)
        bench.change(adding: [n1], on: n2)
        bench.settle(n2)
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        bench.elect(n1)
        bench.settle()
        #expect(bench[n1].role.name == .leader)
        bench.change(removing: [n1])
        bench.settle()
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n2].configuration.voters == [n2, n3])
    }

    @Test("a server that was removed and knows it never campaigns")
    func removedAndKnows() {
        var bench = Workbench.led(3)
        bench.change(removing: [n1])
        bench.settle()
        for _ in 1...5 {
            bench.now = bench.now + .seconds(1)
            bench.reachDeadline(of: n1)
            #expect(bench[n1].role.name == .follower)
        }
        bench.step(.campaign, on: n1)
        bench.inject(.timeoutNow, from: n2, to: n1, term: bench[n1].currentTerm)
        #expect(bench[n1].role.name == .follower)
    }

    /// n1 leads n2 and n3; n4 was removed and doesn't know it.
    private func outsider(_ settings: Settings) -> Workbench {
        var bench = Workbench.led(4, settings: settings)
        bench.change(removing: [n4])
        bench.settle()
        #expect(bench[n4].configuration.voters == [n1, n2, n3, n4])
        bench.now = bench.now + .seconds(1)
        bench.settle()
        bench.now = max(bench.now, bench[n4].deadline ?? bench.now)
        bench.settle()
        return bench
    }

    @Test("a server that was removed and doesn't know it disturbs nobody: nobody promises it a vote (thesis §9.6)")
    func outsiderWithPreVote() {
        var bench = outsider(Settings { $0.options.checkQuorum = false })
        bench.reachDeadline(of: n4)
        bench.deliver()
        #expect(bench[n4].role.name != .candidate)
        #expect(bench[n1].role.name == .leader)
        #expect([n1, n2, n3].allSatisfy { bench[$0].currentTerm == Term(1) })
    }

    @Test("nor without PreVote, for whoever hears a leader doesn't listen to candidates (thesis §4.2.3)")
    func outsiderWithoutPreVote() {
        var bench = outsider(Settings { $0.options.preVote = false })
        bench.reachDeadline(of: n4)
        #expect(bench[n4].role.name == .candidate)
        bench.deliver()
        #expect(bench[n1].role.name == .leader)
        #expect([n1, n2, n3].allSatisfy { bench[$0].currentTerm == Term(1) })
    }

    // MARK: - Leadership transfer

    @Test("while the leader hands over nothing changes, and while a change is open it may hand over")
    func transfers() {
        var bench = Workbench.led(5)
        bench.step(.transfer(to: n2), on: n1)
        let told = bench.takeWire()
        bench.change(removing: [n5])
        #expect(bench.refusals == [.transferOpen])
        bench.restoreWire(told)
        bench.settle(n2)
        bench.change(removing: [n4, n5], on: n2)
        bench.step(.transfer(to: n3), on: n2)
        bench.deliver()
        #expect(bench[n3].role.name == .leader)
        bench.settle(n3)
        #expect(bench[n3].changes == ["n1,n2,n3 with n1,n2,n3,n4,n5", "n1,n2,n3"])
    }

    @Test("a leader that has given up to hand over goes on with the change, without waiting for somebody to write")
    func transferGivenUp() {
        var bench = Workbench.led(5)
        bench.change(removing: [n4, n5])
        bench.step(.transfer(to: n3), on: n1)
        bench.deliver { $0.body != .timeoutNow }
        #expect(bench[n1].commitIndex == LogIndex(2))
        #expect(bench[n1].configuration.isJoint, "nothing is appended while it hands over")
        let start = bench.now
        while bench.now < start + .milliseconds(400) { bench.settle() }
        #expect(bench[n1].changes.last == "n1,n2,n3")
    }
}

import RaftCore
import Testing

/// Paper Figure 2, persistent state; thesis §3.8, §10.2.1.
struct DurabilityTests {
    private func slowDisks(_ count: Int, _ change: (inout Settings) -> Void = { _ in }) -> Workbench {
        var bench = Workbench(count, settings: Settings(change))
        bench.syncsAtOnce = false
        return bench
    }

    @Test("term and vote are written at once and together, and the vote leaves when they are on disk")
    func voteOnDisk() {
        var bench = slowDisks(3)
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: false)), from: n1, to: n2, term: Term(3))
        #expect(bench.wire.isEmpty)
        #expect(bench.unsynced[n2]?.map(\.hardState) == [HardState(term: Term(3), vote: n1)])
        bench.sync(n2)
        #expect(bench.wire.map(\.voteResponse?.isGranted) == [true])
    }

    @Test("a voter that crashes before its vote is on disk has given none; after it, it remembers")
    func crashAroundTheVote() {
        for isSynced in [false, true] {
            var bench = slowDisks(3)
            let request = VoteRequest(poll: .vote, last: .zero, isTold: false)
            bench.inject(.voteRequest(request), from: n1, to: n2, term: Term(3))
            if isSynced { bench.sync(n2) }
            let promised = bench.takeWire().contains { $0.voteResponse?.isGranted == true }
            bench.crash(n2)
            bench.start(n2)
            bench.inject(.voteRequest(request), from: n3, to: n2, term: Term(3))
            bench.sync(n2)
            let promisedAgain = bench.takeWire().contains { $0.voteResponse?.isGranted == true }
            #expect(promised == isSynced)
            #expect(promisedAgain == !isSynced)
        }
    }

    @Test("a later term and the vote of an earlier one are never on disk together")
    func voteOfItsTerm() {
        var bench = Workbench(3, disks: [n2: .init(term: 3, vote: n1, terms: [])])
        bench.syncsAtOnce = false
        bench.inject(
            .append(Append(previous: .zero, entries: [], commit: .zero, round: .zero)), from: n3, to: n2, term: Term(5))
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: true)), from: n1, to: n2, term: Term(6))
        var seen: [HardState?] = []
        while bench.unsynced[n2]?.isEmpty == false {
            bench.sync(n2, count: 1)
            seen.append(bench.disks[n2]?.hardState)
        }
        #expect(seen == [HardState(term: Term(5)), HardState(term: Term(6), vote: n1)])
    }

    @Test("a term is on disk before any entry of it, however few of its writes a disk has done")
    func termBeforeEntries() {
        var bench = slowDisks(3)
        for (leader, term) in [(n1, 1), (n3, 4), (n1, 6)] as [(NodeID, UInt64)] {
            // It hears of the term by its entries, and was never asked for a vote.
            let entries = [Entry](repeating: Entry(term: Term(term), payload: .noop), count: 2)
            bench.inject(
                .append(Append(previous: .zero, entries: entries, commit: .zero, round: .zero)), from: leader, to: n2,
                term: Term(term))
        }
        var seen: [UInt64] = []
        while bench.unsynced[n2]?.isEmpty == false, let before = bench.disks[n2] {
            bench.sync(n2, count: 1)
            guard let disk = bench.disks[n2], disk.log != before.log else { continue }
            #expect(disk.entries.allSatisfy { $0.term <= disk.hardState.term })
            seen += disk.entries.map(\.term.rawValue)
        }
        #expect(seen == [1, 1, 4, 4, 6, 6])
    }

    @Test("without the rule the vote leaves before it is on disk, and is given twice")
    func persistOff() {
        var bench = slowDisks(3) { $0.rules = .all(without: .persistBeforeReply) }
        let request = VoteRequest(poll: .vote, last: .zero, isTold: false)
        var grants = 0
        for candidate in [n1, n3] {
            bench.inject(.voteRequest(request), from: candidate, to: n2, term: Term(3))
            grants += bench.takeWire().count { $0.voteResponse?.isGranted == true }
            bench.crash(n2)
            bench.start(n2)
        }
        #expect(grants == 2)
    }

    @Test("a candidate's own vote counts, and its requests leave, when its term is on disk")
    func ownVote() {
        var bench = slowDisks(3)
        bench.step(.campaign, on: n1)
        #expect(bench[n1].ballot?.granted.isEmpty == true)
        #expect(bench.wire.isEmpty)
        let drawn = bench[n1].deadline
        bench.advance(.milliseconds(100))
        bench.sync(n1)
        #expect(bench[n1].ballot?.granted == [n1])
        #expect(bench.wire.count == 2)
        #expect(bench[n1].deadline != drawn, "the timer starts again after the slow disk, not before")
    }

    @Test("a voter's timer starts when its vote is on disk")
    func voterTimer() throws {
        var bench = slowDisks(3)
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: false)), from: n1, to: n2, term: Term(3))
        bench.advance(.milliseconds(140))
        bench.sync(n2)
        let deadline = try #require(bench[n2].deadline)
        #expect(deadline >= bench.now + .milliseconds(150))
    }

    @Test("a follower never acknowledges what is not on its disk, in answer to heartbeats and late copies too")
    func followerAcknowledges() {
        var bench = slowDisks(3)
        let entries = (1...3).map { _ in Entry(term: Term(1), payload: .noop) }
        let full = Append(previous: .zero, entries: entries, commit: .zero, round: .zero)
        let heartbeat = Append(
            previous: LogPosition(term: Term(1), index: LogIndex(3)), entries: [], commit: .zero, round: .zero)
        bench.inject(.append(full), from: n1, to: n2, term: Term(1))
        bench.inject(.append(full), from: n1, to: n2, term: Term(1))
        bench.inject(.append(heartbeat), from: n1, to: n2, term: Term(1))
        #expect(bench.takeWire().isEmpty, "not even the term is on disk")
        bench.sync(n2)
        let answers = bench.takeWire().compactMap(\.response?.outcome)
        #expect(answers.contains(.accepted(match: LogIndex(3))))

        let more = Append(
            previous: LogPosition(term: Term(1), index: LogIndex(3)), entries: entries, commit: .zero, round: .zero)
        bench.inject(.append(more), from: n1, to: n2, term: Term(1))
        #expect(bench.takeWire().isEmpty)
        bench.inject(.append(heartbeat), from: n1, to: n2, term: Term(1))
        #expect(bench.takeWire().compactMap(\.response?.outcome) == [.accepted(match: LogIndex(3))])
        bench.sync(n2)
        #expect(bench.takeWire().compactMap(\.response?.outcome) == [.accepted(match: LogIndex(6))])
    }

    @Test("the leader counts itself only for what is on its own disk")
    func leaderCounts() {
        var bench = slowDisks(3)
        bench.step(.campaign, on: n1)
        bench.sync(n1)
        for _ in 1...2 {
            bench.deliverOnce { $0.to == n2 }
            bench.sync(n2)
            bench.deliverOnce { $0.to == n1 }
        }
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n1].progress(of: n2)?.match == LogIndex(1))
        #expect(bench[n1].commitIndex == .zero, "one of three has it on disk")
        bench.sync(n1)
        #expect(bench[n1].commitIndex == LogIndex(1))
    }

    @Test("two followers that have an entry on disk commit it, however slow the leader's own disk is")
    func leaderIsNotNeeded() {
        var bench = slowDisks(3)
        bench.step(.campaign, on: n1)
        bench.sync(n1)
        for _ in 1...2 {
            bench.deliverOnce { $0.to != n1 }
            bench.sync(n2)
            bench.sync(n3)
            bench.deliverOnce { $0.to == n1 }
        }
        #expect(bench[n1].commitIndex == LogIndex(1))
        #expect(bench.disks[n1]?.entries.isEmpty == true)
        bench.crash(n1)
        bench.start(n1)
        #expect(bench[n1].currentTerm == Term(1), "it never leads term 1 again, nor uses (1, 1) for another entry")
        #expect(bench[n1].votedFor == n1)
    }

    @Test(
        "a leader whose disk fails while others hold its entry never uses that term and index for another entry",
        arguments: [true, false])
    func lostByTheLeader(isKept: Bool) {
        var bench = slowDisks(3) { $0.rules[.persistBeforeReply] = isKept }
        bench.step(.campaign, on: n1)
        if isKept { bench.sync(n1) }
        for _ in 1...2 {
            bench.deliverOnce { $0.to == n2 }
            bench.sync(n2)
            bench.deliverOnce { $0.to == n1 }
        }
        bench.propose([7], on: n1)
        bench.deliverOnce { $0.to == n2 }
        bench.sync(n2)
        #expect(bench.disks[n2]?.entries.last == Entry(term: Term(1), payload: .command([7])))
        bench.crash(n1)
        bench.dropWire()
        bench.syncsAtOnce = true
        bench.start(n1)
        #expect(bench[n1].lastIndex == 0, "its disk never had the entry")
        bench.step(.campaign, on: n1)
        bench.deliver { [$0.from, $0.to].allSatisfy { $0 != n2 } }
        bench.propose([9], on: n1)
        #expect(bench[n1].role.name == .leader, "n3 gave its vote")
        let isReused = bench[n1].log.term(at: LogIndex(2)) == Term(1)
        #expect(isReused == !isKept, "it is the vote on its disk that keeps it from leading term 1 again")
    }

    @Test("an entry that was replaced and came back is durable only by the write that brought it back")
    func backAgain() {
        var bench = slowDisks(3)
        let first = Entry(term: Term(1), payload: .command([1]))
        let second = Entry(term: Term(2), payload: .command([2]))
        bench.inject(
            .append(Append(previous: .zero, entries: [first], commit: .zero, round: .zero)), from: n1, to: n2,
            term: Term(1))
        bench.inject(
            .append(Append(previous: .zero, entries: [second], commit: .zero, round: .zero)), from: n3, to: n2,
            term: Term(2))
        bench.inject(
            .append(Append(previous: .zero, entries: [first], commit: .zero, round: .zero)), from: n1, to: n2,
            term: Term(3))
        #expect(bench.unsynced[n2]?.count == 3)
        bench.sync(n2, count: 1)
        #expect(bench[n2].durableIndex == .zero)
        bench.sync(n2, count: 1)
        #expect(bench[n2].durableIndex == .zero)
        #expect(!bench.wire.contains { $0.response?.outcome == .accepted(match: LogIndex(1)) })
        bench.sync(n2, count: 1)
        #expect(bench[n2].durableIndex == LogIndex(1))
        #expect(bench.wire.contains { $0.response?.outcome == .accepted(match: LogIndex(1)) && $0.to == n1 })
    }

    @Test("while disks stall nothing is acknowledged, and heartbeats go on")
    func stalledDisk() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.syncsAtOnce = false
        bench.propose(on: n1)
        bench.deliver()
        for _ in 1...20 {
            bench.reachDeadline(of: n1)
            bench.deliver()
        }
        #expect(bench[n1].role.name == .leader, "heartbeats are answered for what is on disk")
        #expect(bench[n1].commitIndex == LogIndex(1))
        for node in bench.configuration.voters { bench.sync(node) }
        bench.deliver()
        #expect(bench[n1].commitIndex == LogIndex(2))
    }

    @Test("a server whose disk was wiped neither votes nor counts, but follows")
    func wiped() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.wipe(n2)
        bench.crash(n3)
        bench.start(n2, incarnation: Incarnation(2))
        #expect(!bench[n2].isVoter)
        bench.propose(on: n1)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log, "it is brought up to date")
        #expect(bench[n1].commitIndex == LogIndex(1), "but its copy doesn't count")
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: bench[n1].log.last, isTold: true)), from: n3, to: n2,
            term: Term(5))
        #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [false])
        bench.reachDeadline(of: n2)
        #expect(bench[n2].role.name == .follower, "nor does it campaign")
    }

    @Test("without that rule a wiped server votes twice in one term")
    func wipedOff() {
        var bench = Workbench(3, settings: Settings { $0.rules = .all(without: .rememberIdentity) })
        bench.step(.campaign, on: n1)
        bench.step(.campaign, on: n3)
        bench.deliverOnce { $0.from == n1 && $0.to == n2 }
        let second = bench.wire.filter { $0.from == n3 && $0.to == n2 }
        let votes = bench.wire.filter { $0.from == n2 }
        bench.wipe(n2)
        bench.start(n2, incarnation: Incarnation(2))
        for message in votes + second { bench.step(.message(message), on: message.to) }
        bench.deliver { $0.from == n2 }
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n3].role.name == .leader)
        #expect(bench[n1].currentTerm == bench[n3].currentTerm)
    }

    @Test("what a former life of a wiped server says late counts for nothing")
    func formerLife() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.propose(on: n1)
        bench.deliver()
        let accepted = AppendResponse(outcome: .accepted(match: LogIndex(1)), round: .zero)
        bench.inject(
            .appendResponse(accepted), from: n2, to: n1, term: Term(1), incarnation: Incarnation(2))
        #expect(bench[n1].progress(of: n2)?.match == LogIndex(1))
        bench.inject(
            .appendResponse(AppendResponse(outcome: .accepted(match: LogIndex(2)), round: .zero)), from: n2, to: n1,
            term: Term(1))
        #expect(bench[n1].progress(of: n2)?.match == LogIndex(1))
    }
}

import RaftCore
import Testing

/// Paper §5.2 and §5.4.1; thesis §4.2.3, §6.2, §9.6.
struct ElectionTests {
    @Test("when servers start up, they begin as followers, with nothing committed")
    func start() {
        let bench = Workbench(3, disks: [n1: .init(term: 4, terms: [1, 4])])
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].currentTerm == Term(4))
        #expect(bench[n1].commitIndex == .zero)
        #expect(bench[n1].leader == nil)
    }

    @Test(
        "a follower that hears no leader for an election timeout asks first, then campaigns, and leads with a majority")
    func wholeElection() {
        var bench = Workbench(3)
        bench.reachDeadline(of: n1)
        #expect(bench[n1].role.name == .precandidate)
        #expect(bench[n1].currentTerm == .zero, "a pre-vote starts no term")
        bench.deliverOnce { $0.to == n2 }
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].role.name == .candidate)
        #expect(bench[n1].currentTerm == Term(1))
        #expect(bench[n1].votedFor == n1)
        bench.dropWire()
        bench.step(.campaign, on: n1)
        bench.deliverOnce { $0.to == n2 }
        #expect(bench[n1].role.name == .candidate, "one vote of three is no majority")
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].role.name == .leader, "the crown comes at the majority, before the third vote")
    }

    @Test("a new leader's first entry is empty, of its own term, and commits")
    func noop() {
        var bench = Workbench(3)
        bench.elect(n1)
        #expect(bench[n1].log[LogIndex(1)] == Entry(term: Term(1), payload: .noop))
        #expect(bench[n1].commitIndex == LogIndex(1))
    }

    @Test("without the empty entry a leader shows itself with heartbeats")
    func noNoop() {
        var bench = Workbench(3, settings: Settings { $0.options.noop = false })
        bench.elect(n1)
        #expect(bench[n1].lastIndex == 0)
        #expect(bench[n2].leader == n1)
        #expect(bench[n3].leader == n1)
    }

    @Test("a lone voter elects itself at once, and commits only what is on its own disk")
    func loneVoter() {
        var bench = Workbench(1)
        bench.syncsAtOnce = false
        #expect(bench[n1].deadline == .zero)
        bench.step(.deadline, on: n1)
        #expect(bench[n1].role.name == .candidate, "its own vote is not on disk yet")
        bench.sync(n1)
        #expect(bench[n1].role.name == .leader)
        bench.propose(on: n1)
        #expect(bench[n1].commitIndex == .zero)
        bench.sync(n1)
        #expect(bench[n1].commitIndex == LogIndex(2))
    }

    @Test("a lone voter that restarts elects itself at once, and commits all that its disk holds")
    func loneVoterRestarts() {
        var bench = Workbench(1)
        bench.step(.deadline, on: n1)
        bench.propose(on: n1)
        bench.crash(n1)
        bench.advance(.seconds(10))
        bench.start(n1)
        #expect(bench[n1].deadline == bench.now)
        #expect(bench[n1].commitIndex == .zero)
        bench.step(.deadline, on: n1)
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n1].currentTerm == Term(2))
        #expect(bench[n1].commitIndex == LogIndex(3))
    }

    @Test("election timeouts are drawn from their range, and differ")
    func randomised() {
        var bench = Workbench(5)
        let settings = Settings()
        var seen: Set<Interval> = []
        for _ in 0..<50 {
            for node in bench.configuration.voters {
                guard let timer = bench[node].electionTimer else { continue }
                #expect(settings.timing.electionTimeout.contains(timer.timeout))
                #expect(timer.deadline == bench.now + timer.timeout)
                seen.insert(timer.timeout)
            }
            for node in bench.configuration.voters {
                bench.step(.campaign, on: node)
            }
            bench.dropWire()
        }
        #expect(seen.count > 200)
    }

    @Test("each server votes for at most one candidate in a term, first come, first served")
    func oneVote() {
        var bench = Workbench(3)
        bench.step(.campaign, on: n1)
        bench.step(.campaign, on: n2)
        bench.deliverOnce { $0.from == n1 && $0.to == n3 }
        bench.deliverOnce { $0.from == n2 && $0.to == n3 }
        #expect(bench[n3].votedFor == n1)
        let answers = bench.wire.filter { $0.from == n3 }
        #expect(answers.first { $0.to == n1 }?.voteResponse?.isGranted == true)
        #expect(answers.first { $0.to == n2 }?.voteResponse?.isGranted == false)
    }

    @Test("without the rule of one vote, two servers win one term")
    func twoVotes() {
        var bench = Workbench(3, settings: Settings { $0.rules = .all(without: .voteOncePerTerm) })
        bench.step(.campaign, on: n1)
        bench.step(.campaign, on: n2)
        bench.deliverOnce { $0.isVoteRequest && $0.to == n3 }
        bench.deliverOnce { $0.voteResponse != nil }
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n2].role.name == .leader)
        #expect(bench[n1].currentTerm == bench[n2].currentTerm)
    }

    @Test("the same candidate that asks again in the same term is granted again")
    func askedAgain() {
        var bench = Workbench(3)
        bench.step(.campaign, on: n1)
        let request = bench.takeWire().filter { $0.to == n3 }
        for _ in 1...2 {
            for message in request { bench.step(.message(message), on: n3) }
            #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [true])
        }
    }

    @Test("a candidate that steps down in its own term keeps its vote")
    func keepsVote() {
        var bench = Workbench(3)
        bench.step(.campaign, on: n1)
        bench.dropWire()
        bench.inject(
            .append(Append(previous: .zero, entries: [], commit: .zero, round: .zero)), from: n2, to: n1, term: Term(1))
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].votedFor == n1)
        bench.dropWire()
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: true)), from: n3, to: n1, term: Term(1))
        #expect(bench[n1].votedFor == n1)
        #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [false])
    }

    @Test("a leader that steps down in its own term keeps its vote")
    func leaderKeepsVote() {
        var bench = Workbench(3)
        bench.elect(n1)
        while bench[n1].role.name == .leader {
            bench.reachDeadline(of: n1)
            bench.dropWire()
        }
        let last = bench[n1].log.last
        bench.inject(.voteRequest(VoteRequest(poll: .vote, last: last, isTold: true)), from: n3, to: n1, term: Term(1))
        #expect(bench[n1].currentTerm == Term(1))
        #expect(bench[n1].votedFor == n1)
        #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [false])
    }

    @Test(
        "vote and pre-vote are refused to an older log: the later last term wins, and among equals the longer log",
        arguments: [
            (own: [1, 1, 2], candidate: [1, 1, 1, 1], isGranted: false),
            (own: [1, 1, 1, 1], candidate: [1, 2], isGranted: true),
            (own: [1, 2, 2], candidate: [1, 2], isGranted: false),
            (own: [1, 2], candidate: [1, 2, 2], isGranted: true),
            (own: [1, 2], candidate: [1, 2], isGranted: true),
            (own: [], candidate: [], isGranted: true),
        ] as [(own: [UInt64], candidate: [UInt64], isGranted: Bool)])
    func upToDate(own: [UInt64], candidate: [UInt64], isGranted: Bool) {
        for poll in [Poll.vote, .preVote] {
            var bench = Workbench(3, disks: [n2: .init(term: 3, terms: own)])
            let last = LogPosition(term: Term(candidate.last ?? 0), index: LogIndex(UInt64(candidate.count)))
            bench.inject(
                .voteRequest(VoteRequest(poll: poll, last: last, isTold: false)), from: n1, to: n2, term: Term(4))
            #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [isGranted])
            #expect(bench[n2].votedFor == (poll == .vote && isGranted ? n1 : nil))
        }
    }

    @Test("without the election restriction a candidate with an older log gets the vote")
    func restrictionOff() {
        var bench = Workbench(
            3, settings: Settings { $0.rules = .all(without: .electionRestriction) },
            disks: [n2: .init(term: 3, terms: [1, 2])])
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: false)), from: n1, to: n2, term: Term(4))
        #expect(bench[n2].votedFor == n1)
    }

    @Test("a refused request doesn't restart the voter's timer; a granted one does")
    func timerOfAVoter() {
        var bench = Workbench(3, disks: [n2: .init(term: 3, terms: [1, 2])])
        let before = bench[n2].deadline
        bench.advance(.milliseconds(10))
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: false)), from: n1, to: n2, term: Term(4))
        #expect(bench[n2].deadline == before)
        let last = LogPosition(term: Term(2), index: LogIndex(2))
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: last, isTold: false)), from: n3, to: n2, term: Term(4))
        #expect(bench[n2].deadline != before)
    }

    @Test("a server that hears of a later term adopts it and becomes a follower, whatever it was")
    func laterTerm() {
        var bench = Workbench(3)
        bench.elect(n1)
        #expect(bench[n1].role.name == .leader)
        bench.inject(
            .appendResponse(AppendResponse(outcome: .accepted(match: .zero), round: .zero)), from: n2, to: n1,
            term: Term(9))
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].currentTerm == Term(9))
        #expect(bench[n1].votedFor == nil)
    }

    @Test("a leader of an earlier term is refused and told the present one, so that it steps down")
    func earlierTerm() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.step(.campaign, on: n2)
        bench.deliverOnce { $0.to == n3 }
        bench.deliverOnce { $0.to == n2 }
        bench.dropWire()
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n2].role.name == .leader, "two leaders in different terms are allowed")
        bench.propose(on: n1)
        bench.deliver()
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].currentTerm == Term(2))
    }

    @Test("a candidate that hears the leader of its term follows it")
    func candidateHearsLeader() {
        var bench = Workbench(3)
        bench.step(.campaign, on: n1)
        bench.step(.campaign, on: n2)
        bench.deliver { !($0.to == n2 && $0.from == n1) || $0.append != nil }
        #expect([bench[n1], bench[n2]].count { $0.role.name == .leader } == 1)
        #expect([bench[n1], bench[n2]].count { $0.role.name == .follower } == 1)
    }

    @Test("a split vote elects nobody, and the term ends without a leader")
    func splitVote() {
        var bench = Workbench(4)
        bench.step(.campaign, on: n1)
        bench.step(.campaign, on: n2)
        bench.deliverOnce { ($0.from == n1 && $0.to == n3) || ($0.from == n2 && $0.to == n4) }
        bench.deliver()
        #expect(bench.servers.values.allSatisfy { $0.role.name != .leader })
        bench.elect(n3)
        #expect(bench[n3].role.name == .leader)
        #expect(bench[n3].currentTerm == Term(2))
    }

    @Test("a server that sees two leaders in one term halts, with the numbers")
    func twoLeadersHalt() {
        var bench = Workbench(3)
        bench.elect(n1)
        let heartbeat = Message.Body.append(Append(previous: .zero, entries: [], commit: .zero, round: .zero))
        bench.inject(heartbeat, from: n3, to: n2, term: Term(1))
        #expect(bench[n2].violation == .twoLeaders(term: Term(1), one: n1, other: n3))
        bench.inject(heartbeat, from: n2, to: n1, term: Term(1))
        #expect(bench[n1].violation == .twoLeaders(term: Term(1), one: n1, other: n2))
        #expect(bench[n1].deadline == nil, "a halted server does nothing")
        bench.propose(on: n1)
        #expect(bench[n1].lastIndex == 1)
    }

    @Test("without the majority rule a candidate leads with half of the votes")
    func majorityOff() {
        var bench = Workbench(4, settings: Settings { $0.rules = .all(without: .majorityElects) })
        bench.step(.campaign, on: n1)
        bench.deliverOnce { $0.to == n2 }
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].role.name == .leader)
    }
}

/// Thesis §9.6, and §4.2.3 for the leader that lives.
struct PreVoteTests {
    private static let request = Message.Body.voteRequest(VoteRequest(poll: .preVote, last: .zero, isTold: false))

    @Test("a pre-vote touches no term, no vote and no timer")
    func touchesNothing() {
        var bench = Workbench(3)
        let before = bench[n2].deadline
        bench.advance(.milliseconds(10))
        bench.inject(Self.request, from: n1, to: n2, term: Term(8))
        #expect(bench[n2].currentTerm == .zero)
        #expect(bench[n2].votedFor == nil)
        #expect(bench[n2].deadline == before)
        #expect(bench.wire.map(\.voteResponse) == [VoteResponse(poll: .preVote, isGranted: true)])
        #expect(bench.wire.map(\.term) == [Term(8)], "the answer names the term that was asked about")
        #expect(bench.unsynced[n2]?.isEmpty == true)
    }

    @Test("a pre-vote is refused while a leader lives, and by the leader itself")
    func leaderAlive() {
        var bench = Workbench(3)
        bench.elect(n1)
        let last = bench[n3].log.last
        let request = Message.Body.voteRequest(VoteRequest(poll: .preVote, last: last, isTold: false))
        for voter in [n1, n2] {
            bench.inject(request, from: n3, to: voter, term: Term(2))
            #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [false])
        }
        bench.advance(.milliseconds(151))
        bench.inject(request, from: n3, to: n2, term: Term(2))
        #expect(bench.takeWire().map(\.voteResponse?.isGranted) == [true])
    }

    @Test("answers to a pre-vote are never counted as votes")
    func notCounted() {
        var bench = Workbench(5)
        bench.reachDeadline(of: n1)
        bench.deliverOnce { $0.to == n2 || $0.to == n3 }
        let late = bench.wire.filter { $0.to == n1 }
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].role.name == .candidate)
        for message in late { bench.step(.message(message), on: n1) }
        #expect(bench[n1].ballot?.granted == [n1])
    }

    @Test("an isolated server's term stands still, and its return disturbs nobody")
    func isolated() {
        var bench = Workbench(3)
        bench.elect(n1)
        for _ in 1...5 {
            bench.reachDeadline(of: n3)
            bench.dropWire()
        }
        #expect(bench[n3].currentTerm == Term(1))
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n3].role.name == .follower)
        #expect(bench[n1].role.name == .leader)
        #expect(bench[n1].currentTerm == Term(1))
    }

    @Test("without PreVote an isolated server's term climbs, and its return deposes a healthy leader")
    func disruptive() {
        let settings = Settings {
            $0.options.preVote = false
            $0.options.checkQuorum = false
        }
        var bench = Workbench(3, settings: settings)
        bench.elect(n1)
        for _ in 1...5 {
            bench.reachDeadline(of: n3)
            bench.dropWire()
        }
        #expect(bench[n3].currentTerm == Term(6))
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].currentTerm == Term(6))
    }

    @Test("a pre-candidate that a majority refuses waits as a follower")
    func refused() {
        var bench = Workbench(3, disks: [n2: .init(term: 1, terms: [1]), n3: .init(term: 1, terms: [1])])
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].currentTerm == Term(1), "the refusal told it the present term")
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n1].currentTerm == Term(1))
    }

    @Test("a lost vote is no hindrance: a server that voted in a term without a leader asks about the next")
    func asksAboutTheNext() {
        var bench = Workbench(3, disks: [n1: .init(term: 5, vote: n1, terms: [])])
        bench.reachDeadline(of: n2)
        bench.deliver()
        #expect(bench[n2].currentTerm == Term(5), "n1 told it that term 1 is past")
        bench.reachDeadline(of: n2)
        bench.deliver()
        #expect(bench[n2].role.name == .leader)
        #expect(bench[n2].currentTerm == Term(6))
    }
}

/// Thesis §6.2 and §4.2.3.
struct CheckQuorumTests {
    @Test("a leader that hears from no majority for an election timeout steps down")
    func stepsDown() {
        var bench = Workbench(5)
        bench.elect(n1)
        let elected = bench.now
        while bench[n1].role.name == .leader, bench.now < elected + .seconds(10) {
            bench.reachDeadline(of: n1)
            bench.deliver { $0.from == n2 || $0.to == n2 }
        }
        #expect(bench[n1].role.name == .follower, "two of five are no majority")
        #expect(bench.now <= elected + .milliseconds(300), "within two of the shortest timeouts")
        #expect(bench[n1].currentTerm == Term(1), "stepping down starts no term")
    }

    @Test("a leader that hears from a majority stays")
    func stays() {
        var bench = Workbench(5)
        bench.elect(n1)
        for _ in 1...20 {
            bench.reachDeadline(of: n1)
            bench.deliver { [$0.from, $0.to].allSatisfy { [n1, n2, n3].contains($0) } }
        }
        #expect(bench[n1].role.name == .leader)
    }

    @Test("with the check off a leader that nobody hears goes on")
    func off() {
        var bench = Workbench(3, settings: Settings { $0.options.checkQuorum = false })
        bench.elect(n1)
        for _ in 1...20 {
            bench.reachDeadline(of: n1)
            bench.dropWire()
        }
        #expect(bench[n1].role.name == .leader)
    }

    @Test("a candidate is ignored while a leader lives, unless it was told to campaign")
    func sticky() {
        var bench = Workbench(3)
        bench.elect(n1)
        let last = bench[n3].log.last
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: last, isTold: false)), from: n3, to: n2, term: Term(7))
        #expect(bench[n2].currentTerm == Term(1))
        #expect(bench.takeWire().isEmpty)
        bench.inject(
            .voteRequest(VoteRequest(poll: .vote, last: last, isTold: true)), from: n3, to: n2, term: Term(7))
        #expect(bench[n2].currentTerm == Term(7))
        #expect(bench[n2].votedFor == n3)
    }

    @Test("a server with a later term is heard by the leader it refuses, so that it isn't left behind for ever")
    func leftBehind() {
        var bench = Workbench(3, settings: Settings { $0.options.preVote = false })
        bench.elect(n1)
        bench.reachDeadline(of: n3)
        bench.dropWire()
        #expect(bench[n3].currentTerm == Term(2))
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].currentTerm == Term(2))
        #expect(bench[n1].role.name == .follower)
    }
}

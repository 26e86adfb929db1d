import RaftCore
import Testing

/// While two sets of voters decide, a majority of each is needed for everything (paper §6).
struct JointConsensusTests {
    /// Who answers n1, and whether that is enough: of n1…n5 three are needed, and of n1, n2 and n3 two.
    struct Answers: CustomTestStringConvertible {
        var nodes: NodeSet
        var isEnough: Bool

        var testDescription: String { "\(nodes): \(isEnough)" }

        static let all = [
            Answers(nodes: [n2], isEnough: false), Answers(nodes: [n4], isEnough: false),
            Answers(nodes: [n4, n5], isEnough: false), Answers(nodes: [n2, n4], isEnough: true),
            Answers(nodes: [n2, n3], isEnough: true), Answers(nodes: [n3, n4, n5], isEnough: true),
        ]
    }

    /// n1 leads five servers, of which n4 and n5 are to go. All have got the entry that makes both sets decide; it isn't
    /// committed.
    private func joint(_ settings: Settings = Settings()) -> Workbench {
        var bench = Workbench.led(5, settings: settings)
        bench.change(removing: [n4, n5])
        bench.deliverOnce()
        bench.dropWire()
        for node in [n1, n2, n3, n4, n5] {
            #expect(bench[node].configuration.description == "n1,n2,n3 with n1,n2,n3,n4,n5")
        }
        return bench
    }

    @Test("an entry is committed by a majority of each", arguments: Answers.all)
    func commits(answers: Answers) {
        var bench = joint()
        bench.reachDeadline(of: n1)
        bench.deliver { answers.nodes.contains($0.to) || $0.to == n1 }
        #expect((bench[n1].commitIndex >= LogIndex(2)) == answers.isEnough)
    }

    @Test("without that rule the new voters commit alone")
    func rule() {
        var bench = joint(Settings { $0.rules = .all(without: .jointNeedsBothMajorities) })
        bench.reachDeadline(of: n1)
        bench.deliver { $0.to == n2 || $0.to == n1 }
        #expect(bench[n1].commitIndex >= LogIndex(2))
    }

    @Test("a candidate wins with the votes of a majority of each", arguments: Answers.all)
    func votes(answers: Answers) {
        var bench = joint()
        bench.crash(n1)
        bench.start(n1)
        bench.step(.campaign, on: n1)
        bench.deliver { $0.isVoteRequest && answers.nodes.contains($0.to) || $0.voteResponse != nil }
        #expect((bench[n1].role.name == .leader) == answers.isEnough)
    }

    @Test("it campaigns when a majority of each would vote for it", arguments: Answers.all)
    func preVotes(answers: Answers) {
        var bench = joint()
        bench.crash(n1)
        bench.start(n1)
        bench.advance(.seconds(1))
        bench.reachDeadline(of: n1)
        #expect(bench[n1].role.name == .precandidate)
        bench.deliver { $0.isVoteRequest && answers.nodes.contains($0.to) || $0.voteResponse != nil }
        #expect((bench[n1].currentTerm == Term(2)) == answers.isEnough)
    }

    @Test("a candidate gives up once one of the two majorities can't be had, though the other could")
    func givesUp() {
        var bench = joint()
        bench.crash(n1)
        bench.start(n1)
        bench.step(.campaign, on: n1)
        bench.dropWire()
        let refusal = Message.Body.voteResponse(VoteResponse(poll: .vote, isGranted: false))
        bench.inject(refusal, from: n2, to: n1, term: Term(2))
        #expect(bench[n1].role.name == .candidate)
        bench.inject(refusal, from: n3, to: n1, term: Term(2))
        #expect(bench[n1].role.name == .follower)
    }

    @Test("a read is confirmed by a majority of each", arguments: Answers.all)
    func reads(answers: Answers) {
        var bench = joint()
        bench.step(.read(7), on: n1)
        bench.deliver { answers.nodes.contains($0.to) || $0.to == n1 }
        #expect(bench.reads == (answers.isEnough ? [.ready(7, index: LogIndex(1))] : []))
    }

    @Test("a read is answered when other voters count, and their answers are there already")
    func readsOfFewer() {
        var bench = Workbench.led(4)
        bench.step(.read(7), on: n1)
        bench.deliver { $0.to == n2 || $0.to == n1 }
        #expect(bench.reads.isEmpty, "n1 and n2 of four")
        bench.change(removing: [n4])
        #expect(bench.reads == [.ready(7, index: LogIndex(1))], "n1 and n2 of three")
    }

    @Test("a lease rests on a majority of each", arguments: Answers.all)
    func leases(answers: Answers) {
        var bench = joint()
        bench.adopt { $0.options.lease = true }
        bench.reachDeadline(of: n1)
        bench.deliver { answers.nodes.contains($0.to) || $0.to == n1 }
        bench.step(.leaseRead(7), on: n1)
        #expect(bench.reads.isEmpty != answers.isEnough)
    }

    @Test("a leader that doesn't hear from a majority of each steps down", arguments: Answers.all)
    func checkQuorum(answers: Answers) {
        var bench = joint()
        let start = bench.now
        while bench.now < start + .milliseconds(400), bench[n1].role.name == .leader {
            bench.reachDeadline(of: n1)
            bench.deliver { answers.nodes.contains($0.to) || $0.to == n1 }
        }
        #expect((bench[n1].role.name == .leader) == answers.isEnough)
    }

    @Test("a leader that is to go leads both sets, and steps down once the new one has committed that it is alone")
    func leaderGoes() {
        var bench = Workbench.led(3)
        bench.change(removing: [n1, n2])
        bench.deliver { $0.to != n3 }
        #expect(bench[n1].configuration.description == "n3 with n1,n2,n3", "n1 and n2 are a majority of the old only")
        #expect(bench[n1].role.name == .leader)
        bench.settle()
        #expect(bench[n1].role.name == .follower)
        #expect(bench[n3].configuration.voters == [n3])
        bench.reachDeadline(of: n3)
        #expect(bench[n3].role.name == .leader)
    }

    @Test("where the old leader dies halfway, one of the new ones goes on")
    func oldLeaderDies() {
        var bench = Workbench.led(3)
        bench.start(n4)
        bench.change(adding: [n4], removing: [n1])
        for _ in 1...3 where !bench[n4].configuration.isJoint {
            bench.reachDeadline(of: n1)
            bench.deliver { message in
                message.append?.entries.contains(where: \.endsChange) != true
            }
        }
        bench.crash(n1)
        bench.elect(n4)
        #expect(bench[n4].role.name == .leader, "n2, n3 and n4 are majorities of both")
        bench.settle(n4)
        #expect(bench[n4].changes.last == "n2,n3,n4")
        #expect(bench[n2].configuration.isSettled)
    }
}

import RaftCore
import Testing

/// Paper §8; thesis §6.4.
struct ReadTests {
    @Test("a read waits until a majority has confirmed the leader, and then for the commit index at its start")
    func readIndex() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.step(.read(7), on: n1)
        #expect(bench.reads.isEmpty)
        bench.deliverOnce { $0.to == n2 }
        bench.deliverOnce { $0.to == n1 }
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
    }

    @Test("a server that knows no leader refuses a read")
    func refused() {
        var bench = Workbench(3)
        bench.step(.read(7), on: n2)
        #expect(bench.reads == [.refused(7, leader: nil)])
    }

    @Test("the round that reads wait for is told when it begins, as it is answered, and when a majority has")
    func roundIsTold() {
        var bench = Workbench(5)
        bench.elect(n1)
        bench.clearObservations()
        bench.step(.read(7), on: n1)
        bench.step(.read(8), on: n1)
        bench.deliver()
        let steps = (bench.observations[n1] ?? []).compactMap { observation -> ReadRoundStep? in
            if case .readRound(let step) = observation { step } else { nil }
        }
        #expect(steps.map(\.round.rawValue) == [1, 1, 1, 2, 2, 2])
        #expect(steps.map { $0.confirmedBy.count } == [1, 2, 3, 1, 2, 3])
        #expect(steps.map(\.isConfirmed) == [false, false, true, false, false, true])
        #expect(steps.map(\.peer) == [nil, n2, n3, nil, n2, n3])
        #expect(steps.map(\.confirmedBy).first == [n1])
        #expect(steps.allSatisfy { $0.voters == 5 })
    }

    @Test("a read waits for an entry of the leader's own term to commit")
    func ownTermFirst() {
        var bench = Workbench(3, disks: [n1: .init(term: 1, terms: [1]), n2: .init(term: 1, terms: [1])])
        bench.step(.campaign, on: n1)
        bench.deliverOnce()
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].role.name == .leader)
        bench.step(.read(7), on: n1)
        #expect(bench[n1].commitIndex == .zero)
        #expect(bench.reads.isEmpty)
        bench.deliver()
        #expect(bench.reads == [.ready(7, index: LogIndex(2))])
    }

    @Test("without that rule a new leader reads at a commit index that may be old")
    func ownTermOff() {
        var bench = Workbench(
            3, settings: Settings { $0.rules = .all(without: .readIndexNeedsOwnTermCommit, .readIndexNeedsMajority) },
            disks: [n1: .init(term: 1, terms: [1]), n2: .init(term: 1, terms: [1])])
        bench.step(.campaign, on: n1)
        bench.deliverOnce()
        bench.deliverOnce { $0.to == n1 }
        bench.step(.read(7), on: n1)
        #expect(bench.reads == [.ready(7, index: .zero)])
    }

    @Test("a leader that was deposed without knowing answers no read")
    func deposed() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.step(.campaign, on: n2)
        bench.deliver { $0.from != n1 && $0.to != n1 }
        #expect(bench[n2].role.name == .leader)
        bench.step(.read(7), on: n1)
        bench.deliver { $0.from != n2 && $0.to != n2 }
        #expect(bench.reads == [.refused(7, leader: nil)], "n3 told it of the later term")
    }

    @Test("without confirmation a deposed leader answers")
    func majorityOff() {
        var bench = Workbench(3, settings: Settings { $0.rules = .all(without: .readIndexNeedsMajority) })
        bench.elect(n1)
        bench.step(.campaign, on: n2)
        bench.deliver { $0.from != n1 && $0.to != n1 }
        bench.step(.read(7), on: n1)
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
    }

    @Test("an answer from before the read, late or twice, confirms nothing")
    func lateAnswers() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.reachDeadline(of: n1)
        bench.deliverOnce { $0.append != nil }
        let old = bench.takeWire()
        bench.step(.read(7), on: n1)
        for message in old + old { bench.step(.message(message), on: n1) }
        #expect(bench.reads.isEmpty)
        bench.deliver()
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
    }

    @Test("reads that come while a round is open share the next one, and none is forgotten when messages are lost")
    func batches() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.step(.read(1), on: n1)
        bench.step(.read(2), on: n1)
        bench.step(.read(3), on: n1)
        #expect(bench.wire.count == 2, "one round for the first; the others wait for the next")
        bench.dropWire()
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(Set(bench.reads) == Set([1, 2, 3].map { ReadAnswer.ready($0, index: LogIndex(1)) }))
    }

    @Test("a leader that steps down answers every waiting read with a refusal")
    func stepsDown() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.step(.read(1), on: n1)
        bench.step(.read(2), on: n1)
        bench.dropWire()
        bench.inject(
            .voteResponse(VoteResponse(poll: .vote, isGranted: false)), from: n2, to: n1, term: Term(9))
        #expect(bench.reads == [.refused(1, leader: nil), .refused(2, leader: nil)])
    }

    @Test("a lone voter needs nobody to confirm it")
    func loneVoter() {
        var bench = Workbench(1)
        bench.step(.deadline, on: n1)
        bench.step(.read(7), on: n1)
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
    }
}

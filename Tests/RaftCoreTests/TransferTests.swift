import RaftCore
import Testing

/// Leadership transfer (thesis §3.10).
struct TransferTests {
    @Test("a leader hands over at once, though PreVote and CheckQuorum protect it")
    func atOnce() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.deliver()
        bench.step(.transfer(to: n2), on: n1)
        bench.deliver()
        #expect(bench[n2].role.name == .leader)
        #expect(bench[n2].currentTerm == Term(2))
        #expect(bench[n1].role.name == .follower)
    }

    @Test("a target that lacks entries gets them first, and is told only when it has the whole log on its disk")
    func catchesUp() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.propose([1], on: n1)
        bench.deliver { $0.to != n2 && $0.from != n2 }
        bench.step(.transfer(to: n2), on: n1)
        #expect(!bench.wire.contains { $0.body == .timeoutNow })
        bench.reachDeadline(of: n1)
        bench.deliverOnce { $0.to == n2 }
        #expect(!bench.wire.contains { $0.body == .timeoutNow }, "n2 has answered, and n1 doesn't know yet")
        bench.deliver()
        #expect(bench[n2].role.name == .leader)
        #expect(bench[n2].terms == [1, 1, 2])
    }

    @Test("meanwhile it appends nothing, or the target would never catch up; reads go on")
    func takesNoCommands() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.deliver()
        bench.step(.transfer(to: n2), on: n1)
        let told = bench.takeWire()
        let last = bench[n1].lastIndex
        bench.propose([7], on: n1)
        #expect(bench.proposal == .refused(leader: nil))
        #expect(bench[n1].lastIndex == last)
        bench.step(.read(1), on: n1)
        bench.deliver()
        #expect(bench.reads == [.ready(1, index: LogIndex(last))])
        bench.restoreWire(told)
        bench.deliver()
        #expect(bench[n2].role.name == .leader)
    }

    @Test("after an election timeout it gives up and serves again")
    func givesUp() {
        var bench = Workbench(3, settings: Settings { $0.options.checkQuorum = false })
        bench.elect(n1)
        bench.deliver()
        let before = bench.now
        bench.step(.transfer(to: n2), on: n1)
        bench.dropWire()
        while bench.proposal == nil || bench.proposal == .refused(leader: nil), bench.now < before + .seconds(1) {
            bench.reachDeadline(of: n1)
            bench.dropWire()
            bench.propose([7], on: n1)
        }
        #expect(bench.now == before + Settings().timing.electionTimeout.lowerBound)
        #expect(bench[n1].role.name == .leader)
        for _ in 1...3 {
            bench.reachDeadline(of: n1)
            bench.deliver()
        }
        #expect(bench[n2].commitIndex == bench[n1].log.lastIndex)
    }

    @Test("to itself, to a stranger, to a server that lost its disk, or by one who doesn't lead there is no transfer")
    func nonsense() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.deliver()
        bench.wipe(n3)
        bench.start(n3, incarnation: Incarnation.first.next)
        bench.reachDeadline(of: n1)
        bench.deliver()
        for target in [n1, n5, n3] { bench.step(.transfer(to: target), on: n1) }
        bench.step(.transfer(to: n1), on: n2)
        bench.propose([7], on: n1)
        #expect(bench.proposal != .refused(leader: nil))
        bench.deliver()
        #expect(bench[n1].role.name == .leader)
    }

    @Test("an order to campaign that comes late, from a term that is past, is nothing")
    func late() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.deliver()
        bench.elect(n3)
        #expect(bench[n2].currentTerm == Term(2))
        bench.inject(.timeoutNow, from: n1, to: n2, term: Term(1))
        bench.deliver()
        #expect(bench[n2].currentTerm == Term(2))
        #expect(bench[n3].role.name == .leader)
    }
}

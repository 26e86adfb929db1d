import RaftCore
import Testing

/// What a slow or dead server could make grow, and what keeps it from growing.
struct FlowTests {
    @Test(
        "a leader whose entries nobody stores takes no more when they weigh too much, and goes on when they are stored")
    func unfinishedEntries() {
        var bench = Workbench(3, settings: Settings { $0.limits.unfinishedBytesMax = 100 })
        bench.elect(n1)
        for _ in 1...4 {
            bench.propose([UInt8](repeating: 1, count: 30), on: n1)
            bench.dropWire()
        }
        #expect(bench.proposal == .overloaded)
        #expect(bench[n1].lastIndex == 4)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].commitIndex == LogIndex(4))
        bench.propose(on: n1)
        #expect(bench.proposal == .appended(first: LogPosition(term: Term(1), index: LogIndex(5))))
    }

    @Test("a leader whose own disk stalls takes no more either, though the others commit without it")
    func ownDiskStalls() {
        var bench = Workbench(3, settings: Settings { $0.limits.unfinishedBytesMax = 100 })
        bench.elect(n1)
        bench.syncsAtOnce = false
        for _ in 1...6 {
            bench.propose([UInt8](repeating: 1, count: 30), on: n1)
            bench.deliver()
            for node in [n2, n3] { bench.sync(node) }
            bench.deliver()
        }
        #expect(bench[n1].commitIndex > LogIndex(1))
        #expect(bench.proposal == .overloaded)
        bench.sync(n1)
        bench.propose(on: n1)
        #expect(bench.proposal != .overloaded)
    }

    @Test("a leader that nobody confirms lets so many reads wait, and no more")
    func waitingReads() {
        var bench = Workbench(3, settings: Settings { $0.limits.pendingReadsMax = 2 })
        bench.elect(n1)
        for id in 1...3 as ClosedRange<ReadID> { bench.step(.read(id), on: n1) }
        #expect(bench.reads == [.overloaded(3)])
        bench.deliver()
        #expect(bench.reads.count == 3)
        bench.step(.read(4), on: n1)
        bench.deliver()
        #expect(bench.reads.last == .ready(4, index: LogIndex(1)))
    }

    @Test("a disk that stalls holds so many answers, and the oldest are lost as any message may be")
    func heldAnswers() {
        var bench = Workbench(3)
        bench.syncsAtOnce = false
        for number in 1...3_000 as ClosedRange<UInt64> {
            let request = VoteRequest(
                poll: .vote, last: LogPosition(term: .zero, index: .zero), isTold: true)
            bench.inject(.voteRequest(request), from: n1, to: n2, term: Term(number / 1_000 + 1))
        }
        bench.dropWire()
        bench.sync(n2)
        #expect(bench.wire.count == 1_024)
        #expect(bench.wire.last?.voteResponse?.isGranted == true)
    }

    @Test("a follower that never answers is sent no more than its window, and then heartbeats")
    func window() {
        var bench = Workbench(3, settings: Settings { $0.limits.inflightMessagesMax = 3 })
        bench.elect(n1)
        bench.propose(on: n1)
        bench.deliver()
        for _ in 1...20 { bench.propose(on: n1) }
        #expect(bench.wire.filter { $0.to == n3 }.count == 3)
        bench.deliver { $0.to != n3 && $0.from != n3 }
        for _ in 1...5 {
            bench.reachDeadline(of: n1)
            #expect(bench.wire.filter { $0.to == n3 }.count == 1)
            bench.deliver { $0.to != n3 }
        }
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n3].lastIndex == bench[n1].lastIndex)
    }
}

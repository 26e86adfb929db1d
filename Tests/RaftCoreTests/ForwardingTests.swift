import RaftCore
import Testing

/// Thesis §6.4: reads at followers, whose leader names the index.
struct ForwardingTests {
    private func bench(_ count: Int = 3) -> Workbench {
        var bench = Workbench(count)
        bench.elect(n1)
        return bench
    }

    @Test("a follower has its leader confirm a read, and waits for the index that it names")
    func forwards() {
        var bench = bench()
        bench.step(.read(7), on: n2)
        #expect(bench.wire.map(\.to) == [n1])
        bench.deliverOnce()
        #expect(bench.reads.isEmpty)
        #expect(!bench.wire.contains { $0.readIndexResponse != nil }, "the leader asks a majority first")
        bench.deliver()
        #expect(bench.reads == [.ready(7, index: LogIndex(1))])
        bench.step(.leaseRead(8), on: n2)
        bench.deliver()
        #expect(bench.reads.last == .ready(8, index: LogIndex(1)))
    }

    @Test("reads that come while a request is out share the next, and those of several followers share a round")
    func batches() {
        var bench = bench()
        for id in 1...5 as ClosedRange<ReadID> { bench.step(.read(id), on: n2) }
        for id in 6...9 as ClosedRange<ReadID> { bench.step(.read(id), on: n3) }
        #expect(bench.wire.count { $0.readIndexRequest != nil } == 2)
        bench.step(.read(10), on: n1)
        var rounds: Set<ReadRound> = []
        bench.deliver { message in
            if let append = message.append { rounds.insert(append.round) }
            return true
        }
        #expect(Set(bench.reads) == Set((1...10).map { .ready($0, index: LogIndex(1)) }))
        // n1's own; both followers' first requests; then one's second, for which the other's has to wait.
        #expect(rounds.count == 4)
    }

    @Test("an answer that is late, comes twice, or is for another life or another server means nothing")
    func confusedAnswers() {
        var bench = bench()
        bench.step(.read(1), on: n2)
        let first = bench.wire.compactMap(\.readIndexRequest)
        bench.deliver()
        bench.clearReads()
        bench.step(.read(2), on: n2)
        let second = bench.takeWire().compactMap(\.readIndexRequest)
        #expect(first != second)
        bench.inject(
            .readIndexResponse(ReadIndexResponse(context: first[0].context, index: .zero)), from: n1, to: n2,
            term: Term(1))
        bench.inject(
            .readIndexResponse(ReadIndexResponse(context: second[0].context, index: .zero)), from: n3, to: n2,
            term: Term(1))
        #expect(bench.reads.isEmpty)
        bench.crash(n2)
        bench.start(n2, seed: 99)
        bench.reachDeadline(of: n1)
        bench.deliver()
        bench.step(.read(3), on: n2)
        let third = bench.takeWire().compactMap(\.readIndexRequest)
        for old in first + second {
            #expect(old != third[0])
            bench.inject(
                .readIndexResponse(ReadIndexResponse(context: old.context, index: .zero)), from: n1, to: n2,
                term: Term(1))
        }
        #expect(bench.reads.isEmpty)
    }

    @Test("a request that comes twice while it waits is confirmed once")
    func twice() {
        var bench = bench()
        bench.step(.read(1), on: n2)
        let request = bench.takeWire()
        for message in request + request { bench.step(.message(message), on: n1) }
        var answers = 0
        bench.deliver { message in
            if message.readIndexResponse != nil { answers += 1 }
            return true
        }
        #expect(answers == 1)
        #expect(bench.reads == [.ready(1, index: LogIndex(1))])
    }

    @Test("a request that was lost goes out again with a heartbeat, but not while its answer may be on its way")
    func resends() {
        var bench = bench()
        bench.reachDeadline(of: n1)
        bench.deliver()
        bench.step(.read(1), on: n2)
        let request = bench.takeWire().compactMap(\.readIndexRequest)
        bench.step(.read(2), on: n1)
        bench.deliver()
        #expect(bench.reads == [.ready(2, index: LogIndex(1))], "n1's round was no reason to ask again")
        bench.reachDeadline(of: n1)
        bench.deliverOnce()
        #expect(bench.wire.compactMap(\.readIndexRequest) == request)
        bench.deliver()
        #expect(bench.reads.last == .ready(1, index: LogIndex(1)))
    }

    @Test("a server that leads no longer says so, and the reads are refused, those that wait their turn as well")
    func leaderless() {
        var bench = bench()
        bench.step(.read(1), on: n2)
        bench.step(.read(2), on: n2)
        let request = bench.takeWire()
        bench.isolateUntilItStepsDown(n1)
        #expect(bench[n1].currentTerm == Term(1))
        bench.restoreWire(request)
        bench.deliver()
        #expect(Set(bench.reads) == [.refused(1, leader: nil), .refused(2, leader: nil)])
    }

    @Test("a leader that steps down refuses the reads of followers with its own")
    func stepsDown() {
        var bench = bench()
        bench.step(.read(1), on: n2)
        bench.deliverOnce()
        bench.dropWire()
        bench.isolateUntilItStepsDown(n1)
        bench.deliver()
        #expect(bench.reads == [.refused(1, leader: nil)])
    }

    @Test("when the leader changes the reads are refused, and what the old one says of them comes too late")
    func leaderChanges() {
        var bench = bench()
        bench.step(.read(1), on: n2)
        let request = bench.takeWire().compactMap(\.readIndexRequest)
        bench.elect(n3)
        #expect(bench.reads == [.refused(1, leader: nil)])
        bench.inject(
            .readIndexResponse(ReadIndexResponse(context: request[0].context, index: .zero)), from: n1, to: n2,
            term: Term(2))
        #expect(bench.reads.count == 1)
    }

    @Test("a follower that hears its leader no more refuses what waits, and one that leads itself reads")
    func itself() {
        var bench = Workbench(3, settings: Settings { $0.options.preVote = false })
        bench.elect(n1)
        bench.step(.read(1), on: n2)
        bench.dropWire()
        bench.reachDeadline(of: n2)
        #expect(bench.reads == [.refused(1, leader: nil)])
        bench.clearReads()
        bench.deliver()
        bench.step(.read(2), on: n3)
        bench.deliver()
        #expect(bench.reads.count == 1)
    }

    @Test("a leader of a later term tells one that asks in an earlier that it has fallen behind")
    func behind() {
        var bench = bench()
        bench.step(.read(1), on: n2)
        let request = bench.takeWire()
        bench.step(.campaign, on: n3)
        bench.deliver { $0.from != n2 && $0.to != n2 }
        #expect(bench[n1].currentTerm == Term(2))
        bench.restoreWire(request)
        bench.deliver()
        #expect(bench[n2].currentTerm == Term(2))
        #expect(bench.reads == [.refused(1, leader: nil)])
    }

    @Test("no more reads wait at a follower than are allowed")
    func bounded() {
        var bench = Workbench(3, settings: Settings { $0.limits.forwardedReadsMax = 3 })
        bench.elect(n1)
        for id in 1...5 as ClosedRange<ReadID> { bench.step(.read(id), on: n2) }
        #expect(bench.reads == [.refused(4, leader: n1), .refused(5, leader: n1)])
        bench.deliver()
        #expect(bench.reads.count == 5)
    }

    @Test("a server that lost its disk has no vote, but its leader confirms reads for it")
    func wiped() {
        var bench = bench()
        bench.wipe(n2)
        bench.start(n2, incarnation: Incarnation.first.next)
        for _ in 1...2 {
            bench.reachDeadline(of: n1)
            bench.deliver()
        }
        bench.step(.read(1), on: n2)
        bench.deliver()
        #expect(bench.reads == [.ready(1, index: LogIndex(1))])
    }

    @Test("a request waits for an entry of the leader's own term to commit, as its own reads do")
    func ownTermFirst() {
        var bench = Workbench(3, disks: [n1: .init(term: 1, terms: [1]), n2: .init(term: 1, terms: [1])])
        bench.step(.campaign, on: n1)
        bench.deliverOnce()
        bench.deliverOnce { $0.to == n1 }
        bench.deliverOnce { $0.to == n2 }
        let answers = bench.takeWire()
        bench.step(.read(1), on: n2)
        bench.deliver()
        #expect(bench.reads.isEmpty)
        bench.restoreWire(answers)
        bench.deliver()
        #expect(bench.reads == [.ready(1, index: LogIndex(2))])
    }

    @Test("a leader that was deposed without knowing names no index")
    func deposed() {
        var bench = Workbench(5)
        bench.elect(n1)
        bench.step(.campaign, on: n3)
        bench.deliver { $0.from != n1 && $0.to != n1 && $0.from != n2 && $0.to != n2 }
        #expect(bench[n3].role.name == .leader)
        bench.step(.read(1), on: n2)
        bench.deliver { $0.from.rawValue < 3 && $0.to.rawValue < 3 }
        #expect(bench.reads.isEmpty)
    }
}

extension Workbench {
    /// Cuts a leader off until it steps down, and lets nobody hear of it.
    fileprivate mutating func isolateUntilItStepsDown(_ node: NodeID) {
        for _ in 1...20 where self[node].role.name == .leader {
            reachDeadline(of: node)
            let told = takeWire().filter { $0.append == nil }
            restoreWire(told)
        }
        #expect(self[node].role.name == .follower)
    }
}

extension Message {
    fileprivate var readIndexRequest: ReadIndexRequest? {
        if case .readIndexRequest(let request) = body { request } else { nil }
    }
    fileprivate var readIndexResponse: ReadIndexResponse? {
        if case .readIndexResponse(let response) = body { response } else { nil }
    }
}

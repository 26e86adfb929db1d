import RaftCore
import Testing

/// Log compaction and InstallSnapshot (paper §7).
struct SnapshotTests {
    /// Three servers: n1 leads and has committed `count` commands; n3 was down and has nothing. n1 has a snapshot of all.
    private func behind(
        _ count: Int = 6, keeping: Int = 0, settings: Settings = Settings { $0.limits.bytesPerChunkMax = 3 }
    ) -> Workbench {
        var bench = Workbench(3, settings: settings)
        bench.crash(n3)
        bench.elect(n1)
        for number in 1...count {
            bench.propose([UInt8(number)], on: n1)
            bench.deliver()
        }
        bench.takeSnapshot(on: n1, keeping: keeping)
        bench.start(n3)
        return bench
    }

    /// Lets n1 show itself, so that it learns what n3 lacks.
    private func meet(_ bench: inout Workbench) {
        bench.reachDeadline(of: n1)
        bench.deliver()
    }

    @Test("a log forgets what a snapshot stands for, and keeps the last entries of it where it is told to")
    func compacts() {
        #expect(behind()[n1].log.count == 0)
        let kept = behind(keeping: 2)[n1]
        #expect(kept.log.base.index == LogIndex(5))
        #expect(kept.log.count == 2)
        #expect(kept.snapshot?.last == LogPosition(term: Term(1), index: LogIndex(7)))
    }

    @Test("a follower that needs forgotten entries gets the snapshot in parts, one at a time, and then entries again")
    func installs() {
        var bench = behind()
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench.wantsSnapshot == [n1])
        bench.loadSnapshot(on: n1)
        #expect(bench.wire.compactMap(\.chunk).map(\.bytes.count) == [3])
        bench.deliver()
        #expect(bench[n3].snapshot?.last.index == LogIndex(7))
        #expect(bench[n3].commitIndex == LogIndex(7))
        #expect(bench.disks[n3]?.snapshot?.bytes == [0, 1, 2, 3, 4, 5, 6])
        #expect(bench[n1].progress(of: n3)?.match == LogIndex(7))
        bench.propose([9], on: n1)
        bench.deliver()
        #expect(bench[n3].terms == [1])
        #expect(bench.disks[n3]?.log.base.index == LogIndex(7))
    }

    @Test("a small gap is filled from the entries that were kept, without a snapshot")
    func trailing() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.propose([1], on: n1)
        bench.deliver()
        bench.propose([2], on: n1)
        bench.deliver { $0.to != n3 }
        bench.takeSnapshot(on: n1, keeping: 1)
        meet(&bench)
        #expect(bench.wantsSnapshot.isEmpty)
        #expect(bench[n3].lastIndex == 3)
    }

    @Test("a part that was lost is sent again once the follower has said how much it has")
    func resumes() {
        var bench = behind()
        meet(&bench)
        bench.loadSnapshot(on: n1)
        bench.deliverOnce()
        bench.deliverOnce()
        #expect(bench.wire.compactMap(\.chunk).map(\.offset) == [3])
        bench.dropWire()
        bench.reachDeadline(of: n1)
        let question = bench.wire.first { $0.to == n3 }
        #expect(question?.chunk?.bytes == [])
        bench.deliverOnce()
        #expect(bench.wire.compactMap(\.snapshotResponse).map(\.received) == [3])
        bench.deliverOnce()
        #expect(bench.wire.compactMap(\.chunk).map(\.offset) == [3])
        bench.deliver()
        #expect(bench[n3].commitIndex == LogIndex(7))
    }

    @Test("an answer that comes twice sets no second part going")
    func duplicates() {
        var bench = behind()
        meet(&bench)
        bench.loadSnapshot(on: n1)
        bench.deliverOnce()
        let answer = bench.wire
        bench.deliverOnce()
        bench.restoreWire(answer)
        bench.deliverOnce { $0.snapshotResponse != nil }
        #expect(bench.wire.compactMap(\.chunk).count == 1)
    }

    @Test("a transfer whose follower restarts halfway starts clean")
    func restartsClean() {
        var bench = behind()
        meet(&bench)
        bench.loadSnapshot(on: n1)
        for _ in 1...4 { bench.deliverOnce() }
        #expect(bench[n1].progress(of: n3)?.installing?.received == 6)
        bench.crash(n3)
        bench.start(n3)
        bench.dropWire()
        meet(&bench)
        #expect(bench.disks[n3]?.snapshot?.bytes == [0, 1, 2, 3, 4, 5, 6])
    }

    @Test("a follower that dies during a transfer stops nobody, and is asked no more than a heartbeat each time")
    func deadFollower() {
        var bench = behind()
        meet(&bench)
        bench.loadSnapshot(on: n1)
        bench.crash(n3)
        for _ in 1...3 {
            bench.propose(on: n1)
            bench.reachDeadline(of: n1)
            #expect(bench.wire.filter { $0.to == n3 }.allSatisfy { $0.chunk?.bytes.isEmpty == true })
            bench.deliver()
        }
        #expect(bench[n1].commitIndex == LogIndex(10))
    }

    @Test("a new leader that knows nothing of the transfer starts its own")
    func leaderChanges() {
        var bench = behind()
        meet(&bench)
        bench.loadSnapshot(on: n1)
        for _ in 1...2 { bench.deliverOnce() }
        bench.dropWire()
        bench.takeSnapshot(on: n2)
        bench.elect(n2)
        meet(&bench)
        bench.reachDeadline(of: n2)
        bench.deliver()
        bench.loadSnapshot(on: n2)
        bench.deliver()
        #expect(bench[n3].commitIndex == bench[n2].commitIndex)
    }

    @Test("an installed snapshot is acknowledged when it is on disk, and not before")
    func durableFirst() {
        var bench = behind(settings: Settings())
        meet(&bench)
        bench.syncsAtOnce = false
        bench.loadSnapshot(on: n1)
        bench.deliver()
        #expect(bench[n3].commitIndex == LogIndex(7))
        #expect(bench[n1].progress(of: n3)?.match == .zero)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].progress(of: n3)?.match == .zero)
        bench.sync(n3)
        bench.deliver()
        #expect(bench[n1].progress(of: n3)?.match == LogIndex(7))
    }

    private func chunk(_ last: LogPosition, bytes: [UInt8] = [7]) -> Message.Body {
        let mark = SnapshotMark(last: last, configuration: Configuration(count: 3))
        return .snapshot(SnapshotChunk(mark: mark, size: bytes.count, offset: 0, bytes: bytes, round: .zero))
    }

    @Test("a snapshot that the log matches keeps what follows, and commits what it stands for")
    func keepsSuffix() {
        var bench = Workbench(3, disks: [n2: .init(term: 2, terms: [1, 1, 2, 2])])
        bench.inject(chunk(LogPosition(term: Term(2), index: LogIndex(3))), from: n1, to: n2, term: Term(2))
        #expect(bench[n2].terms == [1, 1, 2, 2])
        #expect(bench[n2].commitIndex == LogIndex(3))
        #expect(bench.wire.compactMap(\.response?.outcome) == [.accepted(match: LogIndex(3))])
    }

    @Test("a snapshot that the log doesn't match takes the place of all of it")
    func discardsConflict() {
        var bench = Workbench(3, disks: [n2: .init(term: 2, terms: [1, 1, 1, 1])])
        bench.inject(chunk(LogPosition(term: Term(2), index: LogIndex(3))), from: n1, to: n2, term: Term(2))
        #expect(bench[n2].terms.isEmpty)
        #expect(bench[n2].log.last == LogPosition(term: Term(2), index: LogIndex(3)))
        #expect(bench.wire.compactMap(\.response?.outcome) == [.accepted(match: LogIndex(3))])
    }

    @Test("a snapshot that is older than what is committed changes nothing, and is answered by an append's answer")
    func ignoresOld() {
        var bench = behind(settings: Settings())
        meet(&bench)
        bench.loadSnapshot(on: n1)
        bench.deliver()
        bench.propose([9], on: n1)
        bench.deliver()
        let before = bench[n3].log
        bench.inject(chunk(LogPosition(term: Term(1), index: LogIndex(4))), from: n1, to: n3, term: Term(1))
        #expect(bench[n3].log == before)
        #expect(bench[n3].commitIndex == LogIndex(7))
        #expect(bench.wire.compactMap(\.response?.outcome).count == 1)
    }

    @Test("an answer that says that the follower has the snapshot ends the transfer, whatever of it is on the way")
    func endsByAppendResponse() {
        var bench = behind()
        meet(&bench)
        bench.loadSnapshot(on: n1)
        bench.dropWire()
        let has = AppendResponse(outcome: .accepted(match: LogIndex(7)), round: .zero)
        bench.inject(.appendResponse(has), from: n3, to: n1, term: Term(1))
        #expect(bench[n1].progress(of: n3)?.installing == nil)
        #expect(bench[n1].progress(of: n3)?.isProbing == false)
        #expect(bench[n1].progress(of: n3)?.next == LogIndex(8))
    }

    @Test("after compaction a vote goes by the snapshot's position")
    func freshness() {
        var bench = behind()
        let request = VoteRequest(
            poll: .vote, last: LogPosition(term: Term(1), index: LogIndex(6)), isTold: true)
        bench.inject(.voteRequest(request), from: n3, to: n1, term: Term(5))
        #expect(bench.wire.compactMap(\.voteResponse).map(\.isGranted) == [false])
        #expect(bench[n1].log.last == LogPosition(term: Term(1), index: LogIndex(7)))
    }

    @Test("late entries, the first of which are forgotten, are taken from where the log begins")
    func lateEntries() {
        var bench = behind()
        bench.takeSnapshot(on: n2)
        let term = Term(1)
        let entries = (5...8).map { Entry(term: term, payload: .command([UInt8($0)])) }
        let append = Append(
            previous: LogPosition(term: term, index: LogIndex(4)), entries: entries, commit: .zero, round: .zero)
        bench.inject(.append(append), from: n1, to: n2, term: term)
        #expect(bench[n2].lastIndex == 8)
        let late = Append(
            previous: LogPosition(term: term, index: LogIndex(2)), entries: Array(entries.prefix(1)), commit: .zero,
            round: .zero)
        bench.inject(.append(late), from: n1, to: n2, term: term)
        #expect(bench[n2].lastIndex == 8)
        #expect(bench.wire.compactMap(\.response?.outcome).last == .accepted(match: LogIndex(8)))
    }

    @Test("a server that starts again has committed what its snapshot stands for")
    func startsFromSnapshot() {
        var bench = behind(keeping: 2)
        bench.crash(n1)
        bench.start(n1)
        #expect(bench[n1].commitIndex == LogIndex(7))
        #expect(bench[n1].log.base.index == LogIndex(5))
        #expect(bench[n1].lastIndex == 7)
    }

    @Test("a snapshot of one's own that a leader's has overtaken changes nothing")
    func overtaken() {
        var bench = behind(settings: Settings())
        meet(&bench)
        bench.loadSnapshot(on: n1)
        bench.deliver()
        let mark = SnapshotMark(
            last: LogPosition(term: Term(1), index: LogIndex(3)), configuration: Configuration(count: 3))
        bench.step(.snapshotTaken(mark, keeping: 0), on: n3)
        #expect(bench[n3].snapshot?.last.index == LogIndex(7))
    }

    @Test("a leader of an earlier term that sends a snapshot hears of the present one")
    func earlierTerm() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.elect(n2)
        bench.inject(chunk(LogPosition(term: Term(1), index: LogIndex(3))), from: n1, to: n3, term: Term(1))
        #expect(bench.wire.map(\.term) == [Term(2)])
        #expect(bench[n3].snapshot == nil)
    }
}

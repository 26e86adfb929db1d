import Bench
import KeyValue
import RaftCore
import RaftTrace
import Testing

@testable import RaftNode

/// Snapshots of a whole server: its store and its clients' sessions (paper §7, thesis §6.3).
struct SnapshotTests {
    private func settings(every: Int?, trailing: Int = 0) -> Settings {
        var settings = Settings()
        settings.compaction.every = every
        settings.compaction.trailing = trailing
        return settings
    }

    @Test("a snapshot is taken when so many entries were applied, and as many as are to stay do")
    func automatic() {
        var bench = NodeBench(3, settings: settings(every: 5, trailing: 2))
        bench.elect(n1)
        for number in 1...4 as ClosedRange<UInt64> { _ = bench.perform(.increment(key: [1], by: 1), sequence: number) }
        #expect(bench[n1].raft.snapshot?.last.index == LogIndex(5))
        #expect(bench[n1].raft.log.base.index == LogIndex(3))
        for number in 5...20 as ClosedRange<UInt64> { _ = bench.perform(.increment(key: [1], by: 1), sequence: number) }
        #expect(bench.nodes.values.allSatisfy { $0.raft.log.count <= 7 })
    }

    @Test("a snapshot that would be too large is told, and tried again only when as much has been applied once more")
    func tooLarge() {
        var bench = NodeBench(3, settings: settings(every: 5))
        bench.writesSnapshotsAtOnce = false
        bench.elect(n1)
        for number in 1...6 as ClosedRange<UInt64> { _ = bench.perform(.increment(key: [1], by: 1), sequence: number) }
        let last = bench.drafts[n1]?.mark.last
        #expect(last?.index == LogIndex(5))
        bench.step(.snapshotWritten(.tooLarge(2_000_000_000)), on: n1)
        let told = bench.events.contains {
            guard case .node(n1, _, .snapshot(let step)) = $0.kind else { return false }
            return step.stage == .tooLarge && step.size == 2_000_000_000 && step.last == last
        }
        #expect(told)
        #expect(bench[n1].raft.snapshot == nil && bench[n1].writing == nil)
        for number in 7...8 as ClosedRange<UInt64> { _ = bench.perform(.increment(key: [1], by: 1), sequence: number) }
        #expect(bench[n1].writing == nil)
        _ = bench.perform(.increment(key: [1], by: 1), sequence: 9)
        #expect(bench[n1].writing?.mark.last.index == LogIndex(10))
    }

    @Test("a leader whose store is full appends nothing that lets it grow; keys can be read and deleted")
    func fullStore() throws {
        let configuration = Configuration(count: 1)
        var node = try Node(
            raft: Raft(
                id: n1, configuration: configuration, settings: Settings(), hardState: HardState(), log: Log(),
                snapshot: nil, seed: 1, now: .zero), snapshot: nil)
        func handle(_ input: NodeInput) -> [Reply] {
            var effects = Effects()
            node.handle(input, at: .zero, into: &effects)
            return effects.replies + (effects.write.map { handle(.durable($0.number)) } ?? [])
        }
        _ = handle(.campaign)
        let value = Bytes(repeating: 1, count: Operation.bytesMax - 4)
        let keys = (0..<UInt32(Store.bytesMax / Operation.bytesMax)).map { number in
            withUnsafeBytes(of: number.bigEndian) { Bytes($0) }
        }
        for key in keys { _ = node.machine.apply(SessionCommand(.set(key: key, value: value))) }
        #expect(node.machine.store.bytes == Store.bytesMax)
        func ask(_ kind: ClientRequest.Kind) -> ClientResult? {
            handle(.requests([ClientRequest(id: 1, kind: kind)])).first?.result
        }
        #expect(ask(.write(SessionCommand(.set(key: "x".bytes, value: [])))) == .refused(.full))
        #expect(ask(.write(SessionCommand(.increment(key: "x".bytes, by: 1)))) == .refused(.full))
        #expect(ask(.read(.get(key: keys[0], .readindex))) == .value(value))
        #expect(ask(.write(SessionCommand(.delete(key: keys[0])))) == .ok)
        #expect(ask(.write(SessionCommand(.set(key: "x".bytes, value: [])))) == .ok)
    }

    @Test("while a snapshot is written the server goes on appending, applying and answering")
    func goesOn() {
        var bench = NodeBench(3, settings: settings(every: nil))
        bench.writesSnapshotsAtOnce = false
        bench.elect(n1)
        _ = bench.perform(.increment(key: [1], by: 1), sequence: 1)
        bench.step(.takeSnapshot, on: n1)
        #expect(bench.perform(.increment(key: [1], by: 1), sequence: 2) == .value("2".bytes))
        #expect(bench[n1].applied == LogIndex(3))
        bench.finishSnapshot(on: n1)
        #expect(bench[n1].raft.snapshot?.last.index == LogIndex(2))
        #expect(bench[n1].raft.log.count == 1)
        bench.crash(n1)
        bench.start(n1)
        #expect(bench[n1].applied == LogIndex(2))
        #expect(bench[n1].machine.store[[1]] == "1".bytes)
    }

    @Test("a server that goes on from a leader's snapshot has its store, and does a write that comes again once")
    func restores() {
        var bench = NodeBench(3, settings: settings(every: nil))
        bench.crash(n3)
        bench.elect(n1)
        _ = bench.perform(.increment(key: [1], by: 1), as: "a", sequence: 1)
        bench.step(.takeSnapshot, on: n1)
        bench.start(n3)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n3].machine == bench[n1].machine)
        bench.elect(n3)
        #expect(bench.perform(.increment(key: [1], by: 1), as: "a", sequence: 1) == .value("1".bytes))
        #expect(bench[n3].machine.store[[1]] == "1".bytes)
    }

    @Test("no server has an empty store after a start from a snapshot, and reads wait until it is known to be current")
    func readsAfterStart() {
        var bench = NodeBench(3, settings: settings(every: nil))
        bench.elect(n1)
        _ = bench.perform(.set(key: [1], value: [2]), sequence: 1)
        bench.reachDeadline(of: n1)
        bench.deliver()
        for node in [n1, n2, n3] { bench.step(.takeSnapshot, on: node) }
        for node in [n1, n2, n3] { bench.crash(node) }
        for node in [n1, n2, n3] { bench.start(node) }
        let early = bench.ask(.read(.get(key: [1], .local)), on: n2)
        #expect(bench.replies[early]?.result == .value([2]))
        bench.elect(n2)
        let read = bench.ask(.read(.get(key: [1], .readindex)), on: n2)
        bench.deliver()
        #expect(bench.replies[read]?.result == .value([2]))
    }

    @Test("a snapshot holds the members as of its last entry, and not those that are in use")
    func members() {
        var bench = NodeBench(3, settings: settings(every: nil))
        bench.elect(n1)
        bench.step(.changeMembers(adding: [], removing: [n3]), on: n1)
        bench.dropWire()
        bench.step(.takeSnapshot, on: n1)
        #expect(bench[n1].raft.configuration.voters == [n1, n2])
        #expect(bench.disks[n1]?.snapshot?.mark.configuration == Configuration(count: 3))
    }

    @Test("there is nothing to take a snapshot of twice")
    func nothingNew() {
        var bench = NodeBench(1, settings: settings(every: nil))
        bench.elect(n1)
        bench.step(.takeSnapshot, on: n1)
        let count = bench.events.count
        bench.step(.takeSnapshot, on: n1)
        #expect(bench.events.count == count)
    }

    @Test("the screen's picture follows: where the log begins, what the snapshot stands for, and the store")
    func picture() {
        var bench = NodeBench(3, settings: settings(every: nil))
        bench.crash(n3)
        bench.elect(n1)
        for number in 1...3 as ClosedRange<UInt64> {
            _ = bench.perform(.set(key: [1], value: [UInt8(number)]), sequence: number)
        }
        bench.step(.takeSnapshot, on: n1)
        #expect(bench.picture[n1]?.log.base.index == LogIndex(4))
        bench.start(n3)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench.picture[n3]?.snapshot?.index == LogIndex(4))
        #expect(bench.picture[n3]?.store == [[1]: [3]])
        _ = bench.perform(.set(key: [1], value: [9]), sequence: 4)
        for node in [n1, n3] {
            #expect(bench.picture[node]?.log.last == bench[node].raft.log.lastIndex)
            #expect(bench.picture[node]?.log.base == bench[node].raft.log.base)
        }
    }
}

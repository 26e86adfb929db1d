import Dispatch
import KeyValue
import Laboratory
import NIOCore
import KeyValue
import Laboratory
import RaftCore
import RaftNode
import RaftTrace
import Script
import Testing

@testable import RaftCluster

/// Servers that nobody watches, and where their writes are done.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct WritingTests {
    private let laboratory: LiveCluster

    init() throws {
        laboratory = try LiveCluster(.init(nodes: 3))
        laboratory.start()
    }

    /// Takes events until `isDone`; what doesn't come within a minute doesn't come.
    @discardableResult
    private func follow(_ picture: inout Picture, until isDone: (Picture, [Event]) -> Bool) -> [Event] {
        var all: [Event] = []
        while !isDone(picture, all), laboratory.now < .zero + .seconds(60) {
            laboratory.waitForEvents(until: .zero + .seconds(60))
            let events = laboratory.takeEvents()
            for event in events { picture.apply(event) }
            all += events
        }
        return all
    }

    @Test("servers that nobody watches tell nothing and go on; whoever begins to watch is told their state first")
    func unobserved() throws {
        defer { laboratory.close() }
        var picture = Picture()
        follow(&picture) { picture, _ in picture.leader != nil && picture.isConverged }
        let leader = try #require(picture.leader?.id)
        laboratory.observe(false)
        follow(&picture) { [laboratory] _, _ in laboratory.isSettled }
        let before = picture.leader?.commit ?? .zero

        let writing = try laboratory.beginWrites(clients: 4, valueSize: 8, leader: leader)
        var writes = 0
        while writes < 100, laboratory.now < .zero + .seconds(60) {
            // On a machine that is busy with other things, another server may come to lead: some fail then.
            writes += try writing.measure().writes
        }
        try writing.end()
        #expect(writes >= 100)
        #expect(laboratory.takeEvents().isEmpty)

        laboratory.observe(true)
        let events = follow(&picture) { picture, events in
            picture.isConverged && Set(events.compactMap(\.kind.stateOf)).count == 3
        }
        for node in laboratory.members {
            let first = events.first { if case .node(node, _, _) = $0.kind { true } else { false } }
            #expect(first?.kind.stateOf == node, "the first that \(node) tells is its state")
        }
        #expect(before.distance(to: picture.leader?.commit ?? .zero) >= 100)
        #expect(1...4 ~= picture.leader?.storeCount ?? 0)
    }

    @Test("a follower whose disk is stuck goes on answering its leader")
    func stuckDisk() throws {
        defer { laboratory.close() }
        var picture = Picture()
        follow(&picture) { picture, _ in picture.leader != nil && picture.isConverged }
        let leader = try #require(picture.leader)
        let follower = try #require(laboratory.members.first { $0 != leader.id })
        let gate = DispatchSemaphore(value: 0)
        // Its loop trusts its disk, whose thread is held up all the same.
        laboratory.hosts[follower]?.execute { host in
            for _ in 0..<SyncPace.trustMin { host.syncPace.note(.zero) }
            host.disk.execute { _ in gate.wait() }
        }
        let set = Command.client(ClientCommand(.write(.set(key: [1], value: [2])), client: "c", isBackground: true))
        try laboratory.perform(set, seeing: picture)
        let since = laboratory.now
        let events = follow(&picture) { picture, _ in picture.now > since + .milliseconds(900) }
        gate.signal()
        let elections = events.filter {
            if case .node(_, _, .raft(.roleChanged)) = $0.kind { true } else { false }
        }
        #expect(elections.isEmpty, "three election timeouts have passed, and its leader lives")
        #expect(picture.lastReturn?.result == .ok, "the two others are a majority")
        follow(&picture) { picture, _ in picture[follower]?.durable == picture.leader?.durable }
        #expect(picture[follower]?.durable == LogIndex(2), "what waited for the disk is there")
    }

    @Test("a loop trusts its disk after many fast syncs in a row, and no longer after a slow one")
    func pace() {
        defer { laboratory.close() }
        var pace = SyncPace()
        for _ in 1..<SyncPace.trustMin { pace.note(SyncPace.fastMax) }
        #expect(!pace.isFast)
        pace.note(SyncPace.fastMax)
        #expect(pace.isFast)
        pace.note(SyncPace.fastMax + .nanoseconds(1))
        #expect(!pace.isFast)
    }
}

extension Event.Kind {
    /// The server whose whole state it tells.
    fileprivate var stateOf: NodeID? {
        if case .node(let node, _, .state) = self { node } else { nil }
    }
}

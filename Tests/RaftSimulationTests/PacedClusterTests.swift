import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import RaftSimulation

/// A simulated cluster whose time passes a hundred times as fast as ours.
struct PacedClusterTests {
    private let cluster = PacedCluster(
        SimulatedCluster.Options(nodes: 3, seed: 7, speed: 100, latency: .milliseconds(5) ... .milliseconds(10)))

    /// Takes events until something is so.
    private func events(until isOver: (Picture) -> Bool, after former: [Event] = []) -> [Event] {
        var (picture, events) = (Picture(), former)
        for event in former { picture.apply(event) }
        while !isOver(picture) {
            cluster.waitForEvents(until: nil)
            for event in cluster.takeEvents() {
                events.append(event)
                picture.apply(event)
            }
        }
        return events
    }

    private func picture(of events: some Sequence<Event>) -> Picture {
        events.reduce(into: Picture()) { $0.apply($1) }
    }

    private func set(_ value: String, seeing events: [Event]) throws {
        let write = ClientCommand(.write(.set(key: Array("x".utf8), value: Array(value.utf8))))
        _ = try cluster.perform(.client(write), seeing: picture(of: events))
    }

    @Test("time passes as its watcher's does, and commands are told when they are given")
    func passes() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        try set("1", seeing: elected)
        let written = events(until: { $0.acknowledgedWrites == 1 }, after: elected)
        #expect(written.map(\.sequence) == (1...UInt64(written.count)).map(\.self))
        #expect(zip(written, written.dropFirst()).allSatisfy { $0.at <= $1.at })
        #expect(cluster.now >= written[written.count - 1].at)
    }

    @Test("from any moment the cluster goes on in the same way, unless something else is done there")
    func branches() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        try set("1", seeing: elected)
        let first = events(until: { $0.acknowledgedWrites == 1 && $0.isConverged }, after: elected)
        // Nothing was ordered after the write, so that the same follows from every moment since.
        let called = try #require(first.lastIndex { if case .called = $0.kind { true } else { false } })
        for place in stride(from: called + 1, to: first.count, by: 7) {
            try cluster.branch(after: first[place].sequence)
            let again = events(until: { $0.acknowledgedWrites == 1 && $0.isConverged }, after: Array(first[...place]))
            let count = min(again.count, first.count)
            #expect(again.prefix(count) == first.prefix(count), "after \(first[place].kind)")
        }
        try cluster.branch(after: first[called].sequence)
        let leader = try #require(picture(of: first[...called]).leader?.id)
        _ = try cluster.perform(.nodes(.kill, [.node(leader)]), seeing: picture(of: first[...called]))
        let other = events(until: { $0.leader.map { $0.id != leader } ?? false }, after: Array(first[...called]))
        #expect(picture(of: other)[leader]?.isRunning == false)
        #expect(other.map(\.sequence) == (1...UInt64(other.count)).map(\.self))
    }

    @Test("what was ordered before a moment is kept, what was ordered after it is not")
    func orders() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        try set("1", seeing: elected)
        let first = events(until: { $0.acknowledgedWrites == 1 }, after: elected)
        _ = try cluster.perform(.freeze, seeing: picture(of: first))
        let frozen = events(until: { $0.rate == 0 }, after: first)
        try cluster.branch(after: first[first.count - 1].sequence)
        let other = events(until: { $0.now > picture(of: frozen).now }, after: first)
        #expect(picture(of: other).rate > 0, "the clock was frozen later")
        #expect(picture(of: other).acknowledgedWrites == 1)
    }

    @Test("steps go on while the clock stands still, and can be gone back on")
    func steps() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        _ = try cluster.perform(.freeze, seeing: picture(of: elected))
        let frozen = events(until: { $0.rate == 0 }, after: elected)
        _ = try cluster.perform(.step(3), seeing: picture(of: frozen))
        func steps(_ events: [Event]) -> Int { events.count { if case .stepped = $0.kind { true } else { false } } }
        var stepped = frozen
        while !cluster.isSettled || steps(stepped) < 3 {
            stepped += cluster.takeEvents()
        }
        #expect(steps(stepped) == 3)
        #expect(cluster.now >= stepped[stepped.count - 1].at)
        try cluster.branch(after: frozen[frozen.count - 1].sequence)
        #expect(cluster.now <= stepped[stepped.count - 1].at)
    }
}

import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import RaftSimulation

/// A simulated cluster whose time passes a hundred times as fast as ours: nothing here may rest on how much of it passes
/// between two lines of a test.
@Suite(.timeLimit(.minutes(10)))
struct PacedClusterTests {
    private let cluster: PacedCluster = {
        var options = SimulatedCluster.Options(
            nodes: 3, seed: 7, speed: 100, latency: .milliseconds(5) ... .milliseconds(10))
        // Where this process gets no time for as little as a twentieth of a second, the usual patience is over.
        options.patience = .seconds(1_000_000)
        return PacedCluster(options)
    }()

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

    @Test("from the moment of a command the cluster goes on with what the command did")
    func command() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        let leader = try #require(picture(of: elected).leader?.id)
        _ = try cluster.perform(.nodes(.kill, [.node(leader)]), seeing: picture(of: elected))
        let first = events(until: { $0.leader.map { $0.id != leader } ?? false }, after: elected)
        let command = try #require(first.lastIndex { if case .command = $0.kind { true } else { false } })
        for place in [command, command - 1] {
            try cluster.branch(after: first[place].sequence)
            let other = events(until: { $0.now >= first[first.count - 1].at }, after: Array(first[...place]))
            #expect((picture(of: other)[leader]?.isRunning == false) == (place == command))
            #expect(other.map(\.sequence) == (1...UInt64(other.count)).map(\.self))
        }
    }

    @Test("what can't be done at a moment that has passed leaves the present as it is")
    func refused() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        try set("1", seeing: elected)
        let written = events(until: { $0.acknowledgedWrites == 1 }, after: elected)
        let then = Array(written.prefix(elected.count))
        #expect(throws: Refusal.self) {
            _ = try cluster.branch(after: UInt64(then.count), then: .undo, seeing: picture(of: then))
        }
        try set("2", seeing: written)
        let again = events(until: { $0.acknowledgedWrites == 2 }, after: written)
        #expect(again.map(\.sequence) == (1...UInt64(again.count)).map(\.self))
        _ = try cluster.branch(
            after: UInt64(then.count), then: .nodes(.kill, [.node(NodeID(1))]), seeing: picture(of: then))
        let other = events(until: { $0[NodeID(1)]?.isRunning == false }, after: then)
        #expect(other.map(\.sequence) == (1...UInt64(other.count)).map(\.self))
    }

    @Test("a server whose step is looked at goes on when nothing is looked at any more")
    func unwatched() throws {
        cluster.start()
        let elected = events { $0.leader != nil }
        cluster.isWatched = true
        try set("1", seeing: elected)
        var written = elected
        while cluster.now < elected[elected.count - 1].at + .seconds(1) { written += cluster.takeEvents() }
        #expect(picture(of: written).acknowledgedWrites == 0)
        cluster.isWatched = false
        let answered = events(until: { $0.acknowledgedWrites == 1 && $0.isConverged }, after: written)
        #expect(answered.map(\.sequence) == (1...UInt64(answered.count)).map(\.self))
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

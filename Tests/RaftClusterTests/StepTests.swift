import Laboratory
import RaftCluster
import RaftCore
import RaftSimulation
import RaftTrace
import Script
import Testing

/// What `step` does, on both laboratories.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct StepTests {
    enum Kind: CaseIterable {
        case live
        case simulated
    }

    /// A cluster, and what is known of it.
    private final class Bench {
        let laboratory: any Laboratory
        private(set) var picture = Picture()

        init(_ kind: Kind, latency: ClosedRange<Interval> = .zero ... .zero) throws {
            switch kind {
            case .live: laboratory = try LiveCluster(.init(nodes: 3, latency: latency))
            case .simulated: laboratory = SimulatedCluster(.init(nodes: 3, latency: latency))
            }
            laboratory.start()
        }

        deinit { (laboratory as? LiveCluster)?.close() }

        /// Takes events until all is settled and `isDone`.
        @discardableResult
        func follow(until isDone: (Picture) -> Bool = { _ in true }) -> [Event] {
            var all: [Event] = []
            while true {
                let events = laboratory.takeEvents()
                all += events
                for event in events { picture.apply(event) }
                if laboratory.isSettled, isDone(picture) { return all }
                laboratory.waitForEvents(until: nil)
            }
        }

        /// Carries out a line, and answers what came of it until all is settled.
        @discardableResult
        func perform(_ line: String) throws -> [Event] {
            try begin(line)
            return follow()
        }

        func begin(_ line: String) throws {
            guard case .command(let command)? = try Statement.Kind(parsing: line, nodes: 3) else {
                throw Refusal("'\(line)' is no command")
            }
            try laboratory.perform(command, seeing: picture)
        }

        func freezeWithLeader() throws {
            follow { $0.leader?.commit ?? .zero > .zero }
            try perform("freeze")
            // What was between sockets and disks comes to rest with the first step.
            try perform("step")
        }
    }

    private func steps(in events: [Event]) -> [Event] {
        events.filter { if case .stepped = $0.kind { true } else { false } }
    }

    private func deliveries(in events: [Event]) -> [UInt64] {
        events.compactMap { if case .delivered(let delivered) = $0.kind { delivered.number } else { nil } }
    }

    @Test("a step is the earliest thing that is due, and no other", arguments: Kind.allCases)
    func one(kind: Kind) throws {
        let bench = try Bench(kind, latency: .milliseconds(10) ... .milliseconds(30))
        try bench.freezeWithLeader()
        try bench.begin("set x 1 &")
        for round in 1...60 {
            let dues = bench.picture.inFlight.all.compactMap(\.sent.due)
            let before = bench.laboratory.now
            let events = try bench.perform("step")
            let step = try #require(steps(in: events).first)
            guard case .stepped(let told) = step.kind else { return }
            #expect(steps(in: events).count == 1)
            #expect(bench.laboratory.now >= before && step.at == bench.laboratory.now)
            // The first one is chosen when what the client has asked is on its way.
            guard round > 1 else { continue }
            #expect(dues.allSatisfy { $0 >= bench.laboratory.now }, "what is due earlier comes first")
            #expect(deliveries(in: events) == (told.message.map { [$0] } ?? []))
            // One that acts unasked may be any; whom nothing reaches tells nothing.
            let acting = told.to ?? told.from
            for case .node(let node, _, let event) in events.map(\.kind) {
                if case .state = event { continue }
                #expect(node == acting, "\(event)")
            }
        }
        #expect(bench.picture.acknowledgedWrites == 1)
        #expect(bench.picture.nodes.allSatisfy { $0.term == bench.picture.leader?.term }, "no timer ran out unduly")
    }

    @Test("several steps are as many single ones", arguments: Kind.allCases)
    func several(kind: Kind) throws {
        let bench = try Bench(kind)
        try bench.freezeWithLeader()
        #expect(steps(in: try bench.perform("step 25")).count == 25)
        try bench.begin("step 3")
        try bench.begin("step 4")
        #expect(steps(in: bench.follow()).count == 7, "one order after the other")
    }

    @Test("where nothing is due that is said once, and the clock stays", arguments: Kind.allCases)
    func nothing(kind: Kind) throws {
        let bench = try Bench(kind)
        try bench.freezeWithLeader()
        try bench.perform("pause 1 2 3")
        // What is on its way gets to sockets, where nobody reads it.
        try bench.perform("step 100")
        let before = bench.laboratory.now
        let events = try bench.perform("step 5")
        #expect(steps(in: events).map(\.kind) == [.stepped(ClockStepped())])
        #expect(bench.laboratory.now == before)
        try bench.perform("resume 1 2 3")
        #expect(steps(in: try bench.perform("step 5")).count == 5)
    }

    @Test("a disk that stalls, a server that dies and a clock that goes on hold no step up", arguments: Kind.allCases)
    func disturbed(kind: Kind) throws {
        let bench = try Bench(kind)
        try bench.freezeWithLeader()
        let follower = try #require(bench.picture.nodes.first { $0.role == .follower }?.id.rawValue)
        try bench.perform("disk \(follower) stall")
        try bench.begin("set x 1 &")
        #expect(steps(in: try bench.perform("step 30")).count == 30)
        try bench.begin("step 200")
        try bench.begin("kill \(follower)")
        let events = bench.follow()
        #expect(steps(in: events).count == 200)
        #expect(bench.picture.acknowledgedWrites == 1)
        try bench.begin("step 10000")
        try bench.begin("thaw")
        bench.follow { $0.rate == 1 }
        #expect(steps(in: bench.follow()).isEmpty)
        let now = bench.laboratory.now
        bench.follow { $0.now > now + .milliseconds(100) }
    }

    @Test("a client that has waited long enough asks again without a step", arguments: Kind.allCases)
    func clients(kind: Kind) throws {
        let bench = try Bench(kind)
        try bench.freezeWithLeader()
        let leader = try #require(bench.picture.leader?.id.rawValue)
        try bench.perform("kill \(leader)")
        try bench.begin("set x 1 &")
        // Time goes on to the others' election timers, and the client finds whoever leads then.
        for _ in 1...40 where bench.picture.acknowledgedWrites == 0 { try bench.perform("step 10") }
        #expect(bench.picture.lastReturn?.result == .ok)
    }
}

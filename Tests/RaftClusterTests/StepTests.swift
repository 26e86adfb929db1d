import Laboratory
import RaftCore
import RaftTrace
import Testing

/// What `step` does, on both laboratories.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct StepTests {
    private func steps(in events: [Event]) -> [Event] {
        events.filter { if case .stepped = $0.kind { true } else { false } }
    }

    private func deliveries(in events: [Event]) -> [UInt64] {
        events.compactMap { if case .delivered(let delivered) = $0.kind { delivered.number } else { nil } }
    }

    @Test("a step is the earliest thing that is due, and no other", arguments: Bench.Kind.allCases)
    func one(kind: Bench.Kind) throws {
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

    @Test("several steps are as many single ones", arguments: Bench.Kind.allCases)
    func several(kind: Bench.Kind) throws {
        let bench = try Bench(kind)
        try bench.freezeWithLeader()
        #expect(steps(in: try bench.perform("step 25")).count == 25)
        try bench.begin("step 3")
        try bench.begin("step 4")
        #expect(steps(in: try bench.follow()).count == 7, "one order after the other")
    }

    @Test("where nothing is due that is said once, and the clock stays", arguments: Bench.Kind.allCases)
    func nothing(kind: Bench.Kind) throws {
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

    @Test(
        "a disk that stalls, a server that dies and a clock that goes on hold no step up",
        arguments: Bench.Kind.allCases)
    func disturbed(kind: Bench.Kind) throws {
        let bench = try Bench(kind)
        try bench.freezeWithLeader()
        let follower = try #require(bench.picture.nodes.first { $0.role == .follower }?.id.rawValue)
        try bench.perform("disk \(follower) stall")
        try bench.begin("set x 1 &")
        #expect(steps(in: try bench.perform("step 30")).count == 30)
        try bench.begin("step 200")
        try bench.begin("kill \(follower)")
        let events = try bench.follow()
        #expect(steps(in: events).count == 200)
        #expect(bench.picture.acknowledgedWrites == 1)
        try bench.begin("step 10000")
        try bench.begin("thaw")
        try bench.follow { $0.rate == 1 }
        #expect(steps(in: try bench.follow()).isEmpty)
        let now = bench.laboratory.now
        try bench.follow { $0.now > now + .milliseconds(100) }
    }

    @Test("a client that has waited long enough asks again without a step", arguments: Bench.Kind.allCases)
    func clients(kind: Bench.Kind) throws {
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

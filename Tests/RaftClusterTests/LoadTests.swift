import Laboratory
import RaftCore
import RaftTrace
import Testing

@testable import RaftCluster

/// What `load` does, on both laboratories.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct LoadTests {
    private func calls(in events: [Event]) -> [ClientCall] {
        events.compactMap { if case .called(let call) = $0.kind { call } else { nil } }
    }

    @Test("a load is as much as was asked for, and each client has one write open", arguments: Bench.Kind.allCases)
    func rate(kind: Bench.Kind) throws {
        let bench = try Bench(kind)
        try bench.follow { $0.leader?.commit ?? .zero > .zero }
        let begin = bench.laboratory.now
        try bench.begin("load 400/s 3")
        let events = try bench.follow { $0.now > begin + .seconds(1) }
        // Events are taken some time after they happen: what is there may be of more than a second.
        let second = calls(in: events.filter { $0.at <= begin + .seconds(1) }).count
        #expect((1...405).contains(second), "\(second) in a second")
        // A machine that is busy may be late, a simulated one is not.
        if kind == .simulated { #expect(second >= 395) }
        var open: Set<String> = []
        for event in events {
            if case .called(let call) = event.kind { #expect(open.insert(call.client).inserted) }
            if case .returned(let answer) = event.kind { #expect(open.remove(answer.client) != nil) }
        }
        #expect(Set(calls(in: events).map(\.client)) == ["load1", "load2", "load3"])
        #expect(bench.picture.load == Load(rate: 400, clients: 3))
        #expect(bench.picture.lastReturn == nil, "a result is what somebody has asked for")
        #expect(
            events.filter { $0.explanation.line.hasPrefix("load") }.allSatisfy { $0.explanation.weight == .background })
    }

    @Test(
        "there is no load while the clock stands still, none after its end, and none after a reset",
        arguments: Bench.Kind.allCases)
    func ends(kind: Bench.Kind) throws {
        let bench = try Bench(kind)
        try bench.follow { $0.leader?.commit ?? .zero > .zero }
        try bench.begin("load 1000/s 4")
        try bench.follow { $0.acknowledgedWrites > 20 }
        try bench.perform("freeze")
        try bench.perform("step")
        // A busy machine may have stopped in the middle of an election, which takes some steps more.
        for round in 1...40 where round == 1 || !bench.picture.openCalls.isEmpty {
            #expect(calls(in: try bench.perform("step 60")).isEmpty)
        }
        #expect(bench.picture.openCalls.isEmpty, "what was open is answered")
        try bench.perform("thaw")
        let before = bench.picture.acknowledgedWrites
        try bench.follow { $0.acknowledgedWrites > before + 20 }
        try bench.perform("load off")
        try bench.follow { $0.openCalls.isEmpty }
        var now = bench.laboratory.now
        #expect(calls(in: try bench.follow { $0.now > now + .milliseconds(200) }).isEmpty)
        #expect(bench.picture.load == nil)
        try bench.begin("load 1000/s")
        try bench.follow { $0.acknowledgedWrites > before + 50 }
        try bench.perform("reset")
        try bench.follow { $0.leader?.commit ?? .zero > .zero }
        now = bench.laboratory.now
        #expect(calls(in: try bench.follow { $0.now > now + .milliseconds(200) }).isEmpty)
        #expect(bench.picture.load == nil && bench.picture.acknowledgedWrites == 0)
    }

    @Test("whoever doesn't keep up with what is told is known to have much before him")
    func crowd() {
        let queue = EventQueue()
        let kinds = Array(repeating: Event.Kind.clock(ClockRate(rate: 1)), count: 100)
        for _ in 1...40 { queue.tell(kinds, at: .zero) }
        #expect(!queue.isCrowded)
        for _ in 1...20 { queue.tell(kinds, at: .zero) }
        #expect(queue.isCrowded)
        #expect(queue.take().events.map(\.sequence) == Array(1...6_000))
        #expect(!queue.isCrowded)
    }
}

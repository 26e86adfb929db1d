import Dispatch
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import RaftCluster

/// A server that gets no time from its machine for a while.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct StallTests {
    @Test("a server that stalled reads what has come meanwhile before it believes its election timer")
    func stalled() throws {
        // Nobody else can begin an election, however long the machine keeps him waiting, and no leader gives up.
        var settings = Settings()
        settings.options.checkQuorum = false
        let laboratory = try LiveCluster(.init(nodes: 3, settings: settings))
        defer { laboratory.close() }
        var picture = Picture()
        let follower = NodeID(2)
        try laboratory.perform(.nodes(.holdTimer, [.node(follower), .node(NodeID(3))]), seeing: picture)
        laboratory.start()
        func follow(until isDone: ([Event]) -> Bool) -> [Event] {
            var all: [Event] = []
            // What doesn't come within a minute doesn't come.
            while !isDone(all), laboratory.now < .zero + .seconds(60) {
                laboratory.waitForEvents(until: .zero + .seconds(60))
                let events = laboratory.takeEvents()
                for event in events { picture.apply(event) }
                all += events
            }
            return all
        }
        _ = follow { _ in picture.leader != nil && picture.isConverged }
        let leader = try #require(picture.leader)
        try laboratory.perform(.nodes(.freeTimer, [.node(follower)]), seeing: picture)
        _ = follow { _ in picture[follower]?.isTimerHeld == false }
        let gate = DispatchSemaphore(value: 0)
        laboratory.hosts[follower]?.execute { _ in gate.wait() }
        let since = laboratory.now
        let stall = follow { _ in picture.now > since + .milliseconds(600) }
        gate.signal()
        let after = follow { events in
            events.contains { if case .delivered(let message) = $0.kind { message.to == follower } else { false } }
        }
        let campaigns = (stall + after).filter {
            if case .node(_, _, .raft(.roleChanged)) = $0.kind { true } else { false }
        }
        #expect(campaigns.isEmpty, "twice its election timeout has passed, and its leader lives")
        #expect(picture.leader?.id == leader.id)
        #expect(picture[follower]?.term == leader.term)
    }
}

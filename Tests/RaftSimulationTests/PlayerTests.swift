import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import RaftSimulation

/// How a script is played while time passes as a test says.
struct PlayerTests {
    @Test("a script that waits doesn't wait while its presenter has left it")
    func left() throws {
        let cluster = SimulatedCluster(
            SimulatedCluster.Options(nodes: 3, seed: 7, latency: .milliseconds(5) ... .milliseconds(10)))
        var player = Player(
            try Script(parsing: "cluster 3\nwait commit 1 = 3 within 2s\nset x 1", nodes: nil), isPresented: true)
        func advance(for length: Interval) -> Player.Outcome? {
            let end = cluster.now + length
            while cluster.now < end {
                player.take(cluster.takeEvents())
                if case .finished(let outcome) = player.advance(on: cluster) { return outcome }
                cluster.waitForEvents(until: end)
            }
            return nil
        }
        #expect(advance(for: .seconds(1)) == nil)
        player.isLeft = true
        #expect(advance(for: .seconds(5)) == nil)
        player.isLeft = false
        #expect(advance(for: .milliseconds(500)) == nil)
        for _ in 1...2 {
            _ = try cluster.perform(
                .client(ClientCommand(.write(.set(key: Array("x".utf8), value: [1])))), seeing: player.picture)
        }
        #expect(advance(for: .seconds(3)) == .passed(expectations: 0))
    }
}

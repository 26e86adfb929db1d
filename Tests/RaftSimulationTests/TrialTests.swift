import RaftAudit
import RaftCore
import RaftSimulation
import RaftTrace
import Testing

/// Simulated worlds, a few seeds; the release binary goes through many.
struct TrialTests {
    @Test("worlds of many kinds keep every property, and recover", arguments: [1, 3, 5])
    func passes(nodes: Int) {
        for seed in 1...8 as ClosedRange<UInt64> {
            var trial = Trial(seed: seed, nodes: nodes, duration: .seconds(8))
            let verdict = trial.run()
            #expect(verdict == .passed, "seed \(seed), \(nodes) nodes")
        }
    }

    @Test("the same seed gives the same events, and another seed others")
    func sameSeed() {
        func events(_ seed: UInt64) -> [Event] {
            var trial = Trial(seed: seed, nodes: 3, duration: .seconds(3), keepsEvents: true)
            var events: [Event] = []
            while true {
                let verdict = trial.step()
                events += trial.takeEvents()
                if verdict != nil { return events }
            }
        }
        let first = events(5)
        #expect(first.count > 500)
        #expect(first == events(5))
        #expect(first != events(6))
    }

    @Test("a copy of a world goes its own way, the original its own")
    func branches() {
        var trial = Trial(seed: 3, nodes: 3, duration: .seconds(3), keepsEvents: true)
        for _ in 0..<300 { _ = trial.step() }
        var branch = trial
        var (one, other): ([Event], [Event]) = ([], [])
        for _ in 0..<300 {
            _ = trial.step()
            one += trial.takeEvents()
        }
        for _ in 0..<300 {
            _ = branch.step()
            other += branch.takeEvents()
        }
        #expect(one == other)
        #expect(!one.isEmpty)
    }

    @Test("a trace tells the audit what the world did", arguments: [Rule.voteOncePerTerm, .truncateOnlyOnConflict])
    func auditOfTrace(rule: Rule) throws {
        var trial = Trial(seed: 1, nodes: 5, duration: .seconds(20), without: [rule], keepsEvents: true)
        var audit = Audit()
        while true {
            let verdict = trial.step()
            for event in trial.takeEvents() { audit.take(event.kind, sequence: event.sequence) }
            guard let verdict else { continue }
            let finding = try #require(audit.firstFinding)
            #expect(verdict == .broken(finding))
            return
        }
    }

    @Test("a disk that lies about its syncs, or forgets votes, is found out", arguments: World.Sabotage.allCases)
    func sabotage(kind: World.Sabotage) {
        let isFound = (1...40 as ClosedRange<UInt64>).contains { seed in
            var trial = Trial(seed: seed, nodes: 5, duration: .seconds(15), sabotage: [kind])
            return trial.run() != .passed
        }
        #expect(isFound)
    }
}

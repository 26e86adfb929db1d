import Foundation
import Laboratory
import RaftAudit
import RaftCore
import RaftSimulation
import RaftTrace
import Script
import Testing

/// What was done to a cluster is done again by its transcript.
@Suite(.timeLimit(.minutes(10)))
struct TranscriptsPlayed {
    /// Scripts that nobody could play by hand: their disks hold something at first, or a moment decides that is shorter
    /// than what is slept.
    private static let delicate = [
        "disk-aba", "figure-8", "figure-8-broken", "members-2015", "members-2015-broken", "members-give-up",
        "members-one-at-a-time", "members-wiped", "when",
    ]

    private static let names = ScriptsOnBoth.names.filter { !delicate.contains(String($0.dropLast(".raft".count))) }

    @Test("a transcript does what was done, in the same order, whatever the seed", arguments: names)
    func again(name: String) throws {
        let text = try String(contentsOf: ScriptsOnBoth.directory.appending(path: name), encoding: .utf8)
        let script = try Script(parsing: text, nodes: 5)
        for seed in 1...2 as ClosedRange<UInt64> {
            let first = play(script, seed: seed)
            let again = play(try Script(parsing: first.text, nodes: nil), seed: seed + 100)
            guard case .passed = again.outcome else {
                Issue.record("\(name), seed \(seed): \(again.outcome)\n\(first.text)")
                continue
            }
            #expect(again.commands.map(\.text) == first.commands.map(\.text), "seed \(seed)\n\(first.text)")
        }
    }

    @Test(
        "the same nodes lead again, so that the story fits the numbers in it", arguments: 1...20 as ClosedRange<UInt64>)
    func leaders(seed: UInt64) throws {
        let script = try Script(
            parsing: """
                cluster 5
                latency 10ms..30ms
                wait leader
                sleep 300ms
                set x 1
                kill leader
                sleep 1s
                get x
                undo
                sleep 300ms
                isolate leader
                set x 2 &
                sleep 2s
                heal
                sleep 200ms
                partition 1,2 | 3,4,5
                sleep 2s
                set x 3
                """, nodes: nil)
        let first = play(script, seed: seed)
        let again = play(try Script(parsing: first.text, nodes: nil), seed: seed + 100)
        #expect(again.commands == first.commands, "\(first.text)")
    }

    private func play(_ script: Script, seed: UInt64) -> Played {
        Played(Performance(of: script, on: SimulatedCluster(.init(nodes: script.nodes ?? 5, seed: seed))))
    }
}

/// What came of playing a script.
private struct Played {
    /// A command, and who led then.
    struct Given: Equatable {
        var text: String
        var leader: NodeID?
    }

    let outcome: Player.Outcome
    private(set) var commands: [Given] = []
    private var transcript = Transcript()
    private var witness = Witness()

    /// What only helps the same nodes to lead, or was switched before the beginning, or is up to whoever plays it.
    private static let unimportant = ["hold-timer", "free-timer", "speed", "freeze", "thaw", "option", "latency"]

    init(_ performance: Performance) {
        outcome = performance.outcome
        for event in performance.events { take(event) }
        witness.finish()
    }

    var text: String {
        let broken = Set(witness.audit.findings.map(\.property)).sorted { $0.rawValue < $1.rawValue }
        return transcript.text(titled: "again", savedAt: "today", breaking: broken)
    }

    private mutating func take(_ event: Event) {
        if case .began = event.kind { commands = [] }
        witness.take(event)
        transcript.take(event, seeing: witness.picture)
        guard case .command(let done) = event.kind, !done.text.contains("#"),
            !Played.unimportant.contains(String(done.text.prefix { $0 != " " }))
        else { return }
        let text = done.text.hasSuffix(" &") ? String(done.text.dropLast(2)) : done.text
        commands.append(Given(text: text, leader: witness.picture.leader?.id))
    }
}

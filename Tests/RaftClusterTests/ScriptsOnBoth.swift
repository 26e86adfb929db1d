import Foundation
import Laboratory
import RaftCluster
import RaftSimulation
import RaftTrace
import Script
import Testing

/// The scripts of the tests, played on both laboratories: on real servers, with TCP on 127.0.0.1, files, threads and
/// time; and in simulated worlds.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ScriptsOnBoth {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Scripts")

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        return (files ?? []).filter { $0.hasSuffix(".raft") }.sorted()
    }()

    @Test("there are scripts to play")
    func some() { #expect(Self.names.count >= 20) }

    @Test("a script passes on real servers", arguments: names)
    func live(name: String) throws {
        let script = try script(named: name)
        let laboratory = try LiveCluster(.init(nodes: script.nodes))
        defer { laboratory.close() }
        check(name, play(script, on: laboratory))
    }

    @Test("a script passes in simulated worlds", arguments: names)
    func simulated(name: String) throws {
        let script = try script(named: name)
        for seed in 1...20 as ClosedRange<UInt64> {
            let laboratory = SimulatedCluster(.init(nodes: script.nodes ?? LiveCluster.usualSize, seed: seed))
            check("\(name), seed \(seed)", play(script, on: laboratory))
        }
    }

    private func script(named name: String) throws -> Script {
        let text = try String(contentsOf: Self.directory.appending(path: name), encoding: .utf8)
        return try Script(parsing: text, nodes: LiveCluster.usualSize)
    }

    private func play(_ script: Script, on laboratory: any Laboratory) -> (Player.Outcome, [Event]) {
        var player = Player(script)
        var all: [Event] = []
        while true {
            let events = laboratory.takeEvents()
            all += events
            player.take(events)
            switch player.advance(on: laboratory) {
            case .waiting(let moment): laboratory.waitForEvents(until: moment)
            case .finished(let outcome): return (outcome, all)
            }
        }
    }

    private func check(_ name: String, _ end: (outcome: Player.Outcome, events: [Event])) {
        guard case .passed(let expectations) = end.outcome else {
            Issue.record("\(name): \(end.outcome)")
            return
        }
        #expect(expectations > 0, "a script that expects nothing proves nothing")
        checkOrder(of: end.events)
    }

    /// Events are in one row without gaps, and a message is sent before it arrives or is lost.
    private func checkOrder(of events: [Event]) {
        var sent: Set<UInt64> = []
        for (place, event) in events.enumerated() {
            #expect(event.sequence == UInt64(place + 1))
            switch event.kind {
            case .sent(let message): sent.insert(message.number)
            case .delivered(let delivered): #expect(sent.remove(delivered.number) != nil)
            case .lost(let lost): #expect(sent.remove(lost.number) != nil)
            default: break
            }
        }
    }
}

import Foundation
import Laboratory
import RaftCore
import RaftSimulation
import RaftTrace
import Script
import Synchronization
import Testing

/// Scripts played in simulated worlds, and what happened there.
enum ScriptTrace {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Scripts")
    private static let played = Mutex<[String: [Event]]>([:])

    /// The scripts of the tests.
    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        return (files ?? []).filter { $0.hasSuffix(".raft") }.sorted()
    }()

    /// What happens in a script of the tests.
    static func events(of name: String) throws -> [Event] {
        if let known = played.withLock({ $0[name] }) { return known }
        let text = try String(contentsOf: directory.appending(path: name), encoding: .utf8)
        let events = try events(playing: text)
        played.withLock { $0[name] = events }
        return events
    }

    /// What happens in the script that `text` is.
    static func events(playing text: String, seed: UInt64 = 1) throws -> [Event] {
        let script = try Script(parsing: text, nodes: 5)
        let laboratory = SimulatedCluster(.init(nodes: script.nodes ?? 5, seed: seed))
        var player = Player(script)
        var all: [Event] = []
        while true {
            let events = laboratory.takeEvents()
            all += events
            player.take(events)
            switch player.advance(on: laboratory) {
            case .waiting(let moment): laboratory.waitForEvents(until: moment)
            case .finished(let outcome):
                guard case .passed = outcome else {
                    Issue.record("\(outcome)")
                    return all
                }
                return all
            }
        }
    }
}

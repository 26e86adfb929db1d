import Foundation
import Laboratory
import RaftCluster
import RaftTrace
import Script
import Testing

/// The scripts of the tests, played on real servers: TCP on 127.0.0.1, files, threads, time.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LiveScripts {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Scripts")

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: directory.path)
        return (files ?? []).filter { $0.hasSuffix(".raft") }.sorted()
    }()

    @Test("there are scripts to play")
    func some() { #expect(Self.names.count >= 13) }

    @Test("a script passes on real servers", arguments: names)
    func passes(name: String) throws {
        let text = try String(contentsOf: Self.directory.appending(path: name), encoding: .utf8)
        let script = try Script(parsing: text, nodes: LiveCluster.usualSize)
        let laboratory = try LiveCluster(.init(nodes: script.nodes))
        defer { laboratory.close() }
        let (outcome, events) = play(script, on: laboratory)
        guard case .passed(let expectations) = outcome else {
            Issue.record("\(name): \(outcome)")
            return
        }
        #expect(expectations > 0, "a script that expects nothing proves nothing")
        checkOrder(of: events)
    }

    private func play(_ script: Script, on laboratory: LiveCluster) -> (Player.Outcome, [Event]) {
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

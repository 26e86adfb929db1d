import Foundation
import Laboratory
import RaftCluster
import RaftSimulation
import Script
import Testing

/// The scripts of the tests, played on both laboratories: on real servers, with TCP on 127.0.0.1, files, threads and
/// time; and in simulated worlds.
@Suite(.serialized, .timeLimit(.minutes(10)))
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
        Performance(of: script, on: laboratory).check(name)
    }

    @Test("a script passes in simulated worlds", arguments: names)
    func simulated(name: String) throws {
        let script = try script(named: name)
        for seed in 1...20 as ClosedRange<UInt64> {
            let laboratory = SimulatedCluster(.init(nodes: script.nodes ?? LiveCluster.usualSize, seed: seed))
            Performance(of: script, on: laboratory).check("\(name), seed \(seed)")
        }
    }

    private func script(named name: String) throws -> Script {
        let text = try String(contentsOf: Self.directory.appending(path: name), encoding: .utf8)
        return try Script(parsing: text, nodes: LiveCluster.usualSize)
    }
}

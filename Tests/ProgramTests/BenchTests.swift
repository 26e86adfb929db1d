import Foundation
import Testing

/// What `raft-tui bench` promises.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct BenchTests {
    private struct Result: Decodable {
        struct Latency: Decodable {
            var p50: Double
            var p99: Double
            var p999: Double
            var max: Double
        }

        var clients: Int
        var ops_per_second: Double
        var latency_us: Latency
        var fsyncs_per_op: Double
        var entries_per_append: Double
    }

    @Test("the results are JSON with an object for each number of clients", arguments: [false, true])
    func json(isInMemory: Bool) throws {
        let directory = try TemporaryDirectory()
        let ending = try Program.run(
            ["bench", "--nodes", "3", "--clients", "1,8", "--seconds", "1", "--json", "--data-dir", directory.path]
                + (isInMemory ? ["--memory"] : []))
        #expect(ending.status == 0, "\(ending.errors)")
        let results = try JSONDecoder().decode([Result].self, from: Data(ending.output.utf8))
        #expect(results.map(\.clients) == [1, 8])
        for result in results {
            #expect(result.ops_per_second > 0)
            let latency = result.latency_us
            #expect(0 < latency.p50 && latency.p50 <= latency.p99 && latency.p99 <= latency.p999)
            #expect(latency.p999 <= latency.max * 1.001)
            #expect(result.fsyncs_per_op > 0)
            #expect(result.entries_per_append >= 1)
        }
        #expect(ending.errors.contains("8 clients: measuring for 1 s"))
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(left.isEmpty, "a fresh directory goes with its cluster")
    }

    @Test("the results are a table for people")
    func table() throws {
        let ending = try Program.run(["bench", "--nodes", "1", "--clients", "2", "--seconds", "1", "--memory"])
        #expect(ending.status == 0, "\(ending.errors)")
        let lines = ending.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("clients   writes/s"))
        #expect(lines[1].split(separator: " ").first == "2")
    }

    @Test(
        "what can't be measured is refused",
        arguments: [
            (["--clients", "0"], "--clients"), (["--clients", "1,,2"], "--clients"),
            (["--seconds", "0"], "--seconds is a number from 1 to 3600, not 0"),
            (["--nodes", "10"], "--nodes is a number from 1 to 9, not 10"),
            (["--value-size", "-1"], "--value-size"),
        ])
    func usage(arguments: [String], message: String) throws {
        let ending = try Program.run(["bench"] + arguments)
        #expect(ending.status == 64)
        #expect(ending.errors.contains(message))
    }

    @Test("a directory that isn't there is named")
    func missingDirectory() throws {
        let ending = try Program.run(["bench", "--data-dir", "/nowhere/else", "--clients", "1"])
        #expect(ending.status == 2)
        #expect(ending.errors.contains("/nowhere/else"))
    }
}

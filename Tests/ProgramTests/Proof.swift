import Foundation
import Testing

/// The commands that prove: simulate, soak, check, rules.
@Suite(.serialized)
struct ProofTests {
    @Test("the same seed gives the same trace, byte for byte, in another process; the audit reads it")
    func sameBytes() throws {
        let directory = try TemporaryDirectory()
        let traces = try (1...2).map { number in
            let path = "\(directory.path)/trace-\(number).ndjson"
            let ending = try Program.run(["simulate", "--seed", "17", "--duration", "5s", "--trace", path])
            #expect(ending.status == 0)
            return try Data(contentsOf: URL(filePath: path))
        }
        #expect(traces[0] == traces[1])
        #expect(traces[0].count > 10_000)
        let verdict = try Program.run(["check", directory.path + "/trace-1.ndjson"])
        #expect(verdict.status == 0)
        #expect(verdict.output.hasPrefix("election-safety  holds\n"))
    }

    @Test("a rule that is off is found, with the command that shows it again; its trace is found guilty, too")
    func ruleOff() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.path + "/trace.ndjson"
        let found = try Program.run(["simulate", "--seeds", "1...5", "--without", "voteOncePerTerm"])
        #expect(found.status == 1)
        #expect(found.output.contains("seed 1: promise: "))
        #expect(found.output.contains("raft-tui simulate --seed 1 --without voteOncePerTerm"))
        let again = try Program.run(["simulate", "--seed", "1", "--without", "voteOncePerTerm", "--trace", trace])
        #expect(again.status == 1)
        let verdict = try Program.run(["check", trace])
        #expect(verdict.status == 1)
        #expect(verdict.output.contains("promise  BROKEN"))
    }

    @Test(
        "what is no trace is refused with the place and the reason",
        arguments: [
            ("", "is empty"), ("{}\n", "line 1, is no event of a trace: 'event' is missing"),
            ("{\"event\":\"dance\",\"at\":1,\"seq\":1}\n", "line 1, is no event of a trace"),
            ("{\"at\":1,\"event\":\"command\",\"seq\":1,\"text\":\"heal\"}\n", "it doesn't begin with one"),
        ])
    func foreignTraces(text: String, reason: String) throws {
        let ending = try Program.run(["check", "-"], input: text)
        #expect(ending.status == 2)
        #expect(ending.errors.contains(reason), "\(ending.errors)")
    }

    @Test("real nodes under faults keep every property, and recover")
    func soak() throws {
        let ending = try Program.run(["soak", "--seconds", "4", "--seed", "5", "--nodes", "3"])
        #expect(ending.status == 0, "\(ending.output)")
        #expect(ending.output.hasPrefix("all held: "))
    }

    @Test("the rules are listed a line each, their names first")
    func rules() throws {
        let lines = try Program.run(["rules"]).output.split(separator: "\n")
        #expect(lines.count >= 14)
        #expect(lines.contains { $0.hasPrefix("commitOnlyOwnTerm  ") })
    }
}

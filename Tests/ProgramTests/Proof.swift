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

    @Test("a script in a simulated world does the same again, byte for byte; another seed is another world")
    func simulatedScripts() throws {
        let directory = try TemporaryDirectory()
        let script = "cluster 3\nwait leader\nset x 1\nkill leader\nwait leader\nget x\nexpect result = ok 1\n"
        let traces = try ["7", "7", "8"].enumerated().map { number, seed in
            let path = "\(directory.path)/trace-\(number).ndjson"
            let arguments = ["run", "-", "--simulated", "--seed", seed, "--trace", path]
            let ending = try Program.run(arguments, input: script)
            #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
            #expect(try Program.run(["check", path]).status == 0)
            return try Data(contentsOf: URL(filePath: path))
        }
        #expect(traces[0] == traces[1])
        #expect(traces[0] != traces[2])
    }

    @Test("a broken property ends a script with 1, unless it is tolerated; the trace says what was broken")
    func violations() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trace.ndjson"
        let lines = """
            cluster 3
            boot 1 term=1 log=1:x=1
            boot 2 term=1
            boot 3 term=1
            rule electionRestriction off
            option checkquorum off
            option prevote off
            hold-timer 1 2 3
            timeout 1
            wait commit 2 >= 2
            wipe 3
            set y 1
            partition 1 | 2,3
            rule rememberIdentity off
            revive 3
            timeout 3
            wait term 3 >= 2
            timeout 3
            wait violation leader-completeness
            """
        let broken = try Program.run(["run", "-", "--simulated", "--trace", path], input: lines)
        #expect(broken.status == 1, "\(broken.output)\(broken.errors)")
        #expect(broken.output.contains("leader-completeness: n3 leads in term"))
        let trace = try String(contentsOfFile: path, encoding: .utf8)
        #expect(trace.contains("\"event\":\"violation\",\"property\":\"leader-completeness\""))
        #expect(try Program.run(["check", path]).status == 1)
        let tolerated = try Program.run(
            ["run", "-", "--simulated"],
            input: "cluster 3\ntolerate leader-completeness\ntolerate promise\n"
                + "tolerate state-machine-safety\n" + lines.replacingOccurrences(of: "cluster 3\n", with: ""))
        #expect(tolerated.status == 0, "\(tolerated.output)\(tolerated.errors)")
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

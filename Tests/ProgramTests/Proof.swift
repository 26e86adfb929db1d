import Foundation
import Glibc
import Testing

/// The commands that prove: simulate, soak, check, rules.
@Suite(.serialized)
struct ProofTests {
    /// The first line of a trace.
    private static func trace(nodes: String = "3") -> String {
        #"{"at":0,"electionTimeout":[1,2],"event":"trace","heartbeat":1,"nodes":\#(nodes),"options":[],"#
            + #""rulesOff":[],"seed":1,"seq":1,"version":1}"# + "\n"
    }

    private static func event(_ fields: String, at: String = "5") -> String { "{\"at\":\(at),\"seq\":2,\(fields)}\n" }

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

    @Test("an open call hides no broken answer, neither from a condition nor at the end")
    func openCalls() throws {
        let lines = """
            cluster 5
            option prevote off
            option checkquorum off
            hold-timer 2 3 4 5
            rule readIndexNeedsMajority off
            wait leader 1
            set x 1
            wait converged
            partition 1 | 2,3,4,5
            pause 5
            set z 1 via 5 as other &
            timeout 4
            wait role 4 leader
            set x 2 via 4 as c2
            get x via 1 as c3
            """
        let end = try Program.run(["run", "-", "--simulated"], input: lines)
        #expect(end.status == 1)
        #expect(end.output.contains("linearizability: c3 is answered ok 1"))
        let condition = try Program.run(["run", "-", "--simulated"], input: lines + "\nexpect linearizable")
        #expect(condition.status == 1)
        #expect(condition.output.contains("failed: line 16: expected linearizable, but linearizability: c3"))
    }

    @Test("a reset makes nothing good: what was broken before it is still found, and replayed")
    func brokenBeforeReset() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/trace.ndjson"
        let lines = """
            cluster 3
            option prevote off
            hold-timer 1 2 3
            rule majorityElects off
            tolerate election-safety
            partition 1 | 2 | 3
            timeout 1
            timeout 2
            sleep 200ms
            expect violation election-safety
            reset
            wait leader
            """
        let played = try Program.run(["run", "-", "--simulated", "--trace", path], input: lines)
        #expect(played.status == 0, "\(played.output)")
        let verdict = try Program.run(["check", path])
        #expect(verdict.status == 1)
        #expect(verdict.output.contains("election-safety  BROKEN"))
    }

    @Test("an armed reset ends the line that waits for an answer; a line that was never pulled is named")
    func armedReset() throws {
        let lines = "cluster 3\nhold-timer 2 3\nwait leader 1\nwhen applied 1 >= 2 do reset\nset x 1\n"
        let armed = try Program.run(["run", "-", "--simulated"], input: lines)
        #expect(armed.status == 0, "\(armed.output)")
        #expect(armed.output.contains("set x 1 → the cluster began anew, and nobody answers"))
        let never = try Program.run(
            ["run", "-", "--simulated"], input: "cluster 3\nwhen commit 1 >= 99 do kill 1\nwait leader\n")
        #expect(never.output.contains("when commit 1 >= 99 do kill 1 → never came true"))
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
            (trace(nodes: "-2"), "a number is larger than any log's"), (trace(nodes: "64"), "a number is larger"),
            (
                trace() + event("\"event\":\"paused\",\"node\":14,\"term\":1"),
                "line 2, speaks of n14, but a cluster has at most 9 nodes"
            ),
            (trace() + event("\"event\":\"paused\",\"node\":2,\"term\":1", at: "-5"), "'at' is no time of a cluster"),
            (
                trace() + event("\"event\":\"applied\",\"node\":2,\"term\":1,\"index\":18446744073709551615"),
                "a number is larger than any log's"
            ), (trace() + trace(), "line 2: event 1 follows event 1, so that this is more than one trace"),
            (trace() + "{\"at\":5,\"ev", "ends in the middle of line 2"),
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

    @Test("what an earlier run left in its directory is no broken property in the next")
    func olderDirectory() throws {
        let directory = try TemporaryDirectory()
        for run in 1...2 {
            let ending = try Program.run(
                ["run", "-", "--data-dir", directory.path + "/d"],
                input: "wait leader\nincr n\nexpect result = ok \(run)\n")
            #expect(ending.status == 0, "\(ending.output)")
        }
    }

    @Test("a soak wipes a disk, and never those of a majority")
    func soakWipes() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.path + "/trace.ndjson"
        let ending = try Program.run(["soak", "--seconds", "4", "--seed", "5", "--nodes", "3", "--trace", trace])
        #expect(ending.status == 0, "\(ending.output)")
        let wiped = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
            .filter { $0.contains(#""event":"command""#) && $0.contains(#""text":"wipe "#) }
        #expect(!wiped.isEmpty)
        #expect(Set(wiped.compactMap { $0.split(separator: #""text":"#).last }).count == 1, "one of three")
        #expect(ending.output.contains(", \(wiped.count) of them wiped disks and "))
        #expect(try Program.run(["check", trace]).status == 0)
    }

    @Test("a soak whose nodes can't start says why at once, and leaves with 2", .timeLimit(.minutes(10)))
    func soakCannotStart() throws {
        let listener = try Listener()
        let ending = try Program.run(["soak", "--seconds", "3600", "--nodes", "3", "--port", "\(listener.port)"])
        #expect(ending.status == 2)
        #expect(ending.output.isEmpty)
        #expect(
            ending.errors
                == "raft-tui: n1 can't listen on 127.0.0.1:\(listener.port): Address already in use; choose another port\n"
        )
    }

    @Test("the rules are listed a line each, their names first")
    func rules() throws {
        let lines = try Program.run(["rules"]).output.split(separator: "\n")
        #expect(lines.count >= 14)
        #expect(lines.contains { $0.hasPrefix("commitOnlyOwnTerm  ") })
    }
}

/// A port that somebody else listens on.
private final class Listener {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | listen(descriptor, 1) | getsockname(descriptor, $0, &length)
            }
        }
        try #require(result == 0)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}

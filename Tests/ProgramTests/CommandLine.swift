import Foundation
import Testing

/// What the program says to bad input: one sentence, what and where and what to do, and the right exit status.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CommandLineTests {
    @Test("without a terminal the dashboard says so, and leaves with 2")
    func noTerminal() throws {
        let ending = try Program.run([])
        #expect(ending.status == 2)
        #expect(ending.output.isEmpty)
        #expect(
            ending.errors
                == "raft-tui: this is no terminal: start raft-tui in one, or with --plain, or play a script with raft-tui run\n"
        )
    }

    @Test(
        "a terminal that is not known is named",
        arguments: [
            ("TERM=nonsense", "raft-tui: TERM is 'nonsense', which this system doesn't know"),
            ("-u TERM", "raft-tui: TERM is not set: set it to what your terminal is"),
        ])
    func badTerm(setting: String, message: String) throws {
        let tmux = try Tmux()
        try tmux.shell("env \(setting) \(Program.path); echo status $?")
        let screen = try tmux.wait(for: "status 2")
        #expect(screen.replacing("\n", with: "").contains(message))
    }

    @Test(
        "arguments that mean nothing are refused with 64",
        arguments: [
            (["--nodes", "0"], "--nodes is a number from 1 to 9, not 0"), (["--nodes", "ten"], "--nodes"),
            (["--port", "70000"], "--port is a number from 1 to 65526, not 70000"), (["--speed", "9"], "--speed"),
            (["--latency", "soon"], "--latency"), (["--frobnicate"], "--frobnicate"), (["run"], "file"),
            (["log"], "directory"), (["swim"], "swim"),
            (
                ["node", "--id", "1", "--raft", "127.0.0.1:1", "--http", "0.0.0.0:9001", "--data-dir", "D"],
                "0.0.0.0:9001 is no address that others can ask: say with --advertise where they reach this node"
            ),
            (
                ["node", "--id", "1", "--raft", "127.0.0.1:1", "--http", "[::]:9001", "--data-dir", "D"],
                "[::]:9001 is no address that others can ask"
            ),
            (
                [
                    "node", "--id", "1", "--raft", "127.0.0.1:1", "--http", "[::]:9001", "--data-dir", "D",
                    "--advertise", "0.0.0.0",
                ], "--advertise"
            ),
            (["explore", "--nodes", "6"], "--nodes is a number from 1 to 5, not 6"),
            (["explore", "--without", "persistBeforeReply"], "add --disk-steps"),
            (["explore", "--without", "exactlyOnce"], "exactlyOnce is not missed in a small world"),
        ])
    func usage(arguments: [String], message: String) throws {
        let ending = try Program.run(arguments)
        #expect(ending.status == 64)
        #expect(ending.errors.contains(message))
    }

    @Test("a script from standard input is played, and the exit status says how it ended")
    func run() throws {
        let passed = try Program.run(["run", "-"], input: "cluster 3\nwait leader\nset x 1\nexpect result = ok\n")
        #expect(passed.status == 0)
        #expect(passed.output.hasSuffix("passed: 1 expectation\n"))
        #expect(passed.output.contains("set x 1 → ok\n"))
        let failed = try Program.run(["run", "-"], input: "cluster 3\nwait leader\nexpect commit 1 >= 99\n")
        #expect(failed.status == 1)
        #expect(failed.output.contains("failed: line 3: expected commit 1 >= 99, but commit of n1 is "))
        #expect(failed.output.contains("node  role"))
        let unreadable = try Program.run(["run", "-"], input: "cluster 3\nset x 1\nkill 4\n")
        #expect(unreadable.status == 2)
        #expect(unreadable.output.isEmpty, "nothing of a bad script runs")
        #expect(unreadable.errors == "raft-tui: standard input, line 3, column 6: no node 4 in a cluster of 3\n")
        let missing = try Program.run(["run", "/nowhere.raft"])
        #expect(missing.status == 2)
        #expect(missing.errors == "raft-tui: can't read /nowhere.raft: No such file or directory\n")
    }

    @Test(
        "a script that is interrupted, or whose reader is gone, leaves nothing behind",
        arguments: [
            ("echo 'sleep 60s' | timeout --preserve-status -s INT 0.5 \"$0\" run -; echo $?", "130"),
            ("echo 'sleep 60s' | timeout --preserve-status -s TERM 0.5 \"$0\" run -; echo $?", "143"),
            ("yes 'set x 1' | head -n 9999 | \"$0\" run - | head -n 1; echo ${PIPESTATUS[2]}", "141"),
            ("echo 'set x 1' | \"$0\" run --trace /dev/full -; echo $?", "2"),
        ])
    func interrupted(line: String, status: String) throws {
        let directory = try TemporaryDirectory()
        let ending = try Program.command(
            ["bash", "-c", line, Program.path], environment: ["TMPDIR": directory.path])
        #expect(ending.output.hasSuffix("\(status)\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test(
        "what could never end while the clock stands still fails at once",
        arguments: [
            "sleep 1s", "wait term 1 = 99", "set x 1",
        ])
    func frozenForEver(line: String) throws {
        let ending = try Program.run(["run", "-"], input: "wait leader\nfreeze\n\(line)\n")
        #expect(ending.status == 1)
        #expect(ending.output.contains("failed: line 3: "))
        #expect(ending.output.contains("the clock stands still"))
    }

    @Test("a refused command says so, and the script goes on")
    func refused() throws {
        let ending = try Program.run(["run", "-"], input: "cluster 3\nrevive 1\nheal\nwait leader\n")
        #expect(ending.status == 0)
        #expect(ending.output.contains("revive 1 → refused: n1 runs already\n"))
        #expect(ending.output.contains("heal → refused: heal changes nothing: nothing is cut there\n"))
    }

    @Test("the trace is one JSON object a line, in order, beginning with the cluster")
    func trace() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/trace.ndjson"
        let ending = try Program.run(
            ["run", "-", "--trace", file], input: "cluster 3\nwait leader\nset x 1\nkill leader\nwait leader\n")
        #expect(ending.status == 0)
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        var events: [[String: Any]] = []
        for line in lines {
            events.append(try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]))
        }
        #expect(events.first?["event"] as? String == "trace")
        #expect(events.map { $0["seq"] as? Int } == Array(1...events.count))
        let names = Set(events.compactMap { $0["event"] as? String })
        #expect(
            names.isSuperset(of: [
                "client-call", "client-return", "command", "role-changed", "vote-cast", "started", "stopped",
            ]))
        #expect(lines.contains { $0.contains(#""event":"command""#) && $0.contains(#""text":"kill leader""#) })
        let unwritable = try Program.run(["run", "-", "--trace", "/nowhere/t"], input: "")
        #expect(unwritable.status == 2)
        #expect(unwritable.errors == "raft-tui: can't write /nowhere/t: No such file or directory\n")
    }

    @Test("a node's log is printed for a person, and damage is shown where it is")
    func log() throws {
        let directory = try TemporaryDirectory()
        let data = directory.path + "/data"
        // Whoever leads does so in term 1, however long it takes.
        let script = """
            cluster 3
            option checkquorum off
            hold-timer 1 2 3
            timeout 1
            wait leader 1
            set x "a b"
            wait converged
            """
        #expect(try Program.run(["run", "-", "--data-dir", data], input: script).status == 0)
        let whole = try Program.run(["log", data + "/n1"])
        #expect(whole.status == 0)
        #expect(whole.output.contains("n1, life 1, of cluster "))
        #expect(whole.output.contains(" 1 t1 no-op\n"))
        #expect(whole.output.contains(" 2 t1 set x \"a b\"  (c1 #1)\n"))
        #expect(whole.output.contains("2 entries, the last at (1, 2)"))

        let file = URL(filePath: data + "/n1/log-00000001")
        var bytes = try Data(contentsOf: file)
        bytes[70] ^= 0xff
        try bytes.write(to: file)
        let damaged = try Program.run(["log", data + "/n1"])
        #expect(damaged.status == 2)
        #expect(damaged.output.contains("DAMAGED"))
        let refused = try Program.run(["run", "-", "--data-dir", data], input: "wait leader\n")
        #expect(refused.status == 2)
        #expect(refused.errors.hasPrefix("raft-tui: n1 can't start: \(file.path) is damaged at byte 64: "))
        #expect(try Data(contentsOf: file) == bytes, "nothing is changed")

        let nothing = try Program.run(["log", directory.path])
        #expect(nothing.status == 2)
        #expect(nothing.errors == "raft-tui: \(directory.path) holds no node's log\n")
        #expect(try Program.run(["log", "/nowhere"]).status == 2)
    }

    @Test("a data directory that is open elsewhere is refused with its name")
    func inUse() throws {
        let directory = try TemporaryDirectory()
        let tmux = try Tmux()
        try tmux.shell("\(Program.path) --data-dir \(directory.path)/d")
        try tmux.wait("a leader") { $0.contains("leader n") }
        let ending = try Program.run(["run", "-", "--data-dir", directory.path + "/d"], input: "wait leader\n")
        #expect(ending.status == 2)
        #expect(
            ending.errors
                == "raft-tui: \(directory.path)/d/n1 is in use by another raft-tui: quit that one, or choose another directory\n"
        )
    }
}

extension CommandLineTests {
    @Test(
        "a server that is made anew on the disks of an earlier run is known as another one, and one with no disk can go"
    )
    func joinedServerOfEarlierRun() throws {
        let directory = try TemporaryDirectory()
        let data = directory.path + "/d"
        let first = """
            cluster 3
            option checkquorum off
            hold-timer 2 3
            wait leader 1
            set x 1
            add 4
            wait members 1 = 1,2,3,4
            wait members 2 = 1,2,3,4
            hold-timer 4
            wait leader 1
            remove 4
            wait members 1 = 1,2,3
            wipe 4
            """
        #expect(try Program.run(["run", "-", "--data-dir", data], input: first).status == 0)
        let again = """
            option checkquorum off
            hold-timer 2 3
            wait leader 1
            set x 1
            add 4
            wait members 1 = 1,2,3,4
            wait converged
            """
        let ending = try Program.run(["run", "-", "--data-dir", data], input: again)
        #expect(ending.status == 0, "\(ending.output)")
        let log = try Program.run(["log", data + "/n4"])
        #expect(log.output.contains("n4, life "))
        #expect(!log.output.contains("n4, life 1,"))
    }
}

import Foundation
import Testing

/// The program without a screen.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct PlainTests {
    @Test("events are printed a line each, lines are commands, and the end of the input is the end")
    func story() throws {
        let directory = try TemporaryDirectory()
        let ending = try Program.run(
            ["--plain", "--nodes", "3"], input: "set x 5\n# nothing\nfrobnicate\nkill 4\nexpect leader\nget x",
            environment: ["TMPDIR": directory.path])
        #expect(ending.status == 0)
        #expect(ending.errors.isEmpty)
        let lines = ending.output.split(separator: "\n").map(String.init)
        #expect(lines.first?.hasSuffix("  a cluster of 3 begins, seed 1") == true)
        #expect(lines.contains { $0.contains(" leads term ") && $0.hasSuffix("(§5.2)") })
        #expect(lines.contains { $0.hasSuffix("c1: ok") })
        #expect(lines.contains { $0.hasPrefix("! ") && $0.contains("unknown command 'frobnicate'") })
        #expect(lines.contains { $0.hasPrefix("! ") && $0.contains("no node 4") })
        #expect(lines.contains("yes: leader"))
        #expect(lines.last?.hasSuffix("c1: ok 5") == true, "a line waits for the answer to the one before")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test("quit ends it, whatever comes after")
    func quit() throws {
        let ending = try Program.run(["--plain", "--nodes", "1"], input: "quit\nfrobnicate\n")
        #expect(ending.status == 0)
        #expect(!ending.output.contains("! "))
    }

    @Test("what would wait for ever while the clock stands still keeps nobody")
    func frozen() throws {
        let ending = try Program.run(["--plain", "--nodes", "3"], input: "freeze\nset x 1\nhelp thaw\nset y 2\n")
        #expect(ending.status == 0)
        #expect(ending.output.contains("thaw  Lets the clock go on."))
        #expect(ending.output.contains("c1: set y 2"))
    }

    @Test("a script whose armed line never came true leaves a cluster that goes on", arguments: [false, true])
    func armed(isSimulated: Bool) throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/armed.raft"
        try "cluster 3\nwhen commit 1 = 99 do kill 1\nwait leader".write(
            toFile: file, atomically: false, encoding: .utf8)
        let ending = try Program.run(
            ["play", file, "--plain"] + (isSimulated ? ["--simulated"] : []), input: "set x 2\nget x\n")
        #expect(ending.status == 0)
        #expect(ending.output.contains("The end: all of it was played."))
        #expect(ending.output.contains("c1: ok 2"))
    }

    @Test(
        "what a script says can do nothing to the terminal", arguments: [["play", "--plain"], ["run", "--simulated"]])
    func controls(arguments: [String]) throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/loud.raft"
        try "title \"a\u{1b}]0;b\u{7}\"\ncluster 1\nsay \"x \u{1b}[31my → \u{9b}31m\"".write(
            toFile: file, atomically: false, encoding: .utf8)
        let ending = try Program.run(arguments + [file])
        #expect(ending.status == 0)
        #expect(ending.output.contains("x ␛[31my → \u{fffd}31m"))
        #expect(!ending.output.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x80..<0xa0) ~= $0.value })
    }

    @Test("where a lesson can't begin, the cluster goes on")
    func noRoom() throws {
        let directory = try TemporaryDirectory()
        let ending = try Program.run(
            ["--plain", "--nodes", "3", "--data-dir", directory.path + "/disks"],
            input: "set x 1\nlesson election\nset x 2\n", environment: ["TMPDIR": directory.path + "/none"])
        #expect(ending.status == 0)
        #expect(ending.output.contains("! can't make a directory"))
        #expect(ending.output.components(separatedBy: "c1: ok").count == 3, "both writes are done")
    }

    @Test("no lesson begins in a trace of simulated nodes, for it would tell two stories")
    func twoStories() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.path + "/trace.jsonl"
        let ending = try Program.run(
            ["--plain", "--simulated", "--trace", trace], input: "set x 1\nlesson election\nset x 2\n")
        #expect(ending.output.contains("! a trace tells one story"))
        #expect(ending.output.contains("c1: set x 2"))
        #expect(try Program.run(["check", trace]).status == 0)
    }

    @Test("a script that is presented says and asks, and an empty line goes on when it can")
    func presents() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path + "/demo.raft"
        try """
        title "A demo"
        cluster 3
        say "Three nodes."
        ask "Who leads?" "n1" "one of them" answer 2
        wait leader
        say "One of them."
        set x 1
        expect result = ok
        """.write(toFile: file, atomically: false, encoding: .utf8)
        let all = try Program.run(["play", file, "--plain"], input: String(repeating: "\n", count: 9))
        #expect(all.status == 0)
        #expect(all.output.hasPrefix("A demo: an empty line goes on\n"))
        let told = all.output.split(separator: "\n").filter { !$0.contains(":") || $0.contains("answer:") }
        #expect(
            told == [
                "» Three nodes.", "? Who leads?", "    1 n1", "    2 one of them", "  answer: 2 one of them",
                "» One of them.",
            ])
        #expect(all.output.hasSuffix("The end: all that this lesson expects has come true.\n"))
        let part = try Program.run(["play", file, "--plain"], input: "\n")
        #expect(part.status == 0)
        #expect(part.output.contains("? Who leads?"))
        #expect(!part.output.contains("answer: "))
    }

    @Test("a lesson needs no screen")
    func lesson() throws {
        let ending = try Program.run(["lesson", "election", "--plain"], input: "")
        #expect(ending.status == 0)
        #expect(ending.output.hasPrefix("Election: how a leader comes to be: an empty line goes on\n"))
    }

    @Test("what was done is saved, plays back, and takes the place of nothing else")
    func save() throws {
        let directory = try TemporaryDirectory()
        let (script, other) = (directory.path + "/demo.raft", directory.path + "/other")
        try "mine".write(toFile: other, atomically: false, encoding: .utf8)
        let ending = try Program.run(
            ["--plain", "--nodes", "3"],
            input: "set x 1\nkill leader\nrevive 9\nsave \(other)\nsave \(script)\nundo\nsave \(script)\n")
        #expect(ending.status == 0)
        #expect(ending.output.contains("! \(other) is there already, and isn't a script that save wrote"))
        #expect(try String(contentsOfFile: other, encoding: .utf8) == "mine")
        let text = try String(contentsOfFile: script, encoding: .utf8)
        let commands = text.split(separator: "\n").filter { ["set", "kill", "undo"].contains($0.prefix { $0 != " " }) }
        #expect(commands == ["set x 1", "kill leader", "undo"])
        let again = try Program.run(["run", "--simulated", script])
        #expect(again.status == 0)
        #expect(again.output.contains("set x 1 → ok\n"))
        #expect(!again.output.contains("refused"))
    }

    @Test("a trace is printed whole, with what it breaks")
    func replay() throws {
        let directory = try TemporaryDirectory()
        let trace = directory.path + "/trace"
        _ = try Program.run(["simulate", "--seed", "1", "--without", "voteOncePerTerm", "--trace", trace])
        let ending = try Program.run(["replay", trace, "--plain"], input: "kill 1\n")
        #expect(ending.status == 0)
        #expect(ending.output.contains("\n! promise: "))
        #expect(ending.output.contains(" votes for n"))
        #expect(
            ending.output.hasSuffix("! this is a trace, and has happened: Space lets it go on, [ and ] set its speed\n")
        )
    }

    @Test("there is nothing to record")
    func record() throws {
        let ending = try Program.run(["--plain", "--record", "file"])
        #expect(ending.status == 64)
        #expect(ending.errors.contains("--plain has no screen to record"))
        let prompt = try Program.run(["--plain", "--nodes", "1"], input: "record file\n")
        #expect(prompt.output.contains("! this needs a screen"))
    }

    @Test(
        "whoever interrupts it, or reads no more of it, finds nothing left behind",
        arguments: [
            (
                "mkfifo $TMPDIR/in; timeout --preserve-status -s INT 1 \"$0\" --plain <>$TMPDIR/in >/dev/null; echo $?",
                "130"
            ),
            (
                "mkfifo $TMPDIR/in; timeout --preserve-status -s TERM 1 \"$0\" --plain <>$TMPDIR/in >/dev/null; echo $?",
                "143"
            ),
            ("mkfifo $TMPDIR/in; yes '' | \"$0\" lesson election --plain | head -n 1; echo ${PIPESTATUS[1]}", "141"),
        ])
    func interrupted(line: String, status: String) throws {
        let directory = try TemporaryDirectory()
        let ending = try Program.command(
            ["bash", "-c", line, Program.path], environment: ["TMPDIR": directory.path])
        #expect(ending.output.hasSuffix("\(status)\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["in"])
    }
}

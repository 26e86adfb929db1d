import Foundation
import Testing

/// The whole program in a real terminal: keys in, screen out.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct DashboardInTmux {
    /// Starts the dashboard and waits for its first leader.
    private func start(_ tmux: Tmux, _ arguments: String = "") throws -> String {
        try tmux.shell("\(Program.path) \(arguments)")
        // The screen may be looked at while it is being drawn.
        return try tmux.wait("a leader") { $0.contains("leader n") && $0.contains("LEADER") }
    }

    private func leader(in screen: String) throws -> String {
        let place = try #require(screen.range(of: "leader n"))
        return "n" + String(screen[place.upperBound...].prefix(1))
    }

    @Test("start, elect, set, kill the leader, read the value back, cut and heal, quit, terminal restored")
    func story() throws {
        let tmux = try Tmux()
        try tmux.shell("stty -a > \(tmux.homePath)/before; echo ready")
        try tmux.wait(for: "ready")
        var screen = try start(tmux)
        #expect(screen.contains("term "))
        #expect(screen.contains("commit "))
        #expect(screen.contains("LEADER"))
        #expect(screen.contains("follower"))

        try tmux.type(":speed 1\n")
        try tmux.wait(for: "LIVE 1")
        try tmux.type(":set x 5\n")
        try tmux.wait(for: "set x 5 → ok")
        screen = try tmux.wait("the value on all servers") { $0.contains("n1,2,3,4,5 x=5") }

        let first = try leader(in: screen)
        try tmux.type("X")
        screen = try tmux.wait("another leader") {
            $0.contains("leader n") && !$0.contains("leader \(first)") && $0.contains("on disk")
        }
        #expect(screen.contains("down"))
        #expect(screen.contains("on disk"))
        try tmux.type(":get x\n")
        try tmux.wait(for: "get x → ok 5")
        try tmux.type("u")
        try tmux.wait("all servers") { !$0.contains("down") }

        try tmux.type("1c2")
        try tmux.wait(for: "╳")
        try tmux.type("H")
        try tmux.wait("whole links") { !$0.contains("╳") }

        try tmux.type(" ")
        try tmux.wait(for: "FROZEN")
        try tmux.type(" ")
        try tmux.wait(for: "LIVE")

        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") && $0.contains("ready") }
        try tmux.shell(
            "stty -a > \(tmux.homePath)/after; cmp \(tmux.homePath)/before \(tmux.homePath)/after && echo sa''me")
        try tmux.wait(for: "same")
        let left = try FileManager.default.contentsOfDirectory(atPath: tmux.homePath)
        #expect(left.filter { $0.hasPrefix("raft-tui-") }.isEmpty, "its own directory goes with it")
    }

    @Test("each node has one listener, on 127.0.0.1 alone")
    func listeners() throws {
        let tmux = try Tmux()
        _ = try start(tmux, "--nodes 3")
        let process = try tmux.process()
        let sockets = try Program.command(["ss", "-ltnpH"]).output.split(separator: "\n")
            .filter { $0.contains("pid=\(process),") }
        #expect(sockets.count == 3)
        #expect(sockets.allSatisfy { $0.contains("127.0.0.1:") })
    }

    @Test("every size from large to too small and back, live")
    func sizes() throws {
        let tmux = try Tmux(columns: 120, rows: 40)
        _ = try start(tmux)
        try tmux.wait(for: "Store")
        try tmux.resize(columns: 80, rows: 24)
        try tmux.wait("80x24") { !$0.contains("Store") && $0.contains("Logs") && $0.contains("Events") }
        try tmux.resize(columns: 40, rows: 12)
        try tmux.wait("40x12") { $0.contains("Nodes") && !$0.contains("Logs") && $0.contains("leader n") }
        try tmux.resize(columns: 39, rows: 11)
        try tmux.wait(for: "raft-tui needs 40x12")
        try tmux.resize(columns: 160, rows: 50)
        try tmux.wait(for: "Store")
    }

    @Test("a value that is hostile to terminals is shown, and disturbs nothing")
    func hostile() throws {
        let tmux = try Tmux()
        _ = try start(tmux, "--speed 1 --nodes 3")
        try tmux.type(#":set evil "\x1b[2J\x07\x9b31m漢字"#)
        try tmux.press("\"", "Enter")
        try tmux.wait(for: "→ ok")
        let screen = try tmux.wait("the value") { $0.contains("evil=") }
        let lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0].contains("leader n") && lines[0].contains("safe ✓"))
        #expect(lines.contains { $0.hasPrefix("└") && $0.hasSuffix("┘") })
    }

    @Test("what was typed is remembered in the next session")
    func history() throws {
        let tmux = try Tmux()
        _ = try start(tmux, "--speed 1 --nodes 1")
        try tmux.type(":set remembered 1\n")
        try tmux.wait(for: "→ ok")
        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") }
        _ = try start(tmux, "--speed 1 --nodes 1")
        try tmux.type(":")
        try tmux.press("Up")
        try tmux.wait(for: ":set remembered 1")
    }

    @Test(
        "the terminal comes back after a signal, and the exit status says which",
        arguments: [
            ("TERM", 143), ("HUP", 129), ("INT", 130),
        ])
    func signals(name: String, status: Int) throws {
        let tmux = try Tmux()
        _ = try start(tmux, "--nodes 3; echo status $?")
        _ = try Program.command(["kill", "-" + name, "\(try tmux.process())"])
        try tmux.wait("the shell") { $0.contains("status \(status)") && !$0.contains("Cluster") }
        #expect(try !tmux.isMouseTold)
        try tmux.shell("echo typed")
        try tmux.wait(for: "typed")
    }

    @Test("the terminal comes back after a crash, with what was said on standard error")
    func crash() throws {
        let tmux = try Tmux()
        try tmux.shell("stty -a > \(tmux.homePath)/before")
        _ = try start(tmux, "--nodes 3; echo status $?")
        #expect(try tmux.isMouseTold)
        _ = try Program.command(["kill", "-ILL", "\(try tmux.process())"])
        try tmux.wait("the shell") { $0.contains("status 132") && !$0.contains("Cluster") }
        #expect(try !tmux.isMouseTold)
        try tmux.shell(
            "stty -a > \(tmux.homePath)/after; cmp \(tmux.homePath)/before \(tmux.homePath)/after && echo sa''me")
        try tmux.wait(for: "same")
    }

    @Test("Ctrl-Z gives the terminal back, and fg takes it over again")
    func stopAndGoOn() throws {
        let tmux = try Tmux()
        try tmux.shell("bash --norc -i")
        try tmux.wait(for: "bash")
        _ = try start(tmux, "--nodes 3")
        try tmux.press("C-z")
        try tmux.wait("the shell") { $0.contains("Stopped") && !$0.contains("Cluster") }
        #expect(try !tmux.isMouseTold)
        try tmux.shell("fg")
        try tmux.wait(for: "Cluster")
        #expect(try tmux.isMouseTold)
        try tmux.type(":set x 1\n")
        try tmux.wait(for: "→ ok")
    }

    @Test("a trace is opened where a property was first broken; it goes on, and can't be changed")
    func replay() throws {
        let tmux = try Tmux(columns: 100, rows: 30)
        let trace = tmux.homePath + "/trace.ndjson"
        let arguments = ["simulate", "--seed", "1", "--without", "voteOncePerTerm", "--trace", trace]
        #expect(try Program.run(arguments).status == 1)
        try tmux.shell("\(Program.path) replay \(trace); echo status $?")
        let screen = try tmux.wait("the violation") { $0.contains("FROZEN") && $0.contains(" votes for n") }
        #expect(screen.contains("NOT SAFE"))
        #expect(screen.contains("WITHOUT voteOncePerTerm"))
        try tmux.type("x")
        try tmux.wait(for: "this is a trace, and has happened")
        try tmux.type("rr")
        try tmux.wait("the beginning") { !$0.contains("NOT SAFE") && $0.contains("term 0") }
        try tmux.type("]]]] ")
        try tmux.wait("the end") { $0.contains("NOT SAFE") && $0.contains("FROZEN") }
        try tmux.type("q")
        try tmux.wait(for: "status 0")
    }

    @Test("a click selects a node, a second one opens it; m leaves the mouse to the terminal, and the end does, too")
    func mouse() throws {
        let tmux = try Tmux(columns: 120, rows: 40)
        try tmux.shell("export TERM=xterm-256color; echo ready")
        try tmux.wait(for: "ready")
        _ = try start(tmux, "--nodes 3")
        #expect(try tmux.isMouseTold)
        try tmux.wait(for: "▌n1")
        try tmux.click(on: " n3]")
        try tmux.wait(for: "▌n3")
        try tmux.click(on: " n3]")
        try tmux.wait(for: "currentTerm")
        try tmux.press("Escape")
        try tmux.wait("the panes") { !$0.contains("currentTerm") }
        try tmux.click(on: " Events ")
        try tmux.wait(for: "━ Events")
        try tmux.type("m")
        try tmux.wait(for: "the mouse selects text")
        #expect(try !tmux.isMouseTold)
        try tmux.type("m")
        try tmux.wait(for: "the mouse points")
        #expect(try tmux.isMouseTold)
        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") }
        #expect(try !tmux.isMouseTold)
    }

    @Test("y puts what is chosen into the terminal's clipboard")
    func copies() throws {
        let tmux = try Tmux()
        try tmux.allowClipboard()
        _ = try start(tmux, "--nodes 3")
        try tmux.type(":say \"漢字, and n1 → n2\"\n")
        try tmux.wait(for: "» 漢字")
        try tmux.type(" /漢字\n")
        try tmux.type("y")
        try tmux.wait(for: "copied: »")
        #expect(try tmux.clipboard == "» 漢字, and n1 → n2")
        try tmux.type("o")
        try tmux.wait(for: "prevote")
        try tmux.type("y")
        try tmux.wait(for: "copied: prevote")
        #expect(try tmux.clipboard.hasPrefix("prevote            on"))
    }

    @Test("NO_COLOR means no colours, --theme names others, and T goes on to the next")
    func themes() throws {
        let tmux = try Tmux()
        // Which of 256 colours an ink is, as the terminal gets it.
        func hasColors() throws -> Bool { try tmux.colouredScreen.contains("\u{1b}[38;5;") }
        try tmux.shell("export TERM=xterm-256color NO_COLOR=1")
        _ = try start(tmux, "--nodes 3")
        #expect(try !hasColors())
        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") }
        _ = try start(tmux, "--nodes 3 --theme light")
        #expect(try hasColors())
        #expect(try tmux.colouredScreen.contains("38;5;29m"), "the leader's green")
        try tmux.type("TT")
        try tmux.wait(for: "colours: mono")
        #expect(try !hasColors())
        try tmux.type("T")
        try tmux.wait(for: "colours: dark")
        #expect(try tmux.colouredScreen.contains("38;5;36m"))
    }

    @Test("the screen is recorded as it changes, until the disk is full; what was done is saved")
    func recordAndSave() throws {
        let tmux = try Tmux()
        let (cast, script) = (tmux.homePath + "/demo.cast", tmux.homePath + "/demo.raft")
        _ = try start(tmux, "--nodes 3 --speed 1 --record \(cast)")
        try tmux.wait(for: "the screen is recorded in")
        try tmux.type(":set x 1\n")
        try tmux.wait(for: "set x 1 → ok")
        try tmux.resize(columns: 90, rows: 30)
        try tmux.type(":record off\n")
        try tmux.wait(for: "the recording is in")
        try tmux.type(":record /dev/full\n")
        try tmux.wait(for: "can't write /dev/full: No space left on device")
        try tmux.type(":save \(script)\n")
        try tmux.wait(for: "what was done is kept in")
        try tmux.type("q")
        let lines = try String(contentsOfFile: cast, encoding: .utf8).split(separator: "\n")
        #expect(lines.first?.hasPrefix(#"{"version":2,"width":80,"height":24,"#) == true)
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        #expect(lines.contains { $0.contains("LEADER") })
        #expect(lines.contains { $0.hasSuffix(#","r","90x30"]"#) })
        #expect(try Program.run(["run", "--simulated", script]).status == 0)
    }

    @Test("~ is home at the prompt, a second recording says that it ends the first, and a pipe is no file to write to")
    func files() throws {
        let tmux = try Tmux(columns: 200, rows: 30)
        try tmux.shell("mkfifo \(tmux.homePath)/pipe")
        _ = try start(tmux, "--nodes 3 --speed 1")
        try tmux.type(":record ~/one.cast\n")
        try tmux.wait(for: "the screen is recorded in \(tmux.homePath)/one.cast")
        try tmux.type(":record ~/two.cast\n")
        try tmux.wait(for: "the recording in \(tmux.homePath)/one.cast is done; the screen is recorded in")
        for command in ["record", "save", "screenshot"] {
            try tmux.type(":\(command) ~/pipe\n")
            try tmux.wait(for: "\(tmux.homePath)/pipe is no file that can be written to: choose another name")
            try tmux.type(":set x 1\n")
            try tmux.wait(for: "set x 1 → ok")
        }
        try tmux.type(":kill 3\n")
        try tmux.wait(for: "✕")
        try tmux.type("u")
        try tmux.wait(for: "undo: takes back kill 3")
        try tmux.type("q")
    }

    @Test("a rule is switched off at the prompt, and the screen doesn't let anybody forget it")
    func rule() throws {
        let tmux = try Tmux(columns: 120, rows: 40)
        _ = try start(tmux, "--nodes 3 --speed 1")
        try tmux.type(":rule logMatching off\n")
        try tmux.wait(for: "WITHOUT logMatching")
        try tmux.type(":rule logMatching on\n")
        try tmux.wait("no reminder") { !$0.contains("WITHOUT") }
    }

    @Test("a terminal that is lost ends the program, which cleans up")
    func lost() throws {
        let tmux = try Tmux()
        _ = try start(tmux, "--nodes 3")
        let process = try tmux.process()
        #expect(isAlive(process))
        try tmux.end()
        let end = Date.now.addingTimeInterval(60)
        while isAlive(process), Date.now < end {}
        #expect(!isAlive(process))
        let left = try FileManager.default.contentsOfDirectory(atPath: tmux.homePath)
        #expect(left.filter { $0.hasPrefix("raft-tui-") }.isEmpty)
    }

    /// Whether a process runs; one that has ended and waits for its parent to ask doesn't.
    private func isAlive(_ process: Int32) -> Bool {
        guard let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return !state.contains(") Z ")
    }
}

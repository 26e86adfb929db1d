import Foundation
import Testing

/// Nodes in processes of their own, and the dashboard over them.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct WatchInTmux {
    @Test("a watched leader that is killed is shown as down, another leads, and the prompt's writes are done")
    func failover() throws {
        let nodes = try Nodes()
        defer { nodes.end() }
        let none = try Program.run(["status", nodes.addresses])
        #expect(none.status == 1)
        #expect(none.output.split(separator: "\n").count { $0.contains("down") } == 3)
        for number in 1...3 { try nodes.start(number) }
        try nodes.wait { $0.contains("leader") && !$0.contains("down") }
        let tmux = nodes.tmux
        try tmux.shell("clear; \(Program.path) watch \(nodes.addresses) --secret-file \(nodes.secretFile)")
        try tmux.wait("all three") { $0.contains("WATCHED") || $0.contains("leader n") }
        try tmux.type(":set x 17")
        try tmux.press("Enter")
        try tmux.wait(for: "set x 17 → ok")
        let screen = try tmux.screen
        #expect(screen.contains("safe ?") && screen.contains("linearizable ?"))
        let leader = try #require(screen.firstMatch(of: #/leader n(\d)/#)?.1.first?.wholeNumberValue)
        try nodes.kill(leader)
        let next = try tmux.wait("another leader") { screen in
            screen.firstMatch(of: #/leader n(\d)/#).map { $0.1.first?.wholeNumberValue != leader } ?? false
        }
        #expect(next.contains("✕ down"))
        try tmux.type(":get x")
        try tmux.press("Enter")
        try tmux.wait(for: "get x → ok 17")
        try nodes.start(leader)
        try nodes.wait { !$0.contains("down") }
        try tmux.wait("the node again") { !$0.contains("✕ down") }
        try tmux.press("Space")
        try tmux.wait(for: "can't be stopped or slowed down")
        try tmux.press("q")
        try tmux.wait(for: "$")
    }

    @Test("addresses that mean nothing, and nodes that don't answer, are named")
    func refusals() throws {
        for command in ["status", "watch"] {
            for (address, words) in [("https://a:1", "HTTPS"), ("a:1", "http://127.0.0.1:9001")] {
                let ending = try Program.run([command, address])
                #expect(ending.status == 64)
                #expect(ending.errors.contains(words))
            }
        }
        let ending = try Program.run(["watch", "--plain", "http://127.0.0.1:1,http://127.0.0.1:2"])
        #expect(ending.status == 2)
        #expect(ending.errors.contains("no node answers at 127.0.0.1:1, 127.0.0.1:2"))
    }
}

/// Three nodes, in processes that a shell has started.
private final class Nodes {
    let tmux: Tmux
    private let ports: [Int]
    private var processes: [Int: Int32] = [:]

    init() throws {
        tmux = try Tmux()
        let first = Int.random(in: 20_000..<29_000)
        ports = (0..<6).map { first + $0 }
        try "a secret that is long enough for tests\n".write(toFile: secretFile, atomically: false, encoding: .utf8)
    }

    var secretFile: String { tmux.homePath + "/secret" }
    var addresses: String { (3..<6).map { "http://127.0.0.1:\(ports[$0])" }.joined(separator: ",") }

    func start(_ number: Int) throws {
        let peers = (1...3).filter { $0 != number }.map { "\($0)=127.0.0.1:\(ports[$0 - 1])" }.joined(separator: ",")
        let file = tmux.homePath + "/pid\(number)"
        let line =
            "\(Program.path) node --id \(number) --raft 127.0.0.1:\(ports[number - 1]) --http 127.0.0.1:\(ports[number + 2]) --peers \(peers) --data-dir \(tmux.homePath)/disks --secret-file \(secretFile) 2>/dev/null >/dev/null </dev/null & echo $! > \(file)"
        let ending = try Program.command(["sh", "-c", line])
        #expect(ending.status == 0)
        let text = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let process: Int32 = try #require(Int32(text))
        processes[number] = process
    }

    func kill(_ number: Int) throws {
        let known = processes.removeValue(forKey: number)
        let process = try #require(known)
        Foundation.kill(process, SIGKILL)
    }

    /// Asks for the nodes' status until it is as wanted.
    func wait(until isThere: (String) -> Bool) throws {
        let end = Date.now.addingTimeInterval(30)
        while true {
            let status = try Program.run(["status", addresses])
            if status.status == 0, isThere(status.output) { return }
            guard Date.now < end else {
                throw TmuxError(description: "the nodes are in vain waited for:\n\(status.output)")
            }
        }
    }

    func end() { for process in processes.values { Foundation.kill(process, SIGKILL) } }
}

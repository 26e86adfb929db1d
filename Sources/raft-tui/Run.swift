import ArgumentParser
import Glibc
import Laboratory
import RaftCluster
import RaftCore
import RaftTrace
import Script
import Terminal

/// `raft-tui run`: plays a script without a screen.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play a script on real nodes, without a screen.",
        discussion: """
            Prints each command with its result, and at the end whether every expectation held. Exit status: 0 passed, \
            1 an expectation failed, 2 the script can't be read or the cluster can't start, 64 usage, 130 interrupted.
            """)

    @Argument(help: "The script; - for standard input.")
    var file: String

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @OptionGroup var cluster: ClusterOptions

    func run() throws {
        let script = try readScript()
        let writer = try trace.map { try TraceWriter(path: $0) }
        let options = cluster.live(nodes: script.nodes ?? cluster.nodes, speed: 1, latency: .zero ... .zero)
        // Whoever interrupts a script, or no longer reads what it prints, leaves no directory behind either.
        let signals = SignalPipe([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
        let laboratory = try start(options)
        defer { laboratory.close() }
        let outcome = try play(script, on: laboratory, writer, signals)
        try writer?.close()
        if case .failed = outcome { throw ExitCode(1) }
    }

    private func readScript() throws -> Script {
        let text = try Files.read(file)
        do {
            return try Script(
                parsing: text, nodes: cluster.nodes ?? (cluster.dataDir == nil ? LiveCluster.usualSize : nil))
        } catch {
            throw Failure("\(file == "-" ? "standard input" : file), \(error)")
        }
    }

    private func start(_ options: LiveCluster.Options) throws -> LiveCluster {
        do { return try LiveCluster(options) } catch { throw Failure("\(error)") }
    }

    private func play(
        _ script: Script, on laboratory: LiveCluster, _ writer: TraceWriter?, _ signals: SignalPipe
    ) throws -> Player.Outcome {
        var player = Player(script)
        var isStarting = true
        while true {
            let events = laboratory.takeEvents()
            player.take(events)
            try writer?.write(events)
            if isStarting, laboratory.isSettled {
                isStarting = false
                if let failure = player.picture.nodes.compactMap(\.failure).first { throw Failure(failure) }
            }
            let step = isStarting ? .waiting(until: nil) : player.advance(on: laboratory)
            for line in player.takeLines() { print(line) }
            guard fflush(nil) == 0 else { throw ExitCode(128 + SIGPIPE) }
            if let signal = signals.take().first { throw ExitCode(128 + signal) }
            switch step {
            case .waiting(let moment): laboratory.waitForEvents(until: moment, orReadable: signals.descriptor)
            case .finished(let outcome):
                report(outcome, player)
                return outcome
            }
        }
    }

    private func report(_ outcome: Player.Outcome, _ player: Player) {
        switch outcome {
        case .passed(let count): print("passed: \(count) expectation\(count == 1 ? "" : "s")")
        case .failed(let line, let reason):
            print("failed: line \(line): \(reason)")
            for row in player.picture.table { print(row) }
        }
    }
}

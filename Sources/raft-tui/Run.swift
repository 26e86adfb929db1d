import ArgumentParser
import Canvas
import Glibc
import Laboratory
import RaftAudit
import RaftCluster
import RaftCore
import RaftSimulation
import RaftTrace
import Script
import Terminal

/// `raft-tui run`: plays a script without a screen.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play a script without a screen, on real nodes or on simulated ones.",
        discussion: """
            Prints each command with its result, and at the end whether every expectation held. Exit status: 0 passed, \
            1 an expectation failed or a property was broken, 2 the script can't be read or the cluster can't start, \
            64 usage, 130 interrupted. A line that is refused says so, and the script goes on.

            \(Catalogue.page)
            """)

    @Argument(help: "The script; - for standard input.")
    var file: String?

    @Option(help: "Play this lesson in its place; raft-tui lessons lists them.")
    var lesson: String?

    @Flag(help: "Play it in a simulated world, which does the same again for the same --seed.")
    var simulated = false

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if (file == nil) == (lesson == nil) { throw ValidationError("Name a script, or a --lesson.") }
        if simulated { try cluster.refuseDisks() }
    }

    func run() throws {
        let script = try readScript()
        let writer = try trace.map { try TraceWriter(path: $0) }
        // Whoever interrupts a script, or no longer reads what it prints, leaves no directory behind either.
        let signals = SignalPipe([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
        let outcome: Player.Outcome
        if simulated {
            let laboratory = SimulatedCluster(cluster.simulated(nodes: script.nodes ?? cluster.nodes))
            outcome = try play(script, on: laboratory, writer, signals) { laboratory.waitForEvents(until: $0) }
        } else {
            let options = cluster.live(nodes: script.nodes ?? cluster.nodes, speed: 1, latency: .zero ... .zero)
            let laboratory = try start(options)
            defer { laboratory.close() }
            outcome = try play(script, on: laboratory, writer, signals) {
                laboratory.waitForEvents(until: $0, orReadable: signals.descriptor)
            }
        }
        try writer?.close()
        if case .failed = outcome { throw ExitCode(1) }
    }

    private func readScript() throws -> Script {
        if let lesson { return try Lesson.read(lesson) }
        return try Script.read(
            file ?? "-", nodes: cluster.nodes ?? (cluster.dataDir == nil ? LiveCluster.usualSize : nil))
    }

    private func start(_ options: LiveCluster.Options) throws -> LiveCluster {
        do { return try LiveCluster(options) } catch { throw Failure("\(error)") }
    }

    private func play(
        _ script: Script, on laboratory: some Laboratory, _ writer: TraceWriter?, _ signals: SignalPipe,
        waiting wait: (Instant?) -> Void
    ) throws -> Player.Outcome {
        var player = Player(script)
        while true {
            let events = laboratory.takeEvents()
            player.take(events)
            try writer?.write(events, player.witness.audit)
            let step = player.advance(on: laboratory)
            for line in player.takeLines() { print(Glyph.line(line)) }
            guard fflush(nil) == 0 else { throw ExitCode(128 + SIGPIPE) }
            if let signal = signals.take().first { throw ExitCode(128 + signal) }
            switch step {
            case .waiting(let moment): wait(moment)
            case .finished(let outcome):
                try report(outcome, player)
                return outcome
            }
        }
    }

    private func report(_ outcome: Player.Outcome, _ player: Player) throws {
        switch outcome {
        case .passed(let count): print("passed: \(count) expectation\(count == 1 ? "" : "s")")
        case .failed(let line, let reason):
            print(Glyph.line("failed: line \(line): \(reason)"))
            for row in player.picture.table { print(row) }
        case .unstartable(let reason): throw Failure(reason)
        }
    }
}

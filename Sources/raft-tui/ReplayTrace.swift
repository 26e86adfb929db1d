import ArgumentParser
import Glibc
import Laboratory
import RaftAudit
import RaftTrace

/// `raft-tui replay`: opens a trace in the dashboard.
struct ReplayTrace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Open a trace in the dashboard, stopped where a property was first broken.",
        discussion: """
            Where none was, it is stopped at its beginning. Space lets it go on, [ and ] set its speed, r and r again go \
            back to the beginning. Exit status: 2 if the trace can't be read.
            """)

    @Argument(help: "The trace, as --trace keeps it.")
    var file: String

    @Option(help: "The rate to go on with, 1/1000 to 4.")
    var speed: Speed?

    @Option(help: "Record the screen in this file, for asciinema.")
    var record: String?

    @OptionGroup var screen: ScreenOptions

    @Flag(help: "Print what happened, a line each, without a screen.")
    var plain = false

    func validate() throws { try PlainOptions.check(plain: plain, record: record) }

    func run() throws {
        try MainActor.assumeIsolated {
            var events: [Event] = []
            var audit = Audit()
            _ = try TraceReader.read(file) { event in
                events.append(event)
                audit.take(event.kind, sequence: event.sequence)
            }
            audit.finish()
            if plain {
                // There is nothing to stop for: it can be read at any pace.
                let replay = Replay(events, stoppingAt: events.last?.sequence, speed: 1)
                let end = try PlainSession(laboratory: replay, writer: nil, signals: PlainSession.expectSignals())
                    .run()
                if end != 0 { throw ExitCode(end) }
                return
            }
            let isASCII = try TerminalCharset.prepare(wantsASCII: screen.ascii)
            let rate = speed?.rate ?? 0.1
            let replay = Replay(events, stoppingAt: audit.firstFinding(besides: [])?.sequence, speed: rate)
            let session = try Session(
                laboratory: replay, writer: nil, isASCII: isASCII, taste: screen.taste, speed: rate, slowsTo: nil)
            if let record { session.record(in: record) }
            let end = try session.run()
            if end != 0 { throw ExitCode(end) }
        }
    }
}

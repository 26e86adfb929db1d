import ArgumentParser
import ClusterWatch
import Glibc
import Laboratory
import RaftTrace

/// `raft-tui watch`: the dashboard over nodes that run as processes of their own.
struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the dashboard on nodes that run as processes of their own.",
        discussion: """
            What they tell at /events is shown as it happens, and what is typed goes to them over HTTP. Faults need the \
            cluster's secret. Exit status: 2 if no node answers, 64 usage.
            """)

    @OptionGroup var nodes: NodeAddresses

    @Option(help: "The file with the secret that the nodes were started with: faults are refused without.")
    var secretFile: String?

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @Option(help: "Record the screen in this file, for asciinema.")
    var record: String?

    @OptionGroup var screen: ScreenOptions

    @Flag(help: "Print what happens, a line each, and read commands from standard input, without a screen.")
    var plain = false

    func validate() throws {
        try PlainOptions.check(plain: plain, record: record)
        let count = try nodes.list.count
        guard count <= WatchedCluster.nodesMax else {
            throw ValidationError("a dashboard shows at most \(WatchedCluster.nodesMax) nodes, and not \(count).")
        }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let token = try secretFile.map { try SecretFile($0, isForNodes: false).token }
        if plain { return try tell(token) }
        try MainActor.assumeIsolated { try open(token) }
    }

    private func tell(_ token: String?) throws {
        let writer = try trace.map { try TraceWriter(path: $0) }
        let signals = PlainSession.expectSignals()
        let session = PlainSession(laboratory: try cluster(token), writer: writer, signals: signals)
        try end(try session.run(), writer)
    }

    @MainActor
    private func open(_ token: String?) throws {
        // The terminal and files first: who can't have them needn't wait for the nodes.
        let isASCII = try TerminalCharset.prepare(wantsASCII: screen.ascii)
        let writer = try trace.map { try TraceWriter(path: $0) }
        let session = try Session(
            laboratory: try cluster(token), writer: writer, isASCII: isASCII, taste: screen.taste, speed: 1,
            slowsTo: nil)
        if let record { session.record(in: record) }
        try end(try session.run(), writer)
    }

    private func end(_ status: Int32, _ writer: TraceWriter?) throws {
        try writer?.close()
        if status != 0 { throw ExitCode(status) }
    }

    private func cluster(_ token: String?) throws -> WatchedCluster {
        do { return try WatchedCluster(try nodes.list, token: token) } catch let refusal as Refusal {
            throw Failure(refusal.description)
        }
    }
}

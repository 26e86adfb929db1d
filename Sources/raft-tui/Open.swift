import ArgumentParser
import CAllocator
import Dashboard
import Glibc
import Laboratory
import RaftCluster
import RaftCore
import RaftSimulation
import RaftTrace
import Script
import Terminal

/// `raft-tui` without a subcommand: opens the dashboard on a live cluster.
struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the dashboard on a live cluster (this is what raft-tui does by itself).")

    @OptionGroup var cluster: ClusterOptions

    @Flag(help: "Run a simulated cluster, whose past can be gone on from on another way.")
    var simulated = false

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @Option(help: "Record the screen in this file, for asciinema.")
    var record: String?

    @Option(
        help: "Serve the nodes' stores over HTTP: the first node's on this port of 127.0.0.1, the others' on the next.")
    var http: Int?

    @Flag(help: "Let other machines use --http, too: everybody who can reach this one can read and write all keys.")
    var share = false

    @OptionGroup var screen: ScreenOptions

    @Flag(help: "Print what happens, a line each, and read commands from standard input, without a screen.")
    var plain = false

    /// The pace at which everything can be followed by eye: the clock goes on with it when the first leader is there, or a
    /// lesson has said its first sentence.
    private static let pace = 0.1
    /// How long clients wait while somebody talks to an audience.
    private static let audiencePatience = Interval.seconds(86_400)

    func run() throws { try open(nil) }

    /// Opens the dashboard, and presents a script in it.
    func open(_ script: (name: String, script: Script)?) throws {
        _ = allocator_keep_little()
        if plain { return try tell(script) }
        try MainActor.assumeIsolated {
            let isASCII = try TerminalCharset.prepare(wantsASCII: screen.ascii)
            let writer = try trace.map { try TraceWriter(path: $0) }
            var options = options(for: script?.script)
            let laboratory = try start(options)
            let session = try Session(
                laboratory: laboratory, writer: writer, isASCII: isASCII, taste: screen.taste, speed: options.speed,
                slowsTo: cluster.speed == nil ? Open.pace : nil
            ) { script, former, picture in try startAnew(&options, for: script, after: former, picture) }
            if let http { session.serve(Faces.Options(firstPort: http, isShared: share)) }
            if let script { session.present(script.script, named: script.name) } else { laboratory.start() }
            if let record { session.record(in: record) }
            let end = try session.run()
            try writer?.close()
            if end != 0 { throw ExitCode(end) }
        }
    }

    /// What the cluster is started with, at full speed: where there is a screen it slows down by itself.
    private func options(for script: Script?) -> LiveCluster.Options {
        var options = cluster.live(
            nodes: script?.nodes ?? cluster.nodes, speed: 1, latency: .milliseconds(10) ... .milliseconds(30))
        if script != nil { options.patience = Open.audiencePatience }
        return options
    }

    /// Prints what happens, a line each, and presents a script so.
    private func tell(_ script: (name: String, script: Script)?) throws {
        let writer = try trace.map { try TraceWriter(path: $0) }
        var options = options(for: script?.script)
        let signals = PlainSession.expectSignals()
        let laboratory = try start(options)
        let session = PlainSession(laboratory: laboratory, writer: writer, signals: signals) {
            script, former, picture in
            try startAnew(&options, for: script, after: former, picture)
        }
        if let script { session.present(script.script, named: script.name) } else { laboratory.start() }
        let end = try session.run()
        try writer?.close()
        if end != 0 { throw ExitCode(end) }
    }

    /// Starts a cluster for a script with the same options, but disks of its own: a lesson begins with nothing, and takes
    /// nothing away.
    private func startAnew(
        _ options: inout LiveCluster.Options, for script: Script, after former: any RunningLaboratory,
        _ picture: Picture
    ) throws -> any RunningLaboratory {
        if simulated, trace != nil {
            throw Failure("a trace tells one story, and a simulated cluster begins a new one: leave out --trace")
        }
        (options.nodes, options.dataDirectory) = (script.nodes ?? LiveCluster.usualSize, nil)
        options.patience = Open.audiencePatience
        options.beginning = (picture.sequence + 1, former.now)
        // Where there is no room for another, the former one goes on.
        let fresh = try start(options)
        former.close()
        return fresh
    }

    private func start(_ options: LiveCluster.Options) throws -> any RunningLaboratory {
        if simulated {
            var simulated = SimulatedCluster.Options(
                nodes: options.nodes ?? LiveCluster.usualSize, seed: options.seed, speed: options.speed,
                latency: options.latency, settings: options.settings)
            simulated.patience = options.patience
            return PacedCluster(simulated)
        }
        do { return try LiveCluster(options) } catch { throw Failure("\(error)") }
    }

    func validate() throws {
        if simulated { try cluster.refuseDisks() }
        if let http, !(1...65_526).contains(http) {
            throw ValidationError("--http is a port from 1 to 65526, not \(http).")
        }
        if http != nil, simulated { throw ValidationError("Simulated nodes serve nobody: leave out --http.") }
        if http != nil, plain { throw ValidationError("--plain serves nobody: leave out --http.") }
        if share, http == nil { throw ValidationError("--share opens the ports of --http: name the first of them.") }
        try PlainOptions.check(plain: plain, record: record)
    }
}

/// Makes a fresh cluster for a script, in the place of the one there is, of which so much is known.
typealias FreshCluster = (Script, any RunningLaboratory, Picture) throws -> any RunningLaboratory

/// What can't go together with `--plain`.
enum PlainOptions {
    /// Makes sure that nobody wants what there is only with a screen.
    static func check(plain: Bool, record: String?) throws {
        if plain, record != nil { throw ValidationError("--plain has no screen to record: leave out --record.") }
    }
}

/// What the terminal can show.
enum TerminalCharset {
    /// Makes the program ready to draw. Answers whether only ASCII can be shown.
    ///
    /// - Throws: ``Failure`` where there is no terminal.
    @MainActor
    static func prepare(wantsASCII: Bool) throws -> Bool {
        setlocale(LC_ALL, "")
        do { try Terminal.require() } catch { throw Failure("\(error)") }
        let isUTF8 = String(cString: nl_langinfo(Int32(CODESET))) == "UTF-8"
        // Widths of letters are asked of the C library, which knows none in a locale without them.
        if !isUTF8 { setlocale(LC_CTYPE, "C.UTF-8") }
        return wantsASCII || !isUTF8
    }
}

import ArgumentParser
import Dashboard
import Glibc
import Laboratory
import RaftCluster
import RaftCore
import RaftTrace
import Script
import Terminal

/// `raft-tui` without a subcommand: opens the dashboard on a live cluster.
struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the dashboard on a live cluster (this is what raft-tui does by itself).")

    @OptionGroup var cluster: ClusterOptions

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @OptionGroup var screen: ScreenOptions

    /// The pace at which everything can be followed by eye: the clock goes on with it when the first leader is there.
    private static let pace = 0.1

    func run() throws { try open(nil) }

    /// Opens the dashboard, and presents a script in it.
    func open(_ script: (name: String, script: Script)?) throws {
        try MainActor.assumeIsolated {
            let isASCII = try TerminalCharset.prepare(wantsASCII: screen.ascii)
            let writer = try trace.map { try TraceWriter(path: $0) }
            var options = cluster.live(
                nodes: script?.script.nodes ?? cluster.nodes, speed: script == nil ? 1 : Open.pace,
                latency: .milliseconds(10) ... .milliseconds(30))
            let laboratory = try Open.start(options)
            let session = try Session(
                laboratory: laboratory, writer: writer, isASCII: isASCII, taste: screen.taste, speed: options.speed,
                slowsTo: cluster.speed == nil && script == nil ? Open.pace : nil
            ) { script, former, picture in
                // The same options, but disks of its own: a lesson begins with nothing, and takes nothing away.
                former.close()
                (options.nodes, options.dataDirectory) = (script.nodes ?? LiveCluster.usualSize, nil)
                options.speed = Open.pace
                options.beginning = (picture.sequence + 1, former.now)
                return try Open.start(options)
            }
            if let script { session.present(script.script, named: script.name) } else { laboratory.start() }
            let end = try session.run()
            try writer?.close()
            if end != 0 { throw ExitCode(end) }
        }
    }

    private static func start(_ options: LiveCluster.Options) throws -> LiveCluster {
        do { return try LiveCluster(options) } catch { throw Failure("\(error)") }
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

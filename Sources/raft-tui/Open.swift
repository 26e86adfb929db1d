import ArgumentParser
import Dashboard
import Glibc
import RaftCluster
import RaftCore
import Terminal

/// `raft-tui` without a subcommand: opens the dashboard on a live cluster.
struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open the dashboard on a live cluster (this is what raft-tui does by itself).")

    @OptionGroup var cluster: ClusterOptions

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @Flag(help: "Draw with ASCII only.")
    var ascii = false

    /// The pace at which everything can be followed by eye: the clock goes on with it when the first leader is there.
    private static let pace = 0.1

    func run() throws {
        try MainActor.assumeIsolated {
            let isASCII = try TerminalCharset.prepare(wantsASCII: ascii)
            let writer = try trace.map { try TraceWriter(path: $0) }
            let options = cluster.live(
                nodes: cluster.nodes, speed: 1, latency: .milliseconds(10) ... .milliseconds(30))
            let laboratory: LiveCluster
            do { laboratory = try LiveCluster(options) } catch { throw Failure("\(error)") }
            defer { laboratory.close() }
            laboratory.start()
            let session = try Session(
                laboratory: laboratory, writer: writer, isASCII: isASCII, speed: options.speed,
                slowsTo: cluster.speed == nil ? Open.pace : nil)
            let end = try session.run()
            try writer?.close()
            laboratory.close()
            if end != 0 { throw ExitCode(end) }
        }
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

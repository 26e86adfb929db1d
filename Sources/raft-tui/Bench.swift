import ArgumentParser
import Glibc
import RaftCluster
import RaftCore
import RaftTrace
import Script
import Terminal

/// `raft-tui bench`: what a real cluster does in a second.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how fast real nodes write.",
        discussion: """
            For each number of clients a fresh cluster is started: real nodes over loopback TCP, each with a log on disk, at \
            the clock's rate 1, and nobody who watches. Each client has a session and a key of its own, and writes a value \
            to it as soon as its last write is answered: committed by a majority, on their disks, and applied. After a second \
            of warming up, what is answered with ok within --seconds counts. Syncs are those of all nodes together. \
            Latencies are exact to three digits. Exit status: 0, 1 if writes failed, 2 if it can't start, 64 usage, 130 \
            interrupted.
            """)

    @Option(help: "The number of nodes, 1 to 9.")
    var nodes = 3

    @Option(help: "The numbers of clients to measure with, 1 to 65536.")
    var clients = ClientCounts(counts: [1, 16, 64, 256])

    @Option(help: "How long each measurement takes, in seconds.")
    var seconds = 5

    @Option(help: "The size of each value, in bytes.")
    var valueSize = 64

    @Option(help: "Keep the nodes' disks in a fresh directory in this one (default: where temporary files are).")
    var dataDir: String?

    @Flag(help: "Keep the logs in memory only, and nothing on disk: what a node knew is gone when it stops.")
    var memory = false

    @Flag(help: "Print the results as a JSON list with an object for each number of clients.")
    var json = false

    func validate() throws {
        guard LiveCluster.sizes.contains(nodes) else {
            throw ValidationError("--nodes is a number from 1 to 9, not \(nodes).")
        }
        guard (1...3_600).contains(seconds) else {
            throw ValidationError("--seconds is a number from 1 to 3600, not \(seconds).")
        }
        guard (0...1_000_000).contains(valueSize) else {
            throw ValidationError("--value-size is a number from 0 to 1000000, not \(valueSize).")
        }
    }

    func run() throws {
        let signals = SignalPipe([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
        var results: [Result] = []
        if !json { print(Result.heading) }
        for count in clients.counts {
            let result = try measure(count, signals)
            results.append(result)
            if !json { print(result.line) }
            fflush(nil)
        }
        if json { print("[\n" + results.map(\.json).joined(separator: ",\n") + "\n]") }
        let failed = results.map(\.measurement).filter { $0.failures > 0 }
        for measurement in failed {
            let (failures, first) = (measurement.failures, measurement.firstFailure ?? "")
            say("\(failures) writes of \(measurement.clients) clients failed, the first with: \(first)")
        }
        if !failed.isEmpty { throw ExitCode(1) }
    }

    /// Measures with so many clients, on a cluster of their own.
    private func measure(_ count: Int, _ signals: SignalPipe) throws -> Result {
        var options = LiveCluster.Options(nodes: nodes)
        options.keepsLogInMemory = memory
        options.temporaryParent = dataDir
        let who = count == 1 ? "1 client" : "\(count) clients"
        say("\(who): starting \(nodes) node\(nodes == 1 ? "" : "s")")
        let cluster: LiveCluster
        do { cluster = try LiveCluster(options) } catch { throw Failure("\(error)") }
        defer { cluster.close() }
        cluster.start()
        let leader = try leader(of: cluster, signals)
        cluster.observe(false)
        let writing = try cluster.beginWrites(clients: count, valueSize: valueSize, leader: leader)
        say("\(who): warming up")
        try wait(for: .seconds(1), on: cluster, signals)
        say("\(who): measuring for \(seconds) s")
        try writing.restart()
        let start = Usage()
        try wait(for: .seconds(Int64(seconds)), on: cluster, signals)
        let measurement = try writing.measure()
        let end = Usage()
        try writing.end()
        return Result(measurement: measurement, cores: (end.cpu - start.cpu) / measurement.seconds, memory: end.memory)
    }

    /// The leader, once all nodes follow it.
    private func leader(of cluster: LiveCluster, _ signals: SignalPipe) throws -> NodeID {
        var picture = Picture()
        while true {
            for event in cluster.takeEvents() { picture.apply(event) }
            if let failure = picture.nodes.compactMap(\.failure).first { throw Failure(failure) }
            if cluster.isSettled, let leader = picture.leader, picture.isConverged { return leader.id }
            if let signal = signals.take().first { throw ExitCode(128 + signal) }
            cluster.waitForEvents(until: nil, orReadable: signals.descriptor)
        }
    }

    /// Waits so long, or until a signal comes.
    private func wait(for time: Interval, on cluster: LiveCluster, _ signals: SignalPipe) throws {
        let end = cluster.now + time
        while cluster.now < end {
            _ = cluster.takeEvents()
            if let signal = signals.take().first { throw ExitCode(128 + signal) }
            cluster.waitForEvents(until: end, orReadable: signals.descriptor)
        }
    }

    private func say(_ sentence: String) {
        let line = Array("raft-tui: \(sentence)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}

/// What was measured with a number of clients.
private struct Result {
    let measurement: Measurement
    /// How many processor cores the process kept busy, clients and all.
    let cores: Double
    /// How much memory the process has at the end, in bytes.
    let memory: Int

    static let heading =
        "clients   writes/s     p50 µs     p99 µs   p99.9 µs     max µs  syncs/write  entries/append  cores     memory"

    var line: String {
        column(String(measurement.clients), 7) + column(text(measurement.writesPerSecond, 0), 11)
            + column(microseconds(50), 11) + column(microseconds(99), 11) + column(microseconds(99.9), 11)
            + column(text(measurement.latencyMax, 0), 11) + column(text(measurement.syncsPerWrite, 3), 13)
            + column(text(measurement.entriesPerAppend, 1), 16) + column(text(cores, 2), 7)
            + column("\(memory >> 20) MiB", 11)
    }

    var json: String {
        let latency = [("p50", 50), ("p99", 99), ("p999", 99.9)].map { name, percentile in
            "\"\(name)\": \(microseconds(percentile))"
        }
        let all = (latency + ["\"max\": \(text(measurement.latencyMax, 1))"]).joined(separator: ", ")
        return "  {\"clients\": \(measurement.clients), "
            + "\"ops_per_second\": \(text(measurement.writesPerSecond, 1)), "
            + "\"latency_us\": {\(all)}, "
            + "\"fsyncs_per_op\": \(text(measurement.syncsPerWrite, 4)), "
            + "\"entries_per_append\": \(text(measurement.entriesPerAppend, 2))}"
    }

    private func microseconds(_ percentile: Double) -> String { text(measurement.latency(percentile: percentile), 1) }

    /// A number with so many digits after its point, as every reader of JSON takes it.
    private func text(_ number: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = String(Int((number * scale).rounded()))
        guard digits > 0 else { return whole }
        let padded = String(repeating: "0", count: max(0, digits + 1 - whole.count)) + whole
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    private func column(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}

/// What the process has used up to now.
private struct Usage {
    /// Processor time, in seconds.
    let cpu: Double
    /// Memory that is its own or shared, in bytes.
    let memory: Int

    init() {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        cpu = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        var pages = 0
        if let file = fopen("/proc/self/statm", "r") {
            var total = 0
            _ = withUnsafeMutablePointer(to: &total) { total in
                withUnsafeMutablePointer(to: &pages) { pages in
                    withVaList([total, pages]) { vfscanf(file, "%ld %ld", $0) }
                }
            }
            fclose(file)
        }
        memory = pages * sysconf(Int32(_SC_PAGESIZE))
    }
}

/// The numbers of clients on the command line: `1,16,64`.
struct ClientCounts: ExpressibleByArgument {
    let counts: [Int]

    init(counts: [Int]) { self.counts = counts }

    init?(argument: String) {
        counts = argument.split(separator: ",", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard counts.count == argument.split(separator: ",", omittingEmptySubsequences: false).count,
            counts.allSatisfy((1...65_536).contains)
        else { return nil }
    }

    var defaultValueDescription: String { counts.map(String.init).joined(separator: ",") }
}

import ArgumentParser
import Glibc
import Laboratory
import RaftAudit
import RaftCore
import RaftSimulation
import Script

/// `raft-tui simulate`: proves the node on simulated worlds, one a seed.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put the nodes through simulated worlds, each with a seed's own faults, and hold them to Raft.",
        discussion: """
            Each seed draws a network, disks, clocks, clients and faults. After the faults the cluster must recover. \
            Exit status: 0 if every seed passed, 1 if a property was broken, 2 if --trace can't be written, 64 usage.
            """)

    @Option(help: "The seeds, like 1...1000 (default: 1...100).")
    var seeds: SeedRange?

    @Option(help: "One seed alone.")
    var seed: UInt64?

    @Option(help: "The number of nodes, 1 to 9.")
    var nodes = 5

    @Option(help: "How long faults go on, in simulated time.")
    var duration = SimulatedDuration(interval: .seconds(60))

    @Option(help: "A rule to switch off, to see that it is missed; see raft-tui rules.")
    var without: [Rule] = []

    @Option(
        help: "A fault of the disks themselves: \(World.Sabotage.allCases.map(\.rawValue).joined(separator: ", ")).")
    var sabotage: [World.Sabotage] = []

    @Option(help: "Keep the events of one seed in this file.")
    var trace: String?

    func validate() throws {
        guard (1...9).contains(nodes) else { throw ValidationError("--nodes is a number from 1 to 9, not \(nodes)") }
        guard seeds == nil || seed == nil else { throw ValidationError("--seed and --seeds don't go together") }
        guard trace == nil || seed != nil else {
            throw ValidationError("--trace keeps one seed's events: give it with --seed")
        }
    }

    func run() throws {
        let range = seeds?.range ?? (seed ?? 1)...(seed ?? 100)
        var progress = Progress(total: Int(min(range.upperBound - range.lowerBound, UInt64(Int.max) - 1)) + 1)
        var failures = 0
        for seed in range {
            var trial = Trial(
                seed: seed, nodes: nodes, duration: duration.interval, without: without, sabotage: Set(sabotage),
                keepsEvents: trace != nil)
            let verdict = try run(&trial)
            progress.add(trial.world)
            guard verdict != .passed else { continue }
            failures += 1
            progress.clear()
            print("seed \(seed): \(verdict)")
            print("  at \(trial.world.now.clockText) of simulated time; once more: \(commandLine(seed))")
            print("  to look at it then: raft-tui replay \(trace ?? "trace.ndjson")")
            if failures == 1, !without.isEmpty || !sabotage.isEmpty { break }
        }
        progress.finish(failures: failures)
        if failures > 0 { throw ExitCode(1) }
    }

    private func run(_ trial: inout Trial) throws -> Trial.Verdict {
        guard let trace else { return trial.run() }
        let writer = try TraceWriter(path: trace)
        while true {
            let verdict = trial.step()
            try writer.write(trial.takeEvents(), trial.world.audit)
            guard let verdict else { continue }
            try writer.close()
            return verdict
        }
    }

    private func commandLine(_ seed: UInt64) -> String {
        var words = ["raft-tui simulate --seed \(seed)"]
        if nodes != 5 { words.append("--nodes \(nodes)") }
        if duration.interval != .seconds(60) { words.append("--duration \(duration)") }
        words += without.map { "--without \($0.name)" } + sabotage.map { "--sabotage \($0.rawValue)" }
        return words.joined(separator: " ") + " --trace \(trace ?? "trace.ndjson")"
    }
}

/// How far a row of seeds is, on standard error where that is a terminal, and what it came to.
private struct Progress {
    private let total: Int
    private let start = ContinuousClock.now
    private var done = 0
    private var simulated = 0.0
    private var steps = 0
    private var shown = 0.0
    private let isShown = isatty(STDERR_FILENO) == 1

    init(total: Int) { self.total = total }

    mutating func add(_ world: World) {
        done += 1
        simulated += Interval(nanoseconds: world.now.nanoseconds).seconds
        steps += world.steps
        let elapsed = elapsed
        guard isShown, elapsed - shown > 0.2 else { return }
        shown = elapsed
        say("\r\(done) of \(total) seeds, \(Int(simulated / elapsed)) simulated seconds a second\u{1b}[K")
    }

    func clear() { if isShown { say("\r\u{1b}[K") } }

    func finish(failures: Int) {
        clear()
        let elapsed = max(elapsed, 1e-6)
        let failed = failures == 0 ? "all passed" : "\(failures) failed"
        print(
            "\(done) seed\(done == 1 ? "" : "s"), \(failed); \(Int(simulated)) simulated seconds in \((elapsed * 10).rounded() / 10) s, \(Int(simulated / elapsed)) a second; \(steps) steps of servers"
        )
    }

    private func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }
}

/// A row of seeds, as an option has it: `1...1000`.
struct SeedRange: ExpressibleByArgument {
    let range: ClosedRange<UInt64>

    init?(argument: String) {
        let ends = argument.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
        guard argument.contains("..."), ends.count == 2, let first = ends[0], let last = ends[1], first <= last else {
            return nil
        }
        range = first...last
    }
}

/// A length of simulated time, as an option has it: `60s`.
struct SimulatedDuration: ExpressibleByArgument, CustomStringConvertible {
    let interval: Interval

    init(interval: Interval) { self.interval = interval }

    init?(argument: String) {
        guard let range = try? Value.durations(argument), range.lowerBound == range.upperBound, range.lowerBound > .zero
        else { return nil }
        interval = range.lowerBound
    }

    var description: String { DurationText.text(of: interval) }
}

extension Rule: ExpressibleByArgument {
    /// The rule of this name.
    public init?(argument: String) { self.init(name: argument) }

    /// The names of all rules.
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension World.Sabotage: ExpressibleByArgument {}

extension Trial.Verdict: CustomStringConvertible {
    /// How the trial ended, in a sentence.
    public var description: String {
        switch self {
        case .passed: "passed"
        case .broken(let finding): "\(finding)"
        case .stuck(let sentence), .unreadable(let sentence): sentence
        }
    }
}

extension Instant {
    /// `12.345 s`.
    fileprivate var clockText: String {
        let milliseconds = nanoseconds / 1_000_000
        let rest = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - rest.count))\(rest) s"
    }
}

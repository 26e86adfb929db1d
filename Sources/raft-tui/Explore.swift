import ArgumentParser
import Glibc
import RaftAudit
import RaftCore
import RaftSimulation
import RaftTrace

/// `raft-tui explore`: proves the node on small worlds, by walking through all that can happen in them.
struct Explore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Walk through everything that can happen to a small cluster, and hold it to Raft.",
        discussion: """
            Messages come in any order, late, twice or never; election timers run out at any time; nodes crash and \
            start again from their disks. States that differ only in the nodes' names count once. If a property is \
            broken, a shortest way to it is shown. \
            Exit status: 0 if nothing is broken, 1 if a property is, 64 for wrong arguments.
            """)

    @Option(help: "The number of nodes, 1 to 5.")
    var nodes = 3

    @Option(help: "The latest term that a node may start, from 1.")
    var terms: UInt64 = 2

    @Option(help: "How many commands clients give.")
    var commands = 2

    @Option(help: "How many crashes there are.")
    var crashes = 1

    @Option(help: "How many snapshots nodes take.")
    var snapshots = 0

    @Option(help: "How many times a leader is told to take a member out, or in again.")
    var changes = 0

    @Flag(help: "A write reaches the disk in a step of its own; a crash before it takes it away.")
    var diskSteps = false

    @Flag(help: "A new leader appends an empty entry, as live ones do.")
    var noop = false

    @Option(help: "A rule to switch off, to see that it is missed; see raft-tui rules.")
    var without: [Rule] = []

    @Option(help: "Give up after so many states.")
    var statesMax = 50_000_000

    func validate() throws {
        guard (1...5).contains(nodes) else { throw ValidationError("--nodes is a number from 1 to 5, not \(nodes)") }
        guard terms >= 1 else { throw ValidationError("--terms is 1 or more, not \(terms)") }
        guard (0...20).contains(commands) else {
            throw ValidationError("--commands is a number from 0 to 20, not \(commands)")
        }
        for (name, count) in [("crashes", crashes), ("snapshots", snapshots), ("changes", changes)] where count < 0 {
            throw ValidationError("--\(name) is 0 or more, not \(count)")
        }
        guard (1...2_000_000_000).contains(statesMax) else {
            throw ValidationError("--states-max is a number from 1 to 2000000000, not \(statesMax)")
        }
        for rule in without where Explore.beyond.contains(rule) {
            throw ValidationError(
                "\(rule.name) is not missed in a small world: it has no reads, sessions or wiped disks")
        }
        guard diskSteps || !without.contains(.persistBeforeReply) else {
            throw ValidationError("persistBeforeReply is missed only where writes take time: add --disk-steps")
        }
        guard snapshots > 0 || !without.contains(.keepMatchingSuffix) else {
            throw ValidationError("keepMatchingSuffix is missed only where there are snapshots: add --snapshots")
        }
        let ofMembers: [Rule] = [.configurationAfterOwnCommit, .oneChangeAtATime, .jointNeedsBothMajorities]
        for rule in without where ofMembers.contains(rule) && changes == 0 {
            throw ValidationError("\(rule.name) is missed only where members change: add --changes")
        }
    }

    func run() throws {
        var exploration = Exploration(bounds: bounds, without: without)
        var progress = Progress()
        while exploration.states < statesMax {
            switch exploration.advance() {
            case .safe: return print(progress.end(exploration, "every one safe"))
            case .broken(let example):
                let shortest = Exploration.shortest(example, within: exploration, statesMax: min(statesMax, 3_000_000))
                print((shortest ?? example).story)
                if shortest == nil { print("whether there is a shorter way would take too long to find out") }
                print(progress.end(exploration, "\(example.finding.property.rawValue) is broken"))
                throw ExitCode(1)
            case nil: progress.show(exploration)
            }
        }
        print(progress.end(exploration, "all of these safe, but there are more: --states-max is \(grouped(statesMax))"))
    }

    private var bounds: SmallWorld.Bounds {
        var bounds = SmallWorld.Bounds()
        bounds.nodes = nodes
        bounds.terms = terms
        bounds.commands = commands
        bounds.crashes = crashes
        bounds.snapshots = snapshots
        bounds.changes = changes
        bounds.diskTakesSteps = diskSteps
        bounds.hasNoops = noop
        return bounds
    }

    /// The rules that are about what a small world doesn't have.
    private static let beyond: [Rule] = [
        .rememberIdentity, .readIndexNeedsOwnTermCommit, .readIndexNeedsMajority, .exactlyOnce, .answerByIndexAndTerm,
        .snapshotHoldsSessions, .leaseExpires,
    ]
}

extension Counterexample {
    /// The steps for people, and what they lead to.
    fileprivate var story: String {
        var lines: [String] = []
        for (place, step) in steps.enumerated() {
            let number = String(place + 1)
            lines.append(String(repeating: " ", count: max(0, 3 - number.count)) + "\(number). \(step.occurrence)")
            for event in step.events {
                let explanation = Event(at: .zero, sequence: 0, kind: event).explanation
                if explanation.weight > .background { lines.append("       \(explanation.line)") }
            }
        }
        return lines.joined(separator: "\n") + "\n\(finding)"
    }
}

/// How far a walk is, on standard error where that is a terminal, and what it came to.
private struct Progress {
    private let start = ContinuousClock.now
    private var shown = 0.0
    private let isShown = isatty(STDERR_FILENO) == 1

    mutating func show(_ exploration: Exploration) {
        guard isShown, elapsed - shown > 0.2 else { return }
        shown = elapsed
        let rate = grouped(Int(Double(exploration.states) / elapsed))
        say("\r\(exploration.depth) steps deep, \(grouped(exploration.states)) states, \(rate) a second\u{1b}[K")
    }

    func end(_ exploration: Exploration, _ result: String) -> String {
        if isShown { say("\r\u{1b}[K") }
        let time = "\((elapsed * 10).rounded() / 10) s"
        return "\(grouped(exploration.states)) states, \(exploration.depth) steps deep, \(result); \(time)"
    }

    private func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }
}

/// `1,234,567`.
private func grouped(_ number: Int) -> String {
    var text = ""
    for (place, digit) in String(number).reversed().enumerated() {
        if place > 0, place % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return String(text.reversed())
}

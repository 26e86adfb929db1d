import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

// How a transcript is written: as a script that plays back without anybody's help, on simulated servers too.
//
// - Time: `sleep` for the cluster time that passed, in steps of 10 ms. `speed` is left out: how fast it goes is up to
//   whoever plays it, and a demo shown at 1/1000 would take a headless run a thousand times as long. `freeze` and `thaw`
//   stand only around what was done meanwhile, and nothing between them waits.
// - Clients: a line waits for its answer where that came before anything else was done; otherwise it ends in `&`.
// - Leaders: `leader` stays `leader`, for that is what was meant, and `wait leader` stands before it. But the story is told
//   of numbers, too (`kill leader`, then `revive 3`, then `partition 1,2 | 3,4,5`). So that these fit, whoever won an
//   election then is helped to win it again: the others' timers are held meanwhile. That can go wrong, where the other's log
//   falls behind; therefore they are let go before anything waits for a leader, and any leader is good enough then. Only
//   the first election can't go wrong, for all logs are the same. Where somebody held timers or handed over, the script
//   says itself who leads, and only the time for it is given.

extension Transcript {
    /// The beginning of the first line: what was saved before may be written over.
    public static let mark = "# Saved by raft-tui"

    /// The script.
    ///
    /// - Parameters:
    ///   - title: What it is called.
    ///   - time: When it is saved, for a person to read.
    ///   - broken: The properties that were broken, and will be again.
    public func text(titled title: String, savedAt time: String, breaking broken: [Property] = []) -> String {
        var writer = TranscriptWriter(self)
        writer.write(titled: title, savedAt: time, breaking: broken)
        return writer.lines.map { $0 + "\n" }.joined()
    }
}

/// Writes a transcript line by line.
private struct TranscriptWriter {
    private(set) var lines: [String] = []
    private let transcript: Transcript
    private let steps: [Transcript.Step]
    /// Elections that are helped to end as they did, by the place of the step before them; -1 for the beginning.
    private var elections: [Int: Election] = [:]
    /// The time that has passed and no `sleep` was written for.
    private var owed = Interval.zero
    /// Which time of standing still is written now.
    private var freeze: Int?

    /// A server was elected after one step and before another.
    private struct Election {
        var end: Int
        var winner: NodeID
        var held: [NodeID]
    }

    init(_ transcript: Transcript) {
        self.transcript = transcript
        steps = transcript.steps
        elections = findElections()
    }

    mutating func write(titled title: String, savedAt time: String, breaking broken: [Property]) {
        lines.append("\(Transcript.mark), \(time). What comes after this line can be changed like any script.")
        if transcript.hadDisks { lines.append("# The disks were not empty when this began; those of this script are.") }
        write(.title(title))
        if let began = transcript.began { writeBeginning(began) }
        for property in broken { write(.tolerate(property)) }
        if elections.values.contains(where: { !$0.held.isEmpty }) {
            lines.append("# Timers are held where that makes the same node lead as did then.")
        }
        if let first = elections[-1], !first.held.isEmpty { write(.nodes(.holdTimer, first.held.references)) }
        for place in steps.indices { write(steps[place], at: place) }
        writeGap(before: steps.count)
        if transcript.omitted > 0 { lines.append("# \(transcript.omitted) more commands were not kept.") }
    }

    private mutating func write(_ kind: Statement.Kind) { lines.append(kind.description) }

    private mutating func write(_ command: Command) { write(.command(command)) }

    // MARK: - The beginning

    /// What is to be switched before the servers start, so that they are as they were.
    private mutating func writeBeginning(_ began: ClusterBegan) {
        write(.cluster(began.nodes))
        if transcript.latency.upperBound > .zero { write(.latency(nil, transcript.latency)) }
        let (then, usual) = (began.settings, SettingsChanged(Settings()))
        let switches: [(name: String, change: (Bool) -> OptionChange)] = [
            ("prevote", OptionChange.preVote), ("checkquorum", OptionChange.checkQuorum), ("noop", OptionChange.noop),
            ("lease", OptionChange.lease),
        ]
        for (name, change) in switches where then.options.contains(name) != usual.options.contains(name) {
            write(.option(change(then.options.contains(name))))
        }
        if then.electionTimeout != usual.electionTimeout, let low = then.electionTimeout.first,
            let high = then.electionTimeout.last, low <= high
        {
            write(.option(.electionTimeout(low...high)))
        }
        if then.heartbeat != usual.heartbeat { write(.option(.heartbeat(then.heartbeat))) }
        if then.snapshotEvery != usual.snapshotEvery { write(.option(.snapshotEvery(then.snapshotEvery))) }
        if then.snapshotTrailing != usual.snapshotTrailing, let trailing = then.snapshotTrailing {
            write(.option(.snapshotTrailing(trailing)))
        }
        for rule in Rule.allCases where then.rulesOff.contains(rule.name) { write(.rule(rule, isOn: false)) }
    }

    // MARK: - Elections

    /// Finds who was elected between which steps. Where somebody holds timers, or hands over, they say who leads.
    private func findElections() -> [Int: Election] {
        var elections: [Int: Election] = [:]
        // The step after which the leader may have been lost, and the leader then.
        var (begin, former) = (-1, NodeID?.none)
        for end in 0...steps.count {
            guard let winner = end < steps.count ? steps[end].leader : transcript.leader else { continue }
            let between = steps[max(0, begin)..<end]
            // A leader that was lost and came back was elected, too.
            if winner != former || between.contains(where: { $0.leader == nil }) {
                let hasHeldTimers = end < steps.count ? steps[end].hasHeldTimers : transcript.hasHeldTimers
                let isFree = !hasHeldTimers && !between.contains { $0.hasHeldTimers || $0.command.isAboutTimers }
                let all = begin < 0 ? (transcript.began?.nodes ?? 0).nodes : steps[begin].running
                let held = isFree ? all.filter { $0 != winner } : []
                elections[begin] = Election(end: end, winner: winner, held: held)
            }
            (begin, former) = (end, winner)
        }
        return elections
    }

    // MARK: - Steps

    private mutating func write(_ step: Transcript.Step, at place: Int) {
        writeGap(before: place)
        if let election = elections[place], !election.held.isEmpty {
            write(.nodes(.holdTimer, election.held.references))
        }
        if step.freeze != freeze, step.freeze != nil {
            write(.freeze)
            freeze = step.freeze
        }
        if step.place > 1 { lines.append("# It was number \(step.place) on its link then.") }
        guard case .client(var client) = step.command else { return write(step.command) }
        // While the clock stands still nobody waits for an answer.
        if step.answered == nil || step.freeze != nil { client.isBackground = true }
        write(.client(client))
    }

    /// Lets the time pass that passed before a step, or before the end, and lets a leader be elected.
    private mutating func writeGap(before place: Int) {
        let next = place < steps.count ? steps[place] : nil
        let election = elections.values.first { $0.end == place }
        if let freeze {
            // Nothing is waited for while the clock stands still.
            if (next == nil ? transcript.frozen : next?.freeze) == freeze {
                if let election { release(election) }
                return
            }
            write(.thaw)
            self.freeze = nil
        }
        var since = transcript.start ?? transcript.now
        if place > 0 {
            let last = steps[place - 1]
            let waited = isWaitedFor(last) ? last.answered : nil
            since = max(since, waited ?? last.at)
        }
        let until = next?.at ?? transcript.now
        if let election, elections[-1]?.end == place {
            waitForLeader()
            release(election)
            sleep(until - max(since, transcript.firstElection ?? since))
        } else if let election {
            // Whoever is to win is given the time for it; less, where no timer is to run out before.
            let timeout = place > 0 ? steps[place - 1].timeout : .zero
            let half = Interval(nanoseconds: timeout.nanoseconds / 2)
            sleep(until - since, atLeast: election.held.isEmpty ? half : timeout + timeout)
            release(election)
            if !election.held.isEmpty { waitForLeader() }
        } else {
            sleep(until - since)
        }
        if next?.command.namesLeader == true { waitForLeader() }
    }

    private mutating func waitForLeader() {
        let line = Statement.Kind.wait(.leader, within: Statement.usualPatience).description
        if lines.last != line { lines.append(line) }
    }

    private func isWaitedFor(_ step: Transcript.Step) -> Bool {
        guard case .client(let client) = step.command else { return false }
        return !client.isBackground && step.freeze == nil
    }

    private mutating func release(_ election: Election) {
        if !election.held.isEmpty { write(.nodes(.freeTimer, election.held.references)) }
    }

    private static let grain: Int64 = 10_000_000
    private static let least = Interval.milliseconds(20)
    /// No script sleeps longer at once.
    private static let most = Interval.seconds(86_400)

    /// Lets time pass; what is too little is left for the next time.
    private mutating func sleep(_ length: Interval, atLeast least: Interval = .zero) {
        owed = owed + max(.zero, length)
        guard max(owed, least) >= TranscriptWriter.least else { return }
        let grains = (max(owed, least).nanoseconds + TranscriptWriter.grain / 2) / TranscriptWriter.grain
        let written = min(Interval(nanoseconds: grains * TranscriptWriter.grain), TranscriptWriter.most)
        write(.sleep(written))
        owed = .zero
    }
}

extension [NodeID] {
    fileprivate var references: [NodeReference] { map { .node($0) } }
}

extension Int {
    /// So many servers.
    fileprivate var nodes: [NodeID] { self > 0 ? (1...self).map { NodeID($0) } : [] }
}

extension Command {
    /// Whether it says itself who is to lead, or when.
    fileprivate var isAboutTimers: Bool {
        switch self {
        case .nodes(.holdTimer, _), .nodes(.freeTimer, _), .nodes(.timeout, _), .align, .transfer: true
        default: false
        }
    }

    /// Whether it speaks of the leader, whoever that is.
    fileprivate var namesLeader: Bool {
        func isLeader(_ link: LinkReference) -> Bool { link.from == .leader || link.to == .leader }
        return switch self {
        case .client(let client): client.via == .leader
        case .nodes(_, let nodes), .members(_, let nodes), .align(let nodes): nodes.contains(.leader)
        case .cut(let links), .heal(let links), .hold(let links), .release(let links): links.contains(where: isLeader)
        case .partition(let groups): groups.contains { $0.contains(.leader) }
        case .isolate(let node), .disk(let node, _), .transfer(let node): node == .leader
        case .latency(let link, _), .loss(let link, _): link.map(isLeader) ?? false
        case .messages(_, .oldest(let link, _)): isLeader(link)
        case .messages(_, .numbered), .rule, .option, .freeze, .thaw, .step, .speed, .load, .undo, .reset: false
        }
    }
}

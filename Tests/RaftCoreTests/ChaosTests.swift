import RaftCore
import Testing

/// Random crashes, losses, copies and reorderings over the pure core, with the paper's Figure 3 kept as history, so
/// that no crash hides a violation.
struct ChaosTests {
    @Test("whatever is lost, copied, reordered or crashes, the five safety properties and reads hold", arguments: 0..<8)
    func safety(batch: UInt64) throws {
        for seed in (batch * 25)..<(batch * 25 + 25) {
            var world = World(seed: seed)
            for _ in 0..<500 {
                world.act()
                if let broken = world.broken {
                    Issue.record("seed \(seed): \(broken)")
                    return
                }
            }
        }
    }

    @Test("after the faults end, a leader is there and commits", arguments: 0..<4)
    func liveness(batch: UInt64) {
        for seed in (batch * 10)..<(batch * 10 + 10) {
            var world = World(seed: seed)
            for _ in 0..<200 { world.act() }
            let isHealed = world.heals()
            #expect(isHealed, "seed \(seed)")
        }
    }

    @Test(
        "the same chaos finds what goes wrong without a rule",
        arguments: [
            Rule.voteOncePerTerm, .majorityElects, .stepDownOnLaterTerm, .electionRestriction, .commitOnlyProven,
            .majorityCommits, .persistBeforeReply, .truncateOnlyOnConflict, .logMatching, .refuseEarlierTerm,
            .readIndexNeedsMajority,
        ])
    func mutants(rule: Rule) {
        let isFound = (0..<1_500 as Range<UInt64>).contains { seed in
            var world = World(seed: seed, rules: .all(without: rule))
            return (0..<500).contains { _ in
                world.act()
                return world.broken != nil
            }
        }
        #expect(isFound)
    }
}

/// A cluster in which anything may happen next.
private struct World {
    private var bench: Workbench
    private var random: Generator
    /// What came to be drawn later, so that the rest stays as it is.
    private var later: Generator
    /// Whether leaders answer lease reads, and hand over now and then.
    private let hasLeases: Bool
    private(set) var broken: String?
    private var leaders: [Term: NodeID] = [:]
    private var committed: [Entry] = []
    private var seenCommit: [NodeID: LogIndex] = [:]
    private var nextRead: ReadID = 1
    private var readFloor: [ReadID: Int] = [:]
    private var readsSeen = 0
    private var command: UInt8 = 0
    /// The server that nobody can reach now.
    private var isolated: NodeID?
    /// How often each act comes in this world: every seed has its own mix, for a mistake that shows in one kind of
    /// weather hides in another.
    private let weights: [UInt64]

    init(seed: UInt64, rules: RuleSet = .all) {
        var random = Generator(seed: seed)
        later = Generator(seed: seed, stream: 1)
        let isLeasing = later.chance(0.2)
        hasLeases = isLeasing
        let settings = Settings {
            $0.rules = rules
            $0.options.preVote = random.chance(0.5)
            $0.options.checkQuorum = random.chance(0.5)
            $0.options.noop = random.chance(0.7)
            $0.limits.entriesPerAppendMax = random.chance(0.5) ? 2 : 100
            $0.limits.inflightMessagesMax = random.chance(0.5) ? 2 : 100
            $0.options.lease = isLeasing
        }
        bench = Workbench(random.chance(0.5) ? 3 : 5, settings: settings)
        bench.syncsAtOnce = false
        let mixes: [[UInt64]] = [
            [60, 120], [10, 40], [1, 5, 15], [1, 10], [1, 5], [0, 1, 8], [0, 1, 3], [0, 2],
        ]
        weights = mixes.map { $0[Int(random.below(UInt64($0.count)))] }
        self.random = random
    }

    /// Lets one thing happen.
    mutating func act() {
        let nodes = Array(bench.configuration.voters)
        let node = nodes[Int(random.below(UInt64(nodes.count)))]
        switch drawAct() {
        case .wire: for _ in 0..<3 { handleWire() }
        case .sync: bench.sync(node, count: Int(random.below(3)))
        case .deadline: bench.reachDeadline(of: node)
        case .propose:
            command &+= 1
            if let leader = anyLeader() { bench.propose([command], on: leader) }
        case .read:
            if let leader = anyLeader() { read(on: later.chance(0.2) ? node : leader) }
            if hasLeases, later.chance(0.1), let leader = anyLeader() { bench.step(.transfer(to: node), on: leader) }
        case .campaign: bench.step(.campaign, on: node)
        case .crash:
            bench.crash(node)
            bench.start(node, seed: later.next())
            seenCommit[node] = .zero
        case .isolate: isolated = isolated == nil ? anyLeader() ?? node : nil
        }
        check()
    }

    private mutating func read(on node: NodeID) {
        readFloor[nextRead] = committed.count
        bench.step(later.chance(0.5) ? .leaseRead(nextRead) : .read(nextRead), on: node)
        nextRead += 1
    }

    private enum Act: CaseIterable {
        case wire
        case sync
        case deadline
        case propose
        case read
        case campaign
        case crash
        case isolate
    }

    private mutating func drawAct() -> Act {
        var rest = random.below(weights.reduce(0, +))
        for (act, weight) in zip(Act.allCases, weights) {
            if rest < weight { return act }
            rest -= weight
        }
        return .wire
    }

    /// Ends all faults and lets time pass: a leader must appear and commit a new entry everywhere.
    mutating func heals() -> Bool {
        bench.syncsAtOnce = true
        for node in bench.configuration.voters { bench.sync(node) }
        for _ in 0..<600 {
            bench.deliver()
            check()
            if broken != nil { return false }
            if isConverged() { return true }
            if let leader = anyLeader(), bench[leader].log.last.term != bench[leader].currentTerm {
                bench.propose([9], on: leader)
            }
            let next = bench.configuration.voters.min {
                (bench[$0].deadline ?? .zero) < (bench[$1].deadline ?? .zero)
            }
            if let next { bench.reachDeadline(of: next) }
        }
        return false
    }

    /// Whether a leader's log, with an entry of its own term, is everybody's and committed.
    private mutating func isConverged() -> Bool {
        guard let leader = anyLeader() else { return false }
        let log = bench[leader].log
        return log.last.term == bench[leader].currentTerm
            && bench.configuration.voters.allSatisfy { bench[$0].commitIndex == log.lastIndex && bench[$0].log == log }
    }

    private mutating func anyLeader() -> NodeID? {
        let leading = bench.configuration.voters.filter { bench[$0].role.name == .leader }
        guard !leading.isEmpty else { return nil }
        return leading[Int(random.below(UInt64(leading.count)))]
    }

    /// Delivers, copies, reorders or loses a message.
    private mutating func handleWire() {
        var wire = bench.takeWire()
        guard !wire.isEmpty else { return }
        let place = random.chance(0.6) ? 0 : Int(random.below(UInt64(wire.count)))
        let message = wire[place]
        if !random.chance(0.1) { wire.remove(at: place) }
        if wire.count > 200 { wire.removeFirst(100) }
        bench.restoreWire(wire)
        guard message.from != isolated, message.to != isolated, !random.chance(0.1) else { return }
        bench.step(.message(message), on: message.to)
    }

    private mutating func check() {
        for node in bench.configuration.voters {
            let server = bench[node]
            if let violation = server.violation { return broken = "\(node) halted: \(violation)" }
            if let disk = bench.disks[node], disk.log.last.term > disk.hardState.term {
                broken = "\(node)'s disk holds an entry of term \(disk.log.last.term), and term \(disk.hardState.term)"
            }
            if server.role.name == .leader { checkLeader(server) }
            checkCommit(server)
        }
        for answer in bench.reads[readsSeen...] {
            // A read must see everything that was committed anywhere when it began.
            if case .ready(let id, let index) = answer, Int(index.rawValue) < readFloor[id] ?? 0 {
                broken = "read \(id) sees \(index), but \(readFloor[id] ?? 0) was committed before it"
            }
        }
        readsSeen = bench.reads.count
    }

    /// Election Safety and Leader Completeness.
    private mutating func checkLeader(_ server: Raft) {
        if let other = leaders[server.currentTerm], other != server.id {
            broken = "\(other) and \(server.id) lead term \(server.currentTerm)"
        } else if leaders[server.currentTerm] == nil {
            leaders[server.currentTerm] = server.id
            let has = server.log.entries(from: LogIndex(1), maxCount: committed.count)
            if has != committed {
                broken = "\(server.id) leads term \(server.currentTerm) without all that is committed"
            }
        }
    }

    /// State Machine Safety: no two servers ever commit different entries at an index.
    private mutating func checkCommit(_ server: Raft) {
        let seen = seenCommit[server.id] ?? .zero
        if server.commitIndex < seen { broken = "\(server.id)'s commit index went back" }
        guard server.commitIndex > seen else { return }
        seenCommit[server.id] = server.commitIndex
        for raw in (seen.rawValue + 1)...server.commitIndex.rawValue {
            let entry = server.log[LogIndex(raw)]
            if raw <= committed.count {
                if committed[Int(raw) - 1] != entry { broken = "\(server.id) commits another entry at \(raw)" }
            } else {
                committed.append(entry)
            }
        }
    }
}

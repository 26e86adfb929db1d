import KeyValue
import RaftAudit
import RaftCore
import RaftNode
import RaftTrace

/// One seed's test: a time of faults with clients at work, then calm, in which the cluster must recover; then every key
/// is read once more.
public struct Trial: Sendable {
    /// The world that it happens in.
    public private(set) var world: World
    /// How long faults go on.
    public let duration: Interval
    private var phase = Phase.chaos
    private var calmUntil = Instant.zero
    private var nextWrite = Instant.zero

    private enum Phase {
        case chaos
        case recovery
        case reading
        case over
    }

    /// How a trial ended.
    public enum Verdict: Hashable, Sendable {
        /// Everything held.
        case passed
        /// A property was broken.
        case broken(Finding)
        /// The cluster did not recover: why, in a sentence.
        case stuck(String)
        /// A server could not read its own disk.
        case unreadable(String)
    }

    /// How long the cluster may take to recover.
    public static let recoveryMax = Interval.seconds(60)

    /// The trial of `seed`.
    public init(
        seed: UInt64, nodes: Int, duration: Interval, without rules: [Rule] = [], sabotage: Set<World.Sabotage> = [],
        keepsEvents: Bool = false
    ) {
        self.duration = duration
        var mix = Mix(seed: seed)
        for rule in rules { mix.settings.rules[rule] = false }
        world = World(seed: seed, nodes: nodes, mix: mix, sabotage: sabotage, keepsEvents: keepsEvents)
    }

    /// Goes on to the end.
    public mutating func run() -> Verdict {
        while true { if let verdict = step() { return verdict } }
    }

    /// Lets the next thing happen. Answers the verdict when there is one.
    public mutating func step() -> Verdict? {
        world.step()
        if let finding = world.audit.firstFinding { return .broken(finding) }
        if let failure = world.startFailure { return .unreadable(failure) }
        switch phase {
        case .chaos:
            guard world.now >= .zero + duration else { return nil }
            world.calmDown()
            calmUntil = world.now + Trial.recoveryMax
            phase = .recovery
            writeOnce()
        case .recovery:
            if world.hasRecovered {
                phase = .reading
                world.readEverything()
            } else if world.now >= calmUntil {
                return .stuck(world.whyStuck)
            } else if world.now >= nextWrite, !world.settings.options.noop {
                // Without the empty entry of its term a new leader commits nothing until somebody writes (paper §8).
                writeOnce()
            }
        case .reading:
            if world.areClientsIdle {
                phase = .over
                world.finishAudit()
                return world.audit.firstFinding.map { .broken($0) } ?? .passed
            }
            if world.now >= calmUntil + Trial.recoveryMax { return .stuck(world.whyStuck) }
        case .over: return .passed
        }
        return nil
    }

    /// The first client writes, so that there is something to commit.
    private mutating func writeOnce() {
        nextWrite = world.now + .seconds(10)
        world.askFirst(.write(.set(key: Bytes("end".utf8), value: Bytes("end".utf8))))
    }

    /// What happened since this was called last, where events are kept.
    public mutating func takeEvents() -> [Event] { world.takeEvents() }
}

extension World {
    mutating func takeEvents() -> [Event] {
        defer { events = [] }
        return events
    }

    mutating func finishAudit() { audit.finish() }

    /// The first client is to ask this next.
    mutating func askFirst(_ request: Request) {
        clients[0].plan.append(request)
        schedule(.client(0), after: .zero)
    }

    /// Every key is read once more.
    mutating func readEverything() {
        for key in ["end", "n"] + (0..<mix.keys).map({ "k\($0)" }) { askFirst(.get(key: Bytes(key.utf8), .readindex)) }
    }

    var areClientsIdle: Bool { clients.allSatisfy { !$0.isBusy && $0.plan.isEmpty } }

    /// Whether everybody is up, somebody leads, nobody waits, and all members have the same log.
    var hasRecovered: Bool {
        guard areClientsIdle, servers.allSatisfy(\.isRunning), let leader = leader.map({ servers[$0].life?.node.raft }),
            let leader, leader.configuration.isSettled
        else { return false }
        for server in servers where leader.configuration.contains(server.id) {
            guard let raft = server.life?.node.raft, raft.log.last == leader.log.last,
                raft.commitIndex == raft.log.lastIndex
            else { return false }
        }
        return true
    }

    var whyStuck: String {
        let servers = servers.map { server in
            guard let raft = server.life?.node.raft else { return "\(server.id) is down" }
            return
                "\(server.id) is \(raft.role.name) in term \(raft.currentTerm), log \(raft.log.last), commit \(raft.commitIndex), members \(raft.configuration)"
        }
        let busy = clients.filter(\.isBusy).map(\.client.name)
        return
            "the cluster did not recover: \(servers.joined(separator: "; ")); waiting: \(busy.joined(separator: " "))"
    }
}

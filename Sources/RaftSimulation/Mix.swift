import RaftCore

/// What a seed makes of its world. Each draws its own mix, for a fault that is always there hides what another would
/// show: where PreVote and CheckQuorum are on, few elections meet; where every message may be lost, no log grows long.
public struct Mix: Hashable, Sendable {
    /// The servers' settings.
    public var settings = Settings()
    /// How long messages take.
    public var latency: ClosedRange<Interval> = .milliseconds(1) ... .milliseconds(5)
    /// The chance that a message is lost.
    public var loss = 0.0
    /// The chance that a message arrives twice.
    public var duplication = 0.0
    /// Whether messages of a link may pass each other.
    public var reorders = false
    /// How long a sync takes.
    public var sync: ClosedRange<Interval> = .microseconds(100) ... .milliseconds(2)
    /// How large a log's files grow, in bytes.
    public var segmentBytes = 64 << 20
    /// How far a server's clock may be off: 0.1 for a tenth faster or slower.
    public var drift = 0.0
    /// The number of clients.
    public var clients = 4
    /// How long a server gathers requests, to handle those of that time together.
    public var gathering = Interval.zero
    /// The number of keys that they use.
    public var keys = 3
    /// The chance that a read of a client is a lease read.
    public var leaseReads = 0.0
    /// How long a client thinks between two calls.
    public var thought: ClosedRange<Interval> = .zero ... .milliseconds(160)
    /// How long it is from one fault to the next.
    public var faultPause: ClosedRange<Interval> = .milliseconds(100) ... .seconds(2)
    /// Whether whoever is elected is told at once to take a member out, or an outsider in.
    public var changesOnElection = false
    /// Whether one server less than there are is a member at first.
    public var startsSmaller = false
    /// How many servers there are that are no members at first, besides.
    public var outsiders = 0
    /// How likely each fault is, against the others.
    public var faults: [Fault: Int] = [:]

    /// Something that goes wrong.
    public enum Fault: String, Hashable, Sendable, CaseIterable {
        /// A server's process ends.
        case kill
        /// A server's power is cut.
        case power
        /// All servers' power is cut at once.
        case blackout
        /// A server's disk is taken away; never those of a majority.
        case wipe
        /// A server freezes for a while.
        case pause
        /// One direction of a link is cut.
        case cut
        /// The servers fall into two parts.
        case partition
        /// The leader is cut off.
        case isolateLeader
        /// The leader's process ends.
        case killLeader
        /// All links are whole again.
        case heal
        /// A server's disk takes long.
        case stall
        /// A server's disk fails.
        case diskError
        /// A server's clock changes its rate.
        case clock
        /// A server is told to campaign.
        case campaign
        /// The leader is told to hand over to another server.
        case transfer
        /// A leader is told to make servers members, or members none any more.
        case members
        /// A server learns before the others, or after them, that leases are switched on or off.
        case switchLeases
        /// The leader is cut off, and another server is told to campaign while it may still hold a lease.
        case overthrow

        /// Whether it is drawn from the later stream.
        fileprivate var cameLater: Bool { [.transfer, .members, .switchLeases, .overthrow].contains(self) }
    }

    /// A calm world: nothing goes wrong.
    public init() {}

    /// What this seed draws.
    public init(seed: UInt64) {
        var random = Generator(seed: seed, stream: 1)
        func either(_ chance: Double) -> Bool { random.chance(chance) }
        settings.options.preVote = either(0.5)
        settings.options.checkQuorum = either(0.5)
        settings.options.noop = either(0.7)
        let timeout = Interval.milliseconds([50, 150, 150, 400][Int(random.below(4))])
        let spread = [1, 2, 4][Int(random.below(3))]
        settings.timing.electionTimeout = timeout...Interval(nanoseconds: timeout.nanoseconds * (2 + Int64(spread)) / 2)
        settings.timing.heartbeat = Interval(nanoseconds: timeout.nanoseconds / Int64(3 + random.below(4)))
        settings.limits.entriesPerAppendMax = [1, 2, 8, 4_096][Int(random.below(4))]
        settings.limits.bytesPerAppendMax = [64, 1_024, 1 << 20][Int(random.below(3))]
        settings.limits.inflightMessagesMax = [1, 2, 16, 256][Int(random.below(4))]
        let slowest = Interval(nanoseconds: timeout.nanoseconds / Int64(2 + random.below(30)))
        latency = .microseconds(50)...max(.microseconds(60), slowest)
        loss = [0, 0, 0.01, 0.1, 0.3][Int(random.below(5))]
        duplication = [0, 0, 0.05, 0.3][Int(random.below(4))]
        reorders = either(0.5)
        sync = .microseconds(10)...Interval.microseconds([20, 2_000, 20_000, 60_000][Int(random.below(4))])
        segmentBytes = [512, 4_096, 64 << 20][Int(random.below(3))]
        drift = [0, 0, 0.05, 0.3][Int(random.below(4))]
        clients = Int(1 + random.below(8))
        gathering = .milliseconds([0, 0, 2, 20][Int(random.below(4))])
        keys = Int(1 + random.below(4))
        thought = .zero...Interval.milliseconds(Int64(clients) * 40)
        faultPause = .milliseconds(20)...Interval.milliseconds([300, 1_000, 4_000][Int(random.below(3))])
        for fault in Fault.allCases where !fault.cameLater && either(0.5) {
            faults[fault] = Int(1 + random.below(4))
        }
        // What came to be drawn later has a stream of its own, so that the seeds that are known stay what they are.
        var later = Generator(seed: seed, stream: 4)
        if later.chance(0.3) { faults[.transfer] = Int(1 + later.below(4)) }
        if later.chance(0.5) {
            settings.compaction.every = [2, 8, 40][Int(later.below(3))]
            settings.compaction.trailing = [0, 1, 20][Int(later.below(3))]
            settings.limits.bytesPerChunkMax = [16, 200, 1 << 18][Int(later.below(3))]
        }
        if !faults.isEmpty, faults[.cut] ?? faults[.partition] ?? faults[.isolateLeader] != nil {
            faults[.heal] = Int(2 + random.below(4))
        }
        if later.chance(0.4) { turnLeasesOn(&later) }
        if either(0.25) { letLeadersFall(&random) }
        if later.chance(0.4) { letMembersChange(&later) }
    }

    /// Servers join and leave. Disks stay: one that was wiped would have to be removed before it counts again.
    private mutating func letMembersChange(_ later: inout Generator) {
        outsiders = Int(later.below(3))
        guard !faults.isEmpty else { return }
        faults[.wipe] = nil
        faults[.members] = Int(2 + later.below(8))
        if later.chance(0.5) { letEveryLeaderChangeMembers(&later) }
        settings.limits.learnerLagMax = [0, 2, 100][Int(later.below(3))]
        // Servers that are removed and don't know it disturb the others for ever otherwise (thesis §4.2.3).
        if !settings.options.preVote { settings.options.checkQuorum = true }
    }

    /// Leaders answer lease reads, and are cut off now and then; clocks go as right as these rely on.
    private mutating func turnLeasesOn(_ later: inout Generator) {
        settings.options.lease = true
        leaseReads = 0.8
        drift = min(drift, Double(Timing.driftMax) / 100)
        // A leader that is cut off steps down by CheckQuorum about when its lease ends, and hides what that is for.
        if later.chance(0.7) { settings.options.checkQuorum = false }
        // Longer than a client waits for one server, so that it may find the next leader while the last has its lease.
        if later.chance(0.5) { settings.timing.electionTimeout = .seconds(2) ... .seconds(3) }
        guard !faults.isEmpty else { return }
        if later.chance(0.3) { faults[.switchLeases] = Int(1 + later.below(4)) }
        if later.chance(0.5) { faults[.isolateLeader] = Int(1 + later.below(4)) }
        if later.chance(0.5) { faults[.overthrow] = Int(1 + later.below(4)) }
        if faults[.isolateLeader] ?? faults[.overthrow] != nil, faults[.heal] == nil {
            faults[.heal] = Int(2 + later.below(4))
        }
    }

    /// Whoever is elected begins to change the members at once, and is cut off from some of them as he does: two leaders
    /// that each have a change of their own (the mistake of 2015, thesis §4.1). It takes an even number of voters.
    private mutating func letEveryLeaderChangeMembers(_ later: inout Generator) {
        changesOnElection = true
        startsSmaller = later.chance(0.7)
        settings.options.checkQuorum = false
        settings.options.preVote = later.chance(0.5)
        settings.options.lease = false
        settings.options.noop = later.chance(0.5)
        loss = 0
        faults = [.heal: 3, .members: 1, .isolateLeader: 2]
        let timeout = settings.timing.electionTimeout.lowerBound.nanoseconds
        latency = Interval(nanoseconds: timeout / 50)...Interval(nanoseconds: timeout / 6)
        faultPause = Interval(nanoseconds: timeout)...Interval(nanoseconds: timeout * 4)
    }

    /// Leaders come and go before their entries are everywhere, and nothing else happens: the world of the paper's
    /// Figure 8.
    private mutating func letLeadersFall(_ random: inout Generator) {
        settings.options.noop = false
        settings.options.preVote = false
        settings.options.checkQuorum = random.chance(0.5)
        settings.limits.entriesPerAppendMax = 1
        settings.limits.inflightMessagesMax = 1
        let timeout = settings.timing.electionTimeout.lowerBound.nanoseconds
        latency = Interval(nanoseconds: timeout / 50)...Interval(nanoseconds: timeout / 4)
        loss = 0
        thought = .zero...Interval(nanoseconds: timeout * 4)
        faultPause = Interval(nanoseconds: timeout / 4)...Interval(nanoseconds: timeout * 2)
        faults = [.killLeader: 3, .isolateLeader: 3, .heal: 2]
    }
}

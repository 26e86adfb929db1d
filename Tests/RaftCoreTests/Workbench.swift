import RaftCore
import Testing

/// Some servers, the messages between them, their disks, and a clock that is moved by hand.
struct Workbench {
    /// What a server's disk holds for certain.
    typealias Disk = Stored

    private(set) var servers: [NodeID: Raft] = [:]
    private(set) var wire: [Message] = []
    var disks: [NodeID: Disk] = [:]
    /// Writes that are on their way to the disk.
    private(set) var unsynced: [NodeID: [Write]] = [:]
    /// Whether a disk is as fast as the step that writes to it.
    var syncsAtOnce = true
    var now = Instant.zero
    private(set) var reads: [ReadAnswer] = []
    private(set) var proposal: Proposal?
    /// The servers that want to have their snapshots at hand.
    var wantsSnapshot: [NodeID] = []
    private(set) var observations: [NodeID: [Observation]] = [:]
    let configuration: Configuration
    var settings: Settings

    init(_ count: Int, settings: Settings = Settings(), disks: [NodeID: Disk] = [:]) {
        configuration = Configuration(count: count)
        self.settings = settings
        self.disks = disks
        for node in configuration.voters { start(node) }
    }

    /// Starts `node` from what its disk holds for certain; one that is no member yet knows those that there were at first.
    mutating func start(_ node: NodeID, incarnation: Incarnation = .first, seed: UInt64? = nil) {
        let disk = disks[node] ?? Disk()
        disks[node] = disk
        unsynced[node] = []
        servers[node] = Raft(
            id: node, incarnation: incarnation, configuration: configuration, settings: settings,
            hardState: disk.hardState, log: disk.log, snapshot: disk.snapshot?.mark,
            seed: seed ?? UInt64(node.rawValue),
            now: now)
    }

    /// Crashes `node`: what was not synced is lost, and so is what is on its way to or from it.
    mutating func crash(_ node: NodeID) {
        servers[node] = nil
        unsynced[node] = []
        wire.removeAll { $0.to == node }
    }

    /// Crashes `node` and takes its disk away.
    mutating func wipe(_ node: NodeID) {
        crash(node)
        disks[node] = nil
    }

    /// A server that the test knows to be up.
    subscript(node: NodeID) -> Raft {
        guard let server = servers[node] else { preconditionFailure("\(node) is down") }
        return server
    }

    /// Takes one step on `node` and checks what must always be true.
    mutating func step(_ input: Input, on node: NodeID) {
        guard var server = servers[node] else { return }
        var output = Output()
        server.handle(input, at: now, into: &output)
        servers[node] = server
        if server.violation == nil, settings.rules == .all {
            #expect(server.checkInvariants() == nil)
        }
        wire += output.messages
        reads += output.reads
        proposal = output.proposal ?? proposal
        observations[node, default: []] += output.observations
        if output.wantsSnapshot { wantsSnapshot.append(node) }
        if let write = output.write {
            unsynced[node, default: []].append(write)
            if syncsAtOnce { sync(node) }
        }
    }

    /// Brings the next `count` writes of `node` to its disk; all of them unless said.
    mutating func sync(_ node: NodeID, count: Int = .max) {
        let done = Array((unsynced[node] ?? []).prefix(count))
        unsynced[node]?.removeFirst(done.count)
        guard let last = done.last else { return }
        for write in done { disks[node]?.apply(write) }
        step(.durable(last.number), on: node)
    }

    /// Delivers the messages that are on their way and `matches` allows, and what follows from them, until none is
    /// left. The others are dropped.
    mutating func deliver(where matches: (Message) -> Bool = { _ in true }) {
        while !wire.isEmpty {
            let message = wire.removeFirst()
            if matches(message) { step(.message(message), on: message.to) }
        }
    }

    /// Delivers the messages that are on their way now and `matches` allows, but not what follows from them.
    mutating func deliverOnce(where matches: (Message) -> Bool = { _ in true }) {
        let due = wire.filter(matches)
        wire.removeAll(where: matches)
        for message in due { step(.message(message), on: message.to) }
    }

    /// Takes the messages that are on their way off the wire.
    mutating func takeWire() -> [Message] {
        defer { wire = [] }
        return wire
    }

    mutating func dropWire() { wire = [] }

    /// Puts messages that were taken off the wire back onto it.
    mutating func restoreWire(_ messages: [Message]) { wire = messages + wire }

    /// Hands in a message that nobody sent.
    mutating func inject(
        _ body: Message.Body, from: NodeID, to: NodeID, term: Term, incarnation: Incarnation = .first
    ) {
        step(.message(Message(from: from, incarnation: incarnation, to: to, term: term, body: body)), on: to)
    }

    /// Lets `node` campaign, and delivers everything.
    mutating func elect(_ node: NodeID) {
        step(.campaign, on: node)
        deliver()
    }

    /// Moves the clock to the moment `node` wants to act, and lets it.
    mutating func reachDeadline(of node: NodeID) {
        guard let deadline = servers[node]?.deadline else { return }
        now = max(now, deadline)
        step(.deadline, on: node)
    }

    mutating func advance(_ length: Interval) { now = now + length }

    /// Changes the settings of some servers, or of all.
    mutating func adopt(on nodes: [NodeID]? = nil, _ change: (inout Settings) -> Void) {
        change(&settings)
        for node in nodes ?? Array(servers.keys) { servers[node]?.adopt(settings) }
    }

    mutating func clearReads() { reads = [] }

    mutating func clearObservations() { observations = [:] }

    /// Takes a snapshot on `node` of what is committed; the state machine is the row of the commands' bytes.
    mutating func takeSnapshot(on node: NodeID, keeping count: Int = 0) {
        let raft = self[node]
        guard let term = raft.log.term(at: raft.commitIndex) else { return }
        let mark = SnapshotMark(
            last: LogPosition(term: term, index: raft.commitIndex),
            configuration: raft.configuration(at: raft.commitIndex))
        var bytes = disks[node]?.snapshot?.bytes ?? []
        for index in LogIndex(UInt64(bytes.count) + 1)..<raft.commitIndex.next {
            if case .command(let command) = raft.log[index].payload { bytes += command } else { bytes.append(0) }
        }
        disks[node]?.snapshot = Snapshot(mark: mark, bytes: bytes)
        step(.snapshotTaken(mark, keeping: count), on: node)
    }

    /// Hands `node` the snapshot on its disk.
    mutating func loadSnapshot(on node: NodeID) {
        wantsSnapshot.removeAll { $0 == node }
        if let snapshot = disks[node]?.snapshot { step(.snapshotLoaded(snapshot), on: node) }
    }

    /// Appends a command on `node`.
    mutating func propose(_ bytes: [UInt8] = [1], on node: NodeID) {
        step(.propose([.command(bytes)]), on: node)
    }
}

// MARK: - Members

extension Workbench {
    /// Servers 1…`count`, of which n1 leads, with its first entry committed everywhere.
    static func led(_ count: Int, settings: Settings = Settings(), disks: [NodeID: Disk] = [:]) -> Workbench {
        var bench = Workbench(count, settings: settings, disks: disks)
        bench.elect(n1)
        bench.settle()
        return bench
    }

    /// Asks `node` to change the members.
    mutating func change(adding added: NodeSet = [], removing removed: NodeSet = [], on node: NodeID = n1) {
        step(.changeMembers(adding: added, removing: removed), on: node)
    }

    /// Lets `leader` show itself a few times, and delivers everything.
    mutating func settle(_ leader: NodeID = n1) {
        for _ in 1...4 {
            deliver()
            if self[leader].role.name == .leader { reachDeadline(of: leader) }
        }
        deliver()
    }

    /// Why n1 has refused changes.
    var refusals: [ChangeRefused.Reason] { refusals(of: n1) }

    /// Why `node` has refused changes.
    func refusals(of node: NodeID) -> [ChangeRefused.Reason] {
        (observations[node] ?? []).compactMap {
            if case .changeRefused(let refused) = $0 { refused.reason } else { nil }
        }
    }
}

let n1 = NodeID(1)
let n2 = NodeID(2)
let n3 = NodeID(3)
let n4 = NodeID(4)
let n5 = NodeID(5)

extension Raft {
    /// The terms of the log's entries.
    var terms: [UInt64] {
        log.firstIndex > log.lastIndex
            ? [] : (log.firstIndex.rawValue...lastIndex).map { log[LogIndex($0)].term.rawValue }
    }

    var lastIndex: UInt64 { log.lastIndex.rawValue }

    /// The configurations that the log holds, as they are shown.
    var changes: [String] {
        log.entries(from: log.firstIndex).compactMap {
            if case .configuration(let configuration) = $0.payload { configuration.description } else { nil }
        }
    }

    var ballot: Ballot? {
        switch role {
        case .candidate(let ballot), .preCandidate(let ballot): ballot
        case .follower, .leader: nil
        }
    }

    func progress(of peer: NodeID) -> Progress? {
        guard case .leader(let leadership) = role else { return nil }
        return leadership.peers.first { $0.peer == peer }
    }
}

extension Entry {
    /// Whether it ends a change: nobody learns any more, and one set of voters decides.
    var endsChange: Bool {
        if case .configuration(let configuration) = payload { configuration.isSettled } else { false }
    }
}

extension Workbench.Disk {
    /// A disk that holds entries of these terms.
    init(term: UInt64, vote: NodeID? = nil, terms: [UInt64]) {
        let entries = terms.map { Entry(term: Term($0), payload: .command([UInt8(truncatingIfNeeded: $0)])) }
        self.init(hardState: HardState(term: Term(term), vote: vote), log: Log(entries))
    }
}

extension Stored {
    /// The entries of the log.
    var entries: [Entry] { log.entries(from: log.firstIndex) }
}

extension Settings {
    /// The usual settings, changed.
    init(_ change: (inout Settings) -> Void) {
        self.init()
        change(&self)
    }
}

extension Message {
    var isVoteRequest: Bool { if case .voteRequest = body { true } else { false } }
    var voteResponse: VoteResponse? { if case .voteResponse(let response) = body { response } else { nil } }
    var append: Append? { if case .append(let append) = body { append } else { nil } }
    var chunk: SnapshotChunk? { if case .snapshot(let chunk) = body { chunk } else { nil } }
    var snapshotResponse: SnapshotResponse? {
        if case .snapshotResponse(let response) = body { response } else { nil }
    }
    var response: AppendResponse? { if case .appendResponse(let response) = body { response } else { nil } }
}

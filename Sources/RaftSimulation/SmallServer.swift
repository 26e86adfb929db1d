import RaftCore
import RaftNode
import RaftTrace

/// A server of a small world: its part of Raft, as every server has it, and its disk.
struct SmallServer: Sendable {
    private(set) var raft: Raft
    private(set) var disk: Stored
    /// What is on its way to the disk, oldest first.
    private(set) var writes: [Write] = []
    /// The members that the cluster started with.
    private let firstMembers: Configuration

    /// What a step of a server led to.
    struct Outcome: Sendable {
        var messages: [Message] = []
        /// What happened inside, each with the term that the server had then; empty unless it is asked for.
        var events: [(term: Term, event: NodeEvent)] = []
        let isObserved: Bool
    }

    /// A server that starts from `disk`.
    init(id: NodeID, configuration: Configuration, settings: Settings, disk: Stored = Stored()) {
        raft = Raft(
            id: id, configuration: configuration, settings: settings, hardState: disk.hardState, log: disk.log,
            snapshot: disk.snapshot?.mark, seed: 0, now: .zero)
        self.disk = disk
        firstMembers = configuration
    }

    /// Takes a snapshot of what is committed, which is on disk at once; the state machine is the row of the entries' terms.
    mutating func takeSnapshot(diskTakesSteps: Bool, into outcome: inout Outcome) {
        let index = raft.commitIndex
        guard let term = raft.log.term(at: index) else { return }
        let mark = SnapshotMark(
            last: LogPosition(term: term, index: index), configuration: raft.configuration(at: index))
        var bytes = disk.snapshot?.bytes ?? []
        for index in LogIndex(UInt64(bytes.count) + 1)..<index.next {
            bytes.append(UInt8(truncatingIfNeeded: raft.log.term(at: index)?.rawValue ?? 0))
        }
        disk.snapshot = Snapshot(mark: mark, bytes: bytes)
        handle(.snapshotTaken(mark, keeping: 0), diskTakesSteps: diskTakesSteps, into: &outcome)
    }

    /// Takes one step. Unless the disk takes steps of its own, what is written is there at once.
    mutating func handle(_ input: Input, diskTakesSteps: Bool, into outcome: inout Outcome) {
        handle(input, into: &outcome)
        while !diskTakesSteps, !writes.isEmpty { completeWrite(into: &outcome) }
    }

    /// The oldest write reaches the disk.
    mutating func completeWrite(into outcome: inout Outcome) {
        let write = writes.removeFirst()
        disk.apply(write)
        handle(.durable(write.number), into: &outcome)
    }

    /// Loses its memory, with what was on its way to the disk, and starts again.
    mutating func crash(into outcome: inout Outcome) {
        if outcome.isObserved {
            outcome.events.append((raft.currentTerm, .stopped(NodeStopped(how: writes.isEmpty ? .kill : .power))))
        }
        self = SmallServer(id: raft.id, configuration: firstMembers, settings: raft.settings, disk: disk)
        guard outcome.isObserved else { return }
        let started = NodeStarted(
            incarnation: raft.incarnation, vote: raft.votedFor, log: TermRun.runs(of: disk.log),
            base: disk.log.toldBase, snapshot: disk.snapshot?.mark.last)
        outcome.events.append((raft.currentTerm, .started(started)))
    }

    private mutating func handle(_ input: Input, into outcome: inout Outcome) {
        var output = Output(isObserved: outcome.isObserved)
        var now = Instant.zero
        // A second later than it has to be: a leader has two deadlines, and both are past then.
        if case .deadline = input, let deadline = raft.deadline { now = deadline + .seconds(1) }
        raft.handle(input, at: now, into: &output)
        if let write = output.write { writes.append(write) }
        outcome.messages += output.messages
        outcome.events += output.observations.map { (raft.currentTerm, .raft($0)) }
        if output.wantsSnapshot, let snapshot = disk.snapshot { handle(.snapshotLoaded(snapshot), into: &outcome) }
    }
}

extension SmallServer: Part {
    /// What a server is to the protocol, and what of it is on disk. The numbers of writes make no difference.
    struct Identity: Hashable, Sendable {
        var state: ProtocolState
        var disk: Stored
        var writes: [Write]
    }

    func identity(under renaming: Renaming) -> Identity {
        var identity = Identity(state: raft.protocolState.renamed(by: renaming), disk: disk, writes: writes)
        identity.disk.hardState.vote = disk.hardState.vote.map { renaming.name(of: $0) }
        for (place, write) in writes.enumerated() {
            identity.writes[place].number = UInt64(place)
            identity.writes[place].hardState?.vote = write.hardState?.vote.map { renaming.name(of: $0) }
        }
        return identity
    }
}

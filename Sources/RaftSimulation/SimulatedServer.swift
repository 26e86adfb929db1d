import Laboratory
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

/// One server of a simulated world: the node, as every laboratory has it, with a simulated disk and clock.
struct SimulatedServer: Sendable {
    let id: NodeID
    /// Who its disk says it is.
    var identity: Identity
    /// The disk while it is closed; the log has it while the server runs.
    var disk: SimulatedDisk
    var life: Life?
    /// Counts lives, so that what belongs to an earlier one is nothing to the present.
    var lives: UInt64 = 0
    var clock = ServerClock()
    /// A disk that stalls takes this much longer.
    var stall = Interval.zero
    /// How the disk works, as somebody has ordered.
    var condition = DiskCondition.ok
    /// The disks that were wiped, the latest last.
    var wipedDisks: [SimulatedDisk] = []
    /// The latest life of any of its disks.
    var latestIncarnation = Incarnation.first
    /// Whether its election timer doesn't run out.
    var isTimerHeld = false
    /// What a step leads to that is being looked at.
    var watchedTurn: Effects?
    /// The snapshot that is being written, and the one that waits for a disk that stalls.
    var snapshot: (Snapshot, digest: UInt64)?
    var draft: SnapshotDraft?
    var isRunning = false
    var isPaused = false
    var isWriting = false
    /// Requests that came together, and are to be handled so.
    var requests: [ClientRequest] = []
    /// When it is to be woken, in the world's time.
    var wake: Instant?
    /// When the node wants to be woken, by its own clock.
    private var localDeadline: Instant?

    /// A server that has not started yet.
    init(id: NodeID, identity: Identity, disk: SimulatedDisk) {
        self.id = id
        self.identity = identity
        self.disk = disk
    }

    /// A server that runs: what its process has in memory. Every step would copy all of it if it were read as a whole;
    /// so it is only ever changed in place, and what is asked often stands outside.
    struct Life: Sendable {
        var node: Node
        var log: WriteAheadLog<SimulatedDisk>
        /// What was asked of the disk while it was busy.
        var writes: [Write] = []
        /// What came while it was paused.
        var deferred: [NodeInput] = []
        /// The clients that wait for each request.
        var waiting: [RequestID: Int] = [:]
    }

    /// Whether it can act now.
    var isAwake: Bool { isRunning && !isPaused && watchedTurn == nil }

    /// Begins another life.
    mutating func begin(_ node: Node, _ log: WriteAheadLog<SimulatedDisk>) {
        lives += 1
        life = Life(node: node, log: log)
        noteDeadline()
        isRunning = true
        isPaused = false
        isWriting = false
        requests = []
        wake = nil
    }

    /// Ends this life, and answers what it was.
    mutating func end() -> Life? {
        defer { life = nil }
        if let life { disk = life.log.disk }
        (snapshot, draft) = (nil, nil)
        isRunning = false
        isPaused = false
        wake = nil
        return life
    }

    /// Takes a step of the node. Answers its term.
    mutating func handle(_ input: NodeInput, at moment: Instant, into effects: inout Effects) -> Term {
        let time = clock.time(at: moment)
        life?.node.handle(input, at: time, into: &effects)
        noteDeadline()
        return life?.node.raft.currentTerm ?? .zero
    }

    /// Takes note of when the node wants to be woken, as far as it is let.
    mutating func noteDeadline() {
        localDeadline = life?.node.deadline
        if isTimerHeld, life?.node.raft.role.name != .leader { localDeadline = nil }
    }

    /// When the node wants to be woken, in the world's time.
    var deadline: Instant? { localDeadline.map { clock.moment(of: $0) } }

    /// Whether the node's deadline is past.
    func isDue(at moment: Instant) -> Bool {
        guard let localDeadline else { return false }
        return localDeadline <= clock.time(at: moment)
    }

    /// Gives everything that waits to the disk. Answers the number of the last write, if there was one.
    mutating func writeAll() throws(StorageError) -> WriteNumber? {
        guard let last = life?.writes.last?.number, let writes = life?.writes else { return nil }
        try life?.log.append(writes)
        life?.writes.removeAll(keepingCapacity: true)
        return last
    }
}

/// A server's clock, which may go faster or slower than the world's.
struct ServerClock: Sendable {
    private var rate = 1.0
    private var anchor = Instant.zero
    private var local = Instant.zero

    /// The server's time at a moment of the world.
    func time(at moment: Instant) -> Instant {
        rate == 1 && anchor == local
            ? moment : local + Interval(nanoseconds: Int64(Double((moment - anchor).nanoseconds) * rate))
    }

    /// The moment of the world at which it is `time`, or shortly after.
    func moment(of time: Instant) -> Instant {
        rate == 1 && anchor == local
            ? time : anchor + Interval(nanoseconds: Int64((Double((time - local).nanoseconds) / rate).rounded(.up)) + 1)
    }

    /// Goes at another rate from `moment` on.
    mutating func change(rate: Double, at moment: Instant) {
        local = time(at: moment)
        anchor = moment
        self.rate = rate
    }
}

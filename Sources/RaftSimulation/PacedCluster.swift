import Laboratory
import RaftCore
import RaftTrace

/// A simulated cluster whose time passes as its watcher's does: what a dashboard shows where no real servers run.
///
/// It remembers where it has been, so that one can go back to any moment and go on from there on another way.
public final class PacedCluster: BranchingLaboratory {
    private var cluster: SimulatedCluster
    private var clock: ClusterClock
    /// What the cluster was at some moments, the latest last.
    private var checkpoints: [Checkpoint] = []
    /// The number of the last event that was told.
    private var lastTold: UInt64 = 0
    /// What is still to be told of a moment that was gone back to.
    private var untold: [Event] = []

    private struct Checkpoint {
        /// The number of the last event before what was ordered then.
        var begin: UInt64
        /// The number of the last event.
        var sequence: UInt64
        var cluster: SimulatedCluster
    }

    /// How many events there are between two checkpoints, at most.
    private static let eventsPerCheckpoint: UInt64 = 4_000
    private static let checkpointsMax = 400
    /// Of a longer story nobody keeps the beginning, without which nobody goes back. What would be kept of it is large:
    /// every checkpoint of a cluster that writes has logs and disks of its own.
    private static let eventsMax: UInt64 = 120_000
    /// How much happens at most before it is told.
    private static let stepsMax = 5_000

    /// Makes the cluster; its servers wait to be started.
    public init(_ options: SimulatedCluster.Options) {
        cluster = SimulatedCluster(options)
        clock = ClusterClock(rate: options.speed, from: .zero)
    }

    /// The servers there are, in ascending order.
    public var members: [NodeID] { cluster.members }

    /// Whether the servers were started.
    public var hasStarted: Bool { cluster.hasStarted }

    /// The cluster's time: between two things that happen it passes, too.
    public var now: Instant {
        let next = cluster.next.map { min($0, clock.now) } ?? clock.now
        return max(cluster.now, next)
    }

    /// Gives a server's disk its contents, before the servers start.
    public func prepare(_ boot: Boot) throws(Refusal) { try cluster.prepare(boot) }

    /// Lets the servers start.
    public func start() {
        cluster.pass(to: clock.now)
        remembering { $0.start() }
    }

    /// Begins to carry out `command`.
    public func perform(_ command: Command, seeing picture: Picture) throws(Refusal) -> UInt64? {
        advance()
        if !cluster.isFrozen { cluster.pass(to: clock.now) }
        let begin = cluster.lastSequence
        let call = try cluster.perform(command, seeing: picture)
        clock = ClusterClock(rate: cluster.rate, from: cluster.now)
        remember(since: begin)
        return call
    }

    /// Whether every step of a server is looked at before anything of it leaves the server.
    public var isWatched: Bool {
        get { cluster.isWatched }
        set {
            guard newValue != cluster.isWatched else { return }
            remembering { cluster in
                cluster.isWatched = newValue
                // What waited to be looked at waits no more.
                if !newValue { cluster.releaseWatched() }
            }
        }
    }

    /// Whether everything that was begun is told by the events that were taken.
    public var isSettled: Bool { untold.isEmpty && cluster.isSettled }

    /// Lets servers that are watched go on, where everything that they did was looked at.
    public func releaseWatched() {
        guard cluster.isWatched, cluster.isSettled else { return }
        remembering { $0.releaseWatched() }
    }

    /// What has happened by now, in order.
    public func takeEvents() -> [Event] {
        advance()
        let events = untold + cluster.takeEvents()
        untold = []
        lastTold = events.last?.sequence ?? lastTold
        if let last = checkpoints.last, lastTold - min(lastTold, last.sequence) > PacedCluster.eventsPerCheckpoint {
            remember(since: cluster.lastSequence)
        }
        return events
    }

    /// Returns when something happens, or it is `moment`.
    public func waitForEvents(until moment: Instant?) {
        let due = [delay, moment.flatMap { clock.realDelay(until: $0) }].compactMap { $0 }.min()
        if let due { RealTime.sleep(nanoseconds: due) }
    }

    /// Events come with time alone.
    public var eventDescriptor: Int32? { nil }

    /// When something happens next.
    public var delay: Int64? {
        if !untold.isEmpty || cluster.hasEvents || cluster.hasWork { return 0 }
        return cluster.isFrozen ? nil : cluster.next.flatMap { clock.realDelay(until: $0) }
    }

    /// Nothing is held.
    public func close() {}

    // MARK: - Going on, and going back

    /// Lets everything happen that is due by now.
    private func advance() {
        cluster.advance(to: clock.now, steps: PacedCluster.stepsMax)
        // Steps move a clock that stands still.
        if cluster.isFrozen, cluster.now > clock.now { clock = ClusterClock(rate: 0, from: cluster.now) }
    }

    /// Keeps the present moment. What somebody orders is not in a seed, so that there is one after every order.
    private func remember(since begin: UInt64) {
        guard cluster.lastSequence <= PacedCluster.eventsMax else { return checkpoints = [] }
        checkpoints.append(Checkpoint(begin: begin, sequence: cluster.lastSequence, cluster: cluster.copy()))
        if checkpoints.count > PacedCluster.checkpointsMax {
            checkpoints.removeFirst(PacedCluster.checkpointsMax / 4)
        }
    }

    /// Has something ordered, and keeps the moment after it.
    private func remembering(_ order: (SimulatedCluster) -> Void) {
        let begin = cluster.lastSequence
        order(cluster)
        remember(since: begin)
    }

    /// Goes back to the moment after the event of this number, and carries a command out there. What happened with that event,
    /// in the same step of a server, is told again.
    ///
    /// - Throws: ``Refusal`` where that is too long ago, or the command can't be carried out there; nothing is changed then.
    public func branch(
        after sequence: UInt64, then command: Command, seeing picture: Picture
    ) throws(Refusal) -> UInt64? {
        let former = (cluster, clock, checkpoints, lastTold, untold)
        do throws(Refusal) {
            try branch(after: sequence)
            return try perform(command, seeing: picture)
        } catch {
            (cluster, clock, checkpoints, lastTold, untold) = former
            throw error
        }
    }

    /// Goes back to the moment after the event of this number, and goes on from there.
    func branch(after sequence: UInt64) throws(Refusal) {
        // Of what was ordered, the rest comes after its first event by itself.
        guard let place = checkpoints.lastIndex(where: { $0.begin < sequence || $0.sequence <= sequence }) else {
            throw Refusal("no other way goes on from there: the nodes had not started yet, or it is too long ago")
        }
        checkpoints.removeLast(checkpoints.count - 1 - place)
        cluster = checkpoints[place].cluster.copy()
        while cluster.lastSequence < sequence, cluster.goOn() {}
        untold = cluster.takeEvents().filter { $0.sequence > sequence }
        isWatched = false
        clock = ClusterClock(rate: cluster.rate, from: cluster.now)
        lastTold = sequence
    }
}

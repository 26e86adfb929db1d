import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace
import RaftTransport

/// One server of the live cluster: a ``Node`` on an event loop of its own, with its endpoint, its disk and its links.
/// Everything here runs on that loop.
///
/// What happens together (everything that was read from the sockets at once, say) is one *turn*. At its end events are
/// told first; then writes go to the disk, messages to their links, and answers to clients. So nothing that a turn
/// causes elsewhere can be seen before the turn itself.
final class NodeHost {
    let id: NodeID
    let loop: any EventLoop
    let events: EventQueue
    /// Who may be asked for on this cluster's terms: changes with a reset.
    var identity: Identity
    private(set) var settings: Settings
    var clock: ClusterClock
    /// The links to the others that somebody has touched.
    var links: [NodeID: Link] = [:]
    /// What the others are like.
    var untouchedLink = Link()
    /// The other servers' hosts.
    var peers: [NodeID: HostReference] = [:]
    /// Where each server listens.
    var addresses: [NodeID: Address] = [:]
    /// What connections must prove to know; `nil` where all servers are in this process.
    let secret: Secret?
    /// Where this server's HTTP face is, as `host:port`; empty where it has none.
    var face = "" {
        didSet { life?.endpoint.face = face }
    }
    /// Those who wait for what other servers have handed on.
    lazy var forwarded = ForwardedRequests(self)
    /// Told what somebody who runs this server alone wants to know, on its loop.
    var report: ((ServerReport) -> Void)?
    private var lastStanding: Standing?
    /// What runs. Bound to a name it would be copied, and with it, at the next step, the whole log: parts of it are asked for
    /// where they stand.
    var life: Life?
    /// How many lives there were: what belongs to an earlier one is nothing to the present.
    var lives = 0
    /// Done when everything that was ordered so far is.
    private var orders: EventLoopFuture<Void>
    let disk: DiskReference
    let messageNumbers: Numbers
    /// Where it listens, on port zero for any free one.
    var address: Address
    /// Whether somebody has asked for just that port.
    let isPortFixed: Bool
    var random: Generator
    var turn = Turn()
    /// Whether every step is looked at before anything of it leaves.
    var isWatched = false
    /// The last event of the step that is being looked at.
    var watchedUpTo: UInt64?
    /// Whether the election timer doesn't run out.
    var isTimerHeld = false
    /// How the disk works.
    var diskCondition = DiskCondition.ok
    /// How fast its syncs were lately.
    var syncPace = SyncPace()
    private var wake: (task: Scheduled<Void>, at: NIODeadline)?
    private var isGraceGiven = false
    private var effects = Effects()
    /// Whether what happens here is told.
    var isObserved: Bool { effects.isObserved }
    /// How often this and that was done since the server was made.
    var counters = HostCounters()
    private var lossEpoch = 0
    private var eventsSinceState = 0
    /// Changes whenever this server is at work.
    var activity = 0
    /// The number of the last event that was told.
    private(set) var lastTold: UInt64 = 0

    /// A server that runs.
    struct Life {
        var node: Node
        let endpoint: Endpoint
        let number: Int
        /// Which opening of its disk is its own.
        let opening: Int
        var isPaused = false
        /// What came while it was paused.
        var deferred: [NodeInput] = []
        /// Requests that came and are to be handled together.
        var requests: [ClientRequest] = []
        /// Who is to be answered.
        var waiting = WaitingRequests()
        var writes: [Write] = []
        var isWriting = false
        /// How many snapshots are being written or read.
        var snapshotsOpen = 0
    }

    /// What a turn has led to so far.
    struct Turn {
        var kinds: [Event.Kind] = []
        var outbox: [(message: Message, number: UInt64)] = []
        var replies = Replies()
        var draft: SnapshotDraft?
        var wantsSnapshot = false
    }

    /// How many events a server tells before it tells its whole state again.
    private static let eventsPerState = 2_000
    /// A wake-up that is later than this was no wake-up: the process was stopped.
    private static let latenessMax = TimeAmount.milliseconds(10)
    private static let grace = TimeAmount.milliseconds(1)

    init(
        id: NodeID, loop: any EventLoop, disk: DiskReference, events: EventQueue, messageNumbers: Numbers,
        identity: Identity, settings: Settings, clock: ClusterClock, address: Address, secret: Secret? = nil,
        seed: UInt64
    ) {
        self.id = id
        self.loop = loop
        self.disk = disk
        self.events = events
        self.messageNumbers = messageNumbers
        self.identity = identity
        self.settings = settings
        self.clock = clock
        self.address = address
        self.secret = secret
        isPortFixed = address.port != 0
        orders = loop.makeSucceededVoidFuture()
        random = Generator(seed: seed, stream: UInt64(id.rawValue))
    }

    // MARK: - Orders

    /// Carries out an order when those before it are done, so that a server that was told to start, stop and start
    /// again does just that, however long its disk takes.
    @discardableResult
    func inOrder(_ order: @escaping (NodeHost) -> EventLoopFuture<Void>) -> EventLoopFuture<Void> {
        orders = orders.assumeIsolated().flatMap { order(self) }.nonisolated()
        return orders
    }

    // MARK: - Turns

    /// Lets the server handle `input`, now or, while it is paused or looked at, afterwards.
    func handle(_ input: NodeInput) {
        guard life != nil else { return }
        if life?.isPaused == true || watchedUpTo != nil {
            life?.deferred.append(input)
            return
        }
        effects.clear()
        life?.node.appliesLater = !isObserved
        life?.node.handle(input, at: clock.now, into: &effects)
        takeEffects()
    }

    /// Applies what a follower has committed, now that everybody who waits for the turn has what he waits for.
    private func applyLater() {
        guard life?.node.hasUnapplied == true, life?.isPaused == false, watchedUpTo == nil else { return }
        effects.clear()
        life?.node.apply(at: clock.now, into: &effects)
        takeEffects()
        endTurn()
    }

    /// Takes what a step asks for into the present turn.
    private func takeEffects() {
        for event in effects.events { note(event) }
        if let write = effects.write { life?.writes.append(write) }
        for message in effects.messages { turn.outbox.append((message, messageNumbers.draw())) }
        if let draft = effects.draft { turn.draft = draft }
        if effects.wantsSnapshot { turn.wantsSnapshot = true }
        for var reply in effects.replies {
            guard let (channel, id) = life?.waiting.remove(reply.id) else { continue }
            reply.id = id
            turn.replies.append(reply, to: channel)
        }
        // A server that has failed is done with, whatever told it so.
        if let failure = life?.node.diskFailure, let number = life?.number {
            report?(.failed(failure))
            inOrder { $0.abandon(number) }
        }
    }

    /// Reports the server's term, role and leader where they have changed.
    private func reportStanding() {
        guard let term = life?.node.raft.currentTerm, let role = life?.node.raft.role.name else { return }
        let standing = Standing(term: term, role: role, leader: life?.node.raft.leader)
        guard standing != lastStanding else { return }
        if standing.role == .leader, lastStanding?.role != .leader { counters.elections += 1 }
        lastStanding = standing
        report?(.standing(standing))
    }

    /// Ends the turn: what happened is told, and what it led to is done; where the server is watched, when it was looked
    /// at.
    func endTurn() {
        activity += 1
        if report != nil { reportStanding() }
        guard watchedUpTo == nil else { return tellTurn() }
        if isWatched, life != nil, !turn.kinds.isEmpty { return waitToBeSeen() }
        finishTurn()
    }

    /// Does what the turn has led to.
    func finishTurn() {
        let outbox = turn.outbox
        let replies = turn.replies
        turn.outbox.removeAll(keepingCapacity: true)
        turn.replies = Replies()
        let sendable = outbox.filter { putOnLink($0.message, number: $0.number) }
        tellTurn()
        // The others' way is the longer one.
        for (message, number) in sendable { transmit(message, number: number) }
        life?.endpoint.flush()
        let isToWriteHere = !startWriting()
        startSnapshots()
        replies.deliver()
        if !turn.kinds.isEmpty { tellTurn() }
        if isToWriteHere { writeHere() }
        applyLater()
        scheduleWake()
    }

    func tellTurn() {
        if lossEpoch != events.lossEpoch || eventsSinceState >= NodeHost.eventsPerState { tellState() }
        guard !turn.kinds.isEmpty else { return }
        eventsSinceState += turn.kinds.count
        lastTold = events.tell(turn.kinds, at: clock.now)
        turn.kinds.removeAll(keepingCapacity: true)
    }

    private func tellState() {
        lossEpoch = events.lossEpoch
        eventsSinceState = 0
        guard isObserved, let node = life?.node else { return }
        note(.state(node.state))
    }

    /// Notes something that happened on this server, in the present turn. A failure is told whoever watches.
    func note(_ event: NodeEvent) {
        switch event {
        case .failed(let failed): report?(.failed(failed.reason))
        case .hungUp(let hungUp): report?(.hungUp(hungUp.reason))
        case .started(let started): report?(.started(started, isVoter: life?.node.raft.isVoter ?? true))
        default: break
        }
        guard isObserved || event.isFailure else { return }
        turn.kinds.append(.node(id, life?.node.raft.currentTerm ?? .zero, event))
    }

    /// Notes what happened to a link or a message, in the present turn.
    func note(_ kind: @autoclosure () -> Event.Kind) {
        if isObserved { turn.kinds.append(kind()) }
    }

    /// Begins or ends to tell what happens here. Whoever begins to listen is told the whole state first.
    func observe(_ isObserved: Bool) {
        guard isObserved != self.isObserved else { return }
        effects.isObserved = isObserved
        guard isObserved, watchedUpTo == nil else { return }
        tellState()
        tellTurn()
    }

    // MARK: - Time

    /// The servers follow other settings from now on.
    func adopt(_ settings: Settings) {
        self.settings = settings
        life?.node.adopt(settings)
    }

    /// Takes the cluster's new clock.
    func adopt(_ clock: ClusterClock) {
        self.clock = clock
        endTurn()
    }

    /// Arranges to wake up when the server or a link has something to do.
    func scheduleWake() {
        var moment: Instant?
        moment = nodeDeadline
        for link in links.values {
            if let due = link.deadline { moment = min(moment ?? due, due) }
        }
        guard let moment, let delay = clock.realDelay(until: moment) else {
            wake?.task.cancel()
            wake = nil
            return
        }
        let at = NIODeadline.now() + .nanoseconds(delay)
        // An earlier wake-up does as well: it looks again.
        if let wake, wake.at <= at { return }
        wake?.task.cancel()
        wake = (scheduleWakeUp(at: at), at)
    }

    /// When the server wants to act unasked, as far as it is let.
    var nodeDeadline: Instant? {
        guard life?.isPaused == false, watchedUpTo == nil else { return nil }
        if isTimerHeld, life?.node.raft.role.name != .leader { return nil }
        return life?.node.deadline
    }

    private func scheduleWakeUp(at deadline: NIODeadline) -> Scheduled<Void> {
        let box = NIOLoopBound(self, eventLoop: loop)
        return loop.scheduleTask(deadline: deadline) { box.value.wakeUp() }
    }

    /// Does what is due. After a stall of the whole process the sockets are read first: what has arrived there may say
    /// that the leader lives.
    private func wakeUp() {
        let lateness = wake.map { NIODeadline.now() - $0.at } ?? .zero
        wake = nil
        if lateness > NodeHost.latenessMax, !isGraceGiven {
            isGraceGiven = true
            let at = NIODeadline.now() + NodeHost.grace
            wake = (scheduleWakeUp(at: at), at)
            return
        }
        isGraceGiven = false
        let now = clock.now
        if !clock.isFrozen {
            deliverDue(at: now)
            if let deadline = nodeDeadline, deadline <= now { handle(.deadline) }
        }
        endTurn()
    }
}

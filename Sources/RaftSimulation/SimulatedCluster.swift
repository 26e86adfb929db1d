import Laboratory
import RaftCore
import RaftNode
import RaftTrace

/// The simulated laboratory: the same servers and the same commands as on the live one, in a world whose time passes only
/// when somebody waits, and that does the same again for the same seed.
public final class SimulatedCluster: Laboratory {
    /// What a simulated cluster is started with.
    public struct Options: Sendable {
        /// The number of servers, 1…9.
        public var nodes: Int
        /// The seed of all random numbers.
        public var seed: UInt64
        /// The clock's rate, as it is told; simulated time passes as fast as it can.
        public var speed: Double
        /// The time that messages take on every link, besides the little that a network takes.
        public var latency: ClosedRange<Interval>
        /// The servers' settings.
        public var settings: Settings
        /// How long clients wait before a call's result is unknown.
        public var patience = Client.patience

        /// Five servers.
        public init(
            nodes: Int = 5, seed: UInt64 = 1, speed: Double = 1, latency: ClosedRange<Interval> = .zero ... .zero,
            settings: Settings = Settings()
        ) {
            self.nodes = nodes
            self.seed = seed
            self.speed = speed
            self.latency = latency
            self.settings = settings
        }
    }

    private var world: World
    private var desk: Desk

    private init(world: World, desk: Desk, hasStarted: Bool) {
        self.world = world
        self.desk = desk
        self.hasStarted = hasStarted
        isWatched = world.isWatched
    }

    /// Makes the cluster; its servers wait to be started.
    public init(_ options: Options) {
        var mix = Mix()
        mix.settings = options.settings
        mix.latency = .microseconds(20) ... .microseconds(100)
        mix.sync = .microseconds(50) ... .milliseconds(1)
        world = World(seed: options.seed, nodes: options.nodes, mix: mix, keepsEvents: true, isByHand: true)
        world.patience = options.patience
        desk = Desk(
            nodes: world.nodes, settings: options.settings, speed: options.speed, latency: options.latency)
        layLinks()
    }

    /// Lays the links as they are before anybody has touched them.
    private func layLinks() {
        for id in desk.allLinks { world.links[id] = Link(latency: desk.untouchedLatency) }
        world.tell(.clock(ClockRate(rate: desk.speed)))
        for state in desk.untouchedLinks { world.tell(.link(state)) }
    }

    /// Lays the links of a server that has joined.
    private func layNewLinks() {
        for id in desk.allLinks where world.links[id] == nil {
            world.links[id] = Link(latency: desk.untouchedLatency)
            if let state = desk.untouchedLinks.first(where: { $0.from == id.from && $0.to == id.to }) {
                world.tell(.link(state))
            }
        }
    }

    /// The cluster's time.
    public var now: Instant { world.now }

    /// The servers there are, in ascending order.
    public var members: [NodeID] { desk.nodes }

    /// Gives a server's disk its contents, before the servers start.
    public func prepare(_ boot: Boot) throws(Refusal) {
        guard !hasStarted else { throw Refusal("a disk can be prepared only before its server starts") }
        do { try world.prepare(boot) } catch { throw Refusal("\(error)") }
    }

    /// Whether the servers were started.
    public private(set) var hasStarted = false

    /// Lets the servers start.
    public func start() {
        guard !hasStarted else { return }
        hasStarted = true
        for order in desk.startAll() { world.carryOut(order) }
    }

    /// Carries out `command`.
    @discardableResult
    public func perform(_ command: Command, seeing picture: Picture) throws(Refusal) -> UInt64? {
        let orders = try desk.orders(for: command, seeing: picture)
        world.tell(.command(CommandDone(text: command.description, takesBack: desk.takenBack)))
        var call: UInt64?
        for order in orders {
            call = world.carryOut(order) ?? call
            if order == .restart { layLinks() }
            if case .create = order { layNewLinks() }
        }
        return call
    }

    /// Whether every step is looked at before anything of it leaves its server.
    public var isWatched = false {
        didSet { world.isWatched = isWatched }
    }

    /// Whether everything that was begun is told by the events that were taken.
    public var isSettled: Bool { world.events.isEmpty && world.stepsLeft == nil }

    /// The events since this was called last, in order.
    public func takeEvents() -> [Event] {
        let events = world.takeEvents()
        for case .node(let node, _, .failed) in events.map(\.kind) { desk.noteFailure(of: node) }
        return events
    }

    /// Lets time pass until there are events to take, or it is `moment`, or nothing more can happen.
    public func waitForEvents(until moment: Instant?) {
        // What was ordered has led to steps that nobody has looked at yet.
        guard world.events.isEmpty else { return }
        world.releaseWatched()
        while world.events.isEmpty {
            if world.isFrozen {
                guard world.goOnFrozen() else { return }
            } else if let next = world.next, moment.map({ next <= $0 }) ?? true {
                world.step()
            } else {
                if let moment { world.now = max(world.now, moment) }
                return
            }
        }
    }
}

// What a cluster whose time somebody else lets pass is asked.

extension SimulatedCluster {
    /// A cluster that is as this one is now, and goes on on a way of its own.
    func copy() -> SimulatedCluster { SimulatedCluster(world: world, desk: desk, hasStarted: hasStarted) }

    /// Seconds of cluster time in a second.
    var rate: Double { desk.isFrozen ? 0 : desk.speed }

    /// Whether the clock stands still.
    var isFrozen: Bool { world.isFrozen }

    /// When the next thing happens; `nil` where nothing ever will.
    var next: Instant? { world.next }

    /// The number of the last event.
    var lastSequence: UInt64 { world.lastSequence }

    /// Whether there are events to take.
    var hasEvents: Bool { !world.events.isEmpty }

    /// Whether something is to happen that takes none of the cluster's time.
    var hasWork: Bool { world.stepsLeft != nil }

    /// Servers that are watched end their steps.
    func releaseWatched() { world.releaseWatched() }

    /// Lets the next thing happen. Answers whether there was one.
    func goOn() -> Bool {
        if world.isFrozen { return world.goOnFrozen() }
        guard world.next != nil else { return false }
        world.step()
        return true
    }

    /// Lets what is due by `moment` happen, so many steps at most. While servers are watched, they wait at the first.
    func advance(to moment: Instant, steps: Int) {
        for _ in 0..<steps {
            if world.isWatched, !world.events.isEmpty { return }
            if !world.isFrozen { guard let next = world.next, next <= moment else { return } }
            guard goOn() else { return }
        }
    }

    /// Lets time pass up to `moment`, by which nothing more is due.
    func pass(to moment: Instant) {
        if let next = world.next, next < moment { return }
        world.now = max(world.now, moment)
    }
}

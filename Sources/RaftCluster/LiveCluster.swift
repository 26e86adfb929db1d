import Glibc
import Laboratory
import NIOCore
import NIOPosix
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace
import RaftTransport
import Synchronization

/// The live laboratory: real servers in this process, each with a listener on 127.0.0.1, a directory, and event loops of
/// its own for its network and its disk.
///
/// It is used from one thread, and only tells its servers' threads what to do; none of them waits for it.
public final class LiveCluster: Laboratory {
    /// What a live cluster is started with.
    public struct Options: Sendable {
        /// The number of servers, 1…9; `nil` for as many as the data directory holds, or five in a new one.
        public var nodes: Int?
        /// Where the disks are kept; `nil` for a directory of our own that goes with the cluster.
        public var dataDirectory: String?
        /// The port of the first server, the others follow; `nil` for any free ports.
        public var basePort: Int?
        /// The seed of all random numbers.
        public var seed: UInt64
        /// The clock's rate.
        public var speed: Double
        /// The time that messages take on every link.
        public var latency: ClosedRange<Interval>
        /// The servers' settings.
        public var settings: Settings

        /// Five servers at full speed.
        public init(
            nodes: Int? = nil, dataDirectory: String? = nil, basePort: Int? = nil, seed: UInt64 = 1, speed: Double = 1,
            latency: ClosedRange<Interval> = .zero ... .zero, settings: Settings = Settings()
        ) {
            self.nodes = nodes
            self.dataDirectory = dataDirectory
            self.basePort = basePort
            self.seed = seed
            self.speed = speed
            self.latency = latency
            self.settings = settings
        }
    }

    /// The numbers of servers that a cluster may have.
    public static let sizes = 1...9
    /// The number of servers where none is said.
    public static let usualSize = 5

    let events = EventQueue()
    let directory: DataDirectory
    let settings: Settings
    let seed: UInt64
    let latency: ClosedRange<Interval>
    let nodes: [NodeID]
    private let servers: MultiThreadedEventLoopGroup
    private let disks: MultiThreadedEventLoopGroup
    let hosts: [NodeID: HostReference]
    private let clients: NIOLoopBound<ClientHost>
    private var order = EventOrder()
    private var wasSettled = false
    /// How much of what was begun has not taken effect yet.
    private let open = Outstanding()

    // What this thread has ordered so far; the servers follow.
    var clock: ClusterClock
    var speed: Double
    var standing: [NodeID: Ordered] = [:]
    /// The servers that were told to have failed since they were told to run.
    private var failed: Set<NodeID> = []
    var links: [Picture.LinkID: LinkState] = [:]
    var undoable: [Undo] = []
    private var nextCall: UInt64 = 1
    var lastWrites: [String: Request] = [:]
    private var isClosed = false

    /// Whether a server runs, as far as this thread has ordered.
    enum Ordered {
        case up
        case down
        case paused
    }

    /// Makes the cluster and lets its servers start. Whether they do is told as events.
    ///
    /// - Throws: ``StorageError`` where the data directory can't be used, and ``Refusal`` where it holds another number
    ///   of servers than asked for.
    public init(_ options: Options) throws {
        directory = try DataDirectory(path: options.dataDirectory)
        let plan = try ClusterPlan(directory: directory, options: options)
        nodes = plan.identities.map(\.node)
        settings = options.settings
        seed = options.seed
        latency = options.latency
        speed = options.speed
        clock = ClusterClock(rate: options.speed)
        servers = MultiThreadedEventLoopGroup(numberOfThreads: nodes.count + 1)
        disks = MultiThreadedEventLoopGroup(numberOfThreads: nodes.count)
        let (events, clock, directory) = (events, clock, directory)
        let numbers = MessageNumbers()
        var hosts: [NodeID: HostReference] = [:]
        for (place, identity) in plan.identities.enumerated() {
            let port = options.basePort.map { $0 + place } ?? 0
            let diskLoop = disks.next()
            let disk = try diskLoop.submit {
                let power = PowerSwitch()
                let host = DiskHost(directory: directory.directory(of: identity.node), power: power)
                return DiskReference(NIOLoopBound(host, eventLoop: diskLoop), power: power)
            }.wait()
            let loop = servers.next()
            hosts[identity.node] = try loop.submit {
                let host = NodeHost(
                    id: identity.node, loop: loop, disk: disk, events: events, messageNumbers: numbers,
                    identity: identity, settings: options.settings, clock: clock, port: port, seed: options.seed)
                return HostReference(NIOLoopBound(host, eventLoop: loop))
            }.wait()
        }
        self.hosts = hosts
        let clientLoop = servers.next()
        clients = try clientLoop.submit {
            let host = ClientHost(loop: clientLoop, events: events, clock: clock, sessionSuffix: plan.sessionSuffix)
            return NIOLoopBound(host, eventLoop: clientLoop)
        }.wait()
        start()
    }

    private func start() {
        let (hosts, latency) = (hosts, latency)
        clients.eventLoop.execute { [clients] in clients.value.setHosts(hosts) }
        links = untouchedLinks
        events.tell(beginning, at: clock.now)
        for node in nodes {
            let peers = hosts.filter { $0.key != node }
            hosts[node]?.execute { host in
                host.peers = peers
                host.untouchedLink.latency = latency
            }
            start(node)
        }
    }

    /// What a cluster begins with: the first events of its trace.
    private var beginning: [Event.Kind] {
        let began = ClusterBegan(nodes: nodes.count, seed: seed, settings: settings)
        return [.began(began), .clock(ClockRate(rate: clock.rate))] + untouchedLinks.values.map { .link($0) }
    }

    /// The links as they are before anybody has touched them; empty where that is as if there were none.
    private var untouchedLinks: [Picture.LinkID: LinkState] {
        guard latency.upperBound > .zero else { return [:] }
        return Dictionary(
            uniqueKeysWithValues: allLinks.map { id in
                var state = LinkState(from: id.from, to: id.to)
                state.apply(.latency(latency))
                return (id, state)
            })
    }

    // MARK: - The laboratory

    /// The cluster's time.
    public var now: Instant { clock.now }

    /// The servers there are, in ascending order.
    public var members: [NodeID] { nodes }

    /// A descriptor that can be read from when there are events to take, or something has settled.
    public var eventDescriptor: Int32 { events.descriptor }

    /// Whether the disks outlive the cluster.
    public var keepsDisks: Bool { !directory.isTemporary }

    /// Whether everything that was begun had taken effect when events were taken last, and is told by them.
    public var isSettled: Bool { wasSettled && order.isComplete }

    /// The events since this was called last, in order.
    public func takeEvents() -> [Event] {
        events.acknowledgeSignal()
        wasSettled = open.isEmpty
        let (taken, dropped) = events.take()
        if dropped > 0 { events.tell([.dropped(EventsDropped(count: dropped))], at: clock.now) }
        let sorted = order.sort(taken)
        noteFailures(in: sorted)
        return sorted
    }

    /// A server that failed is down, though nobody ordered it; unless something has been ordered since.
    private func noteFailures(in events: [Event]) {
        for case .node(let node, _, let event) in events.map(\.kind) {
            if case .failed = event { failed.insert(node) }
            if case .started = event { failed.remove(node) }
        }
        guard isSettled else { return }
        for node in failed { standing[node] = .down }
        failed = []
    }

    /// Waits for events, for something to settle, or for a moment of cluster time.
    public func waitForEvents(until moment: Instant?) { waitForEvents(until: moment, orReadable: nil) }

    /// The same, or until something can be read from a descriptor.
    public func waitForEvents(until moment: Instant?, orReadable descriptor: Int32?) {
        var timeout: Int32 = -1
        if let moment, let delay = clock.realDelay(until: moment) {
            timeout = Int32(clamping: (delay + 999_999) / 1_000_000)
        }
        var requests = [events.descriptor, descriptor ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&requests, nfds_t(requests.count), timeout)
    }

    /// Whether nothing is going on: no message between sockets, no write on its way to a disk, no request under way.
    /// While the clock stands still, nothing then happens until somebody does something.
    public func isQuiet() -> Bool {
        // Two looks at everybody: what one server had passed on before it was asked, the other shows the second time.
        for _ in 1...2 {
            for host in hosts.values {
                guard let isQuiet = try? host.submit({ $0.isQuiet() }).wait(), isQuiet else { return false }
            }
        }
        return true
    }

    /// Stops all servers and releases everything. The disks go, too, if they are ours.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        // First the clients, who would ask the servers for something, then the servers, then their threads.
        try? clients.eventLoop.submit { [clients] in clients.value.end() }.wait()
        waitForAll { $0.end() }
        try? servers.syncShutdownGracefully()
        try? disks.syncShutdownGracefully()
        directory.removeIfTemporary()
    }

    deinit { close() }

    // MARK: - Orders

    /// Counts an order as outstanding until its host has carried it out.
    func order(_ node: NodeID, _ body: @escaping @Sendable (NodeHost) -> Void) {
        order(node) { host -> EventLoopFuture<Void> in
            body(host)
            return host.loop.makeSucceededVoidFuture()
        }
    }

    /// Counts an order as outstanding until what its host has begun is done.
    func order(_ node: NodeID, _ body: @escaping @Sendable (NodeHost) -> EventLoopFuture<Void>) {
        guard let host = hosts[node] else { return }
        begin()
        host.flatSubmit { $0.inOrder(body) }.whenComplete { [open, events] _ in
            open.end()
            events.signal()
        }
    }

    /// Lets every server carry out an order, and waits until all have.
    private func waitForAll(_ body: @escaping @Sendable (NodeHost) -> EventLoopFuture<Void>) {
        let orders = hosts.values.map { host in host.flatSubmit { $0.inOrder(body) } }
        for order in orders { try? order.wait() }
    }

    private func begin() {
        wasSettled = false
        open.begin()
    }

    func start(_ node: NodeID) {
        standing[node] = .up
        order(node) { $0.start() }
    }

    func setClock(_ clock: ClusterClock) {
        self.clock = clock
        events.tell([.clock(ClockRate(rate: clock.rate))], at: clock.now)
        for node in nodes { order(node) { $0.adopt(clock) } }
        clients.eventLoop.execute { [clients] in clients.value.adopt(clock) }
    }

    var allLinks: [Picture.LinkID] {
        nodes.flatMap { from in nodes.filter { $0 != from }.map { Picture.LinkID(from: from, to: $0) } }
    }

    func link(_ id: Picture.LinkID) -> LinkState { links[id] ?? LinkState(from: id.from, to: id.to) }

    func changeLinks(_ ids: [Picture.LinkID], _ change: LinkChange) {
        for id in ids {
            var state = link(id)
            state.apply(change)
            links[id] = state
            order(id.from) { $0.changeLink(to: id.to, change) }
        }
    }

    func call(_ command: ClientCommand, via: NodeID?) -> UInt64 {
        if !command.request.isRead { lastWrites[command.client] = command.request }
        let call = ClientCall(
            client: command.client, call: nextCall, request: command.request, via: via, isRetry: command.isRetry)
        nextCall += 1
        begin()
        clients.eventLoop.execute { [clients, open, events] in
            clients.value.call(call)
            open.end()
            events.signal()
        }
        return call.call
    }

    /// Stops everything, takes all disks away, and starts the same cluster anew. Waits until all is stopped, so that
    /// nothing of the old cluster is told after the new one has begun.
    func restart() {
        waitForAll { $0.stop(.wipe) }
        clock = ClusterClock(rate: speed, from: clock.now)
        links = untouchedLinks
        undoable = []
        lastWrites = [:]
        events.tell(beginning, at: clock.now)
        clients.eventLoop.execute { [clients, clock] in
            clients.value.reset(sessionSuffix: "")
            clients.value.adopt(clock)
        }
        for identity in ClusterPlan.fresh(count: nodes.count) {
            order(identity.node) { [clock] host -> Void in
                host.identity = identity
                host.links = [:]
                host.adopt(clock)
            }
            start(identity.node)
        }
    }
}

extension LinkState {
    mutating func apply(_ change: LinkChange) {
        switch change {
        case .cut: isCut = true
        case .heal: isCut = false
        case .latency(let range): (latencyMin, latencyMax) = (range.lowerBound, range.upperBound)
        case .loss(let share): loss = share
        }
    }
}

/// How many orders have not been carried out yet.
private final class Outstanding: Sendable {
    private let count = Atomic<Int>(0)

    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    func begin() { count.add(1, ordering: .relaxed) }

    func end() { count.subtract(1, ordering: .releasing) }
}

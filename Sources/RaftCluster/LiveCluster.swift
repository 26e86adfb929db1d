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
public final class LiveCluster: RunningLaboratory {
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
        /// The number of the first event, and when it comes: a cluster that takes the place of another goes on from there.
        public var beginning: (sequence: UInt64, at: Instant) = (1, .zero)

        /// Whether the servers keep their logs in memory only, and nothing is ever on a disk: one that stops has forgotten all it
        /// promised, and comes back as another. For measuring what disks cost.
        public var keepsLogInMemory = false
        /// Where the directory of our own is made, if there is one; `nil` for where the system has such.
        public var temporaryParent: String?

        /// How long clients wait before a call's result is unknown.
        public var patience = Client.patience

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
    public static let sizes = 1...Desk.nodesMax
    /// The number of servers where none is said.
    public static let usualSize = 5

    let events: EventQueue
    let directory: DataDirectory
    private let seed: UInt64
    var nodes: [NodeID]
    /// The servers there were at first.
    private let firstNodes: [NodeID]
    private let servers: MultiThreadedEventLoopGroup
    private let disks: MultiThreadedEventLoopGroup
    private let snapshots: MultiThreadedEventLoopGroup
    private(set) var hosts: [NodeID: HostReference] = [:]
    /// What servers that have joined run on.
    private var joined: [MultiThreadedEventLoopGroup] = []
    /// What such servers ran on before a reset.
    private var spare: [MultiThreadedEventLoopGroup] = []
    private let surroundings: Surroundings
    private let basePort: Int?
    let clients: NIOLoopBound<ClientHost>
    /// Those who serve a server to the world, and the clients that they have in it.
    var faces: [NodeID: (face: ServedHost, clients: NIOLoopBound<ClientHost>)] = [:]
    let hub = EventHub()
    private var order: EventOrder
    var wasSettled = false
    /// Whether all orders had taken effect when events were taken last, whatever steps are under way.
    private var wereOrdersDone = false
    /// How much of what was begun has not taken effect yet.
    let open = Outstanding()
    /// The steps that are under way, see ``advanceSteps()``.
    var stepping: Stepping?

    /// Whether no server had a disk before.
    let isNew: Bool
    /// What this thread has ordered so far; the servers follow.
    var desk: Desk
    var clock: ClusterClock
    /// Whether the servers were started.
    public internal(set) var hasStarted = false
    let callNumbers = Numbers()
    /// The servers that were told to have failed since they were told to run.
    private var failed: Set<NodeID> = []
    /// The last event that was taken, and the last up to which servers that are watched were let go on.
    private var lastTaken: UInt64 = 0
    private var lastReleased: UInt64 = 0
    private var isClosed = false

    /// Makes the cluster; its servers wait to be started.
    ///
    /// - Throws: ``StorageError`` where the data directory can't be used, and ``Refusal`` where it holds another number
    ///   of servers than asked for.
    public init(_ options: Options) throws {
        directory = try DataDirectory(path: options.dataDirectory, temporaryParent: options.temporaryParent)
        let plan = try ClusterPlan(directory: directory, options: options)
        nodes = plan.identities.map(\.node)
        firstNodes = nodes
        seed = options.seed
        isNew = plan.isNew
        events = EventQueue(first: options.beginning.sequence)
        order = EventOrder(first: options.beginning.sequence)
        desk = Desk(nodes: nodes, settings: options.settings, speed: options.speed, latency: options.latency)
        clock = ClusterClock(rate: options.speed, from: options.beginning.at)
        servers = MultiThreadedEventLoopGroup(numberOfThreads: nodes.count + 1)
        disks = MultiThreadedEventLoopGroup(numberOfThreads: nodes.count)
        snapshots = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // Nobody waits for a snapshot: it is written with what the others leave of the processor.
        snapshots.next().execute { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
        basePort = options.basePort
        let surroundings = Surroundings(
            directory: directory, snapshots: snapshots.next(), events: events, numbers: Numbers(),
            seed: options.seed, isInMemory: options.keepsLogInMemory)
        self.surroundings = surroundings
        for identity in plan.identities {
            hosts[identity.node] = try surroundings.host(
                identity, on: servers.next(), diskLoop: disks.next(),
                at: LiveCluster.address(of: identity.node, from: basePort), options.settings, clock)
        }
        let clientLoop = servers.next()
        let (events, clock, callNumbers) = (events, clock, callNumbers)
        clients = try clientLoop.submit {
            let host = ClientHost(
                loop: clientLoop, events: events, clock: clock, callNumbers: callNumbers,
                sessionSuffix: plan.sessionSuffix, patience: options.patience)
            return NIOLoopBound(host, eventLoop: clientLoop)
        }.wait()
        introduce()
        events.tell(beginning, at: clock.now)
    }

    /// Where `node` listens, if the first server has the port `first`; on any free port where there is none.
    private static func address(of node: NodeID, from first: Int?) -> Address {
        .loopback(port: first.map { $0 + Int(node.rawValue) - 1 } ?? 0)
    }

    /// Makes a server that wasn't there before: its listener, its disk and its event loop are as real as the others'.
    func create(_ node: NodeID) {
        guard hosts[node] == nil, let known = hosts[firstNodes[0]] else { return }
        let group = spare.popLast() ?? MultiThreadedEventLoopGroup(numberOfThreads: 2)
        joined.append(group)
        guard let first = try? known.submit({ $0.identity }).wait() else { return }
        // On disks of an earlier run there may have been a server of this number, whose promises it doesn't know.
        let identity = Identity(
            cluster: first.cluster, node: node, incarnation: isNew ? .first : ClusterPlan.anew,
            configuration: first.configuration)
        let (loop, diskLoop) = (group.next(), group.next())
        let host = try? surroundings.host(
            identity, on: loop, diskLoop: diskLoop, at: LiveCluster.address(of: node, from: basePort),
            desk.settings, clock)
        guard let host else { return }
        let others = hosts
        hosts[node] = host
        nodes = hosts.keys.sorted()
        introduce()
        for other in others.values { other.execute { $0.introduce(to: host) } }
        let links = desk.untouchedLinks.filter { $0.from == node || $0.to == node }
        if !links.isEmpty { events.tell(links.map { .link($0) }, at: clock.now) }
        if isWatched { order(node) { host -> Void in host.watch(true) } }
    }

    /// Servers that have joined are no part of a fresh cluster.
    func dropJoined() {
        guard !joined.isEmpty else { return }
        hosts = hosts.filter { firstNodes.contains($0.key) }
        nodes = firstNodes
        introduce()
        // What they have begun may still be told to their loops: these wait for the next ones who join.
        spare += joined
        joined = []
    }

    /// Makes servers and clients known to each other.
    private func introduce() {
        let (hosts, latency) = (hosts, desk.untouchedLatency)
        clients.eventLoop.execute { [clients] in clients.value.setHosts(hosts) }
        for node in nodes {
            let peers = hosts.filter { $0.key != node }
            hosts[node]?.execute { host in
                host.meet(peers)
                host.untouchedLink = Link(latency: latency)
            }
        }
    }

    /// What a cluster begins with: the first events of its trace.
    var beginning: [Event.Kind] {
        let began = ClusterBegan(nodes: nodes.count, seed: seed, settings: desk.settings)
        return [.began(began), .clock(ClockRate(rate: clock.rate))] + desk.untouchedLinks.map { .link($0) }
    }

    // MARK: - The laboratory

    /// The cluster's time.
    public var now: Instant { clock.now }

    /// The servers there are, in ascending order.
    public var members: [NodeID] { nodes }

    /// A descriptor that can be read from when there are events to take, or something has settled.
    public var eventDescriptor: Int32? { events.descriptor }

    /// When events come, only they say.
    public var delay: Int64? { nil }

    /// Whether the disks outlive the cluster.
    public var keepsDisks: Bool { !directory.isTemporary }

    /// Whether everything that was begun had taken effect when events were taken last, and is told by them.
    public var isSettled: Bool { wasSettled && order.isComplete }

    /// The events since this was called last, in order.
    public func takeEvents() -> [Event] {
        events.acknowledgeSignal()
        advanceSteps()
        wereOrdersDone = open.isEmpty
        wasSettled = wereOrdersDone && stepping == nil
        let (taken, dropped) = events.take()
        if dropped > 0 { events.tell([.dropped(EventsDropped(count: dropped))], at: clock.now) }
        let sorted = order.sort(taken)
        lastTaken = sorted.last?.sequence ?? lastTaken
        noteFailures(in: sorted)
        if !hub.isEmpty { hub.tell(sorted) }
        return sorted
    }

    /// A server that failed is down, though nobody ordered it; unless something has been ordered since.
    private func noteFailures(in events: [Event]) {
        for case .node(let node, _, let event) in events.map(\.kind) {
            if case .failed = event { failed.insert(node) }
            if case .started = event { failed.remove(node) }
        }
        guard isSettled else { return }
        for node in failed { desk.noteFailure(of: node) }
        failed = []
    }

    /// Waits for events, for something to settle, or for a moment of cluster time.
    public func waitForEvents(until moment: Instant?) { waitForEvents(until: moment, orReadable: nil) }

    /// The same, or until something can be read from a descriptor.
    public func waitForEvents(until moment: Instant?, orReadable descriptor: Int32?) {
        releaseWatched()
        var timeout: Int32 = -1
        if let moment, let delay = clock.realDelay(until: moment) {
            timeout = Int32(clamping: (delay + 999_999) / 1_000_000)
        }
        var requests = [events.descriptor, descriptor ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&requests, nfds_t(requests.count), timeout)
    }

    /// Whether servers wait after every step until its events were looked at.
    public var isWatched = false {
        didSet {
            guard isWatched != oldValue else { return }
            for node in nodes { order(node) { [isWatched] host -> Void in host.watch(isWatched) } }
        }
    }

    /// What was looked at goes on, unless something that was ordered about it is still to be carried out.
    public func releaseWatched() {
        guard isWatched, wereOrdersDone, order.isComplete, lastReleased < lastTaken else { return }
        lastReleased = lastTaken
        for host in hosts.values { host.execute { [lastTaken] in $0.release(upTo: lastTaken) } }
    }

    /// Stops all servers and releases everything. The disks go, too, if they are ours.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        stepping = nil
        // First the clients, who would ask the servers for something, then the servers, then their threads.
        for clients in allClients { try? clients.eventLoop.submit { clients.value.end() }.wait() }
        hub.end()
        waitForAll { $0.end() }
        // What is still being written of a snapshot tells its server, which is gone, but not its loop.
        try? snapshots.syncShutdownGracefully()
        for group in joined + spare { try? group.syncShutdownGracefully() }
        try? servers.syncShutdownGracefully()
        try? disks.syncShutdownGracefully()
        directory.removeIfTemporary()
    }

    deinit { close() }

    /// Lets every server carry out an order, and waits until all have.
    func waitForAll(_ body: @escaping @Sendable (NodeHost) -> EventLoopFuture<Void>) {
        let orders = hosts.values.map { host in host.flatSubmit { $0.inOrder(body) } }
        for order in orders { try? order.wait() }
    }

    func begin() {
        (wasSettled, wereOrdersDone) = (false, false)
        open.begin()
    }
}

/// How many orders have not been carried out yet.
final class Outstanding: Sendable {
    private let count = Atomic<Int>(0)

    var isEmpty: Bool { count.load(ordering: .acquiring) == 0 }

    func begin() { count.add(1, ordering: .relaxed) }

    func end() { count.subtract(1, ordering: .releasing) }
}

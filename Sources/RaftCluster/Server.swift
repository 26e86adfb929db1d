import Glibc
import KeyValue
import Laboratory
import NIOCore
import NIOPosix
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace
import RaftTransport
import Synchronization

/// One server of a cluster, alone in its process, in real time: the others are elsewhere, and all it knows of them is
/// where they listen.
public final class Server: Sendable {
    /// What a server is started with.
    public struct Options: Sendable {
        /// The server.
        public var id: NodeID
        /// Where it listens for the others.
        public var address: Address
        /// Where the others listen.
        public var peers: [NodeID: Address]
        /// Where the disks are: this server's is in a directory of its name there.
        public var dataDirectory: String
        /// The cluster's name: servers of clusters with other names are not let in.
        public var cluster = Server.usualCluster
        /// What connections must prove to know.
        public var secret: Secret?
        /// Whether the server takes the place of one whose disk is lost: it neither votes nor counts until it was removed
        /// and added again, for it has forgotten what it promised (thesis §4.1).
        public var isReplacement = false
        /// Its settings.
        public var settings = Settings()
        /// How long a request is tried before its outcome is unknown.
        public var patience = Interval.seconds(3)

        /// The server `id`, which listens at `address`.
        public init(id: NodeID, address: Address, peers: [NodeID: Address], dataDirectory: String) {
            self.id = id
            self.address = address
            self.peers = peers
            self.dataDirectory = dataDirectory
        }
    }

    /// The name of a cluster where none is said.
    public static let usualCluster = "raft-tui"

    /// The server.
    public let id: NodeID
    /// What its face knows of it.
    public let face: ServedHost
    private let groups: [MultiThreadedEventLoopGroup]
    private let host: HostReference
    private let clients: NIOLoopBound<ClientHost>
    private let pump: EventPump
    private let isStopped = Atomic<Bool>(false)

    /// Makes the server; it waits to be started.
    ///
    /// - Parameters:
    ///   - report: Told what happens to the server, on its event loop.
    ///   - read: Reads a line of the language.
    /// - Throws: ``StorageError`` where the data directory can't be used.
    public init(
        _ options: Options, reading read: @escaping @Sendable (String) -> Result<Command, Refusal>,
        report: @escaping @Sendable (ServerReport) -> Void
    ) throws {
        id = options.id
        let directory = try DataDirectory(path: options.dataDirectory)
        // The network with its clients, the disk, and the snapshots.
        groups = (0..<3).map { _ in MultiThreadedEventLoopGroup(numberOfThreads: 1) }
        let (loop, diskLoop, snapshots) = (groups[0].next(), groups[1].next(), groups[2].next())
        snapshots.execute { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
        let events = EventQueue()
        // Processes of one machine tell the same time, so that what one has caused in another comes after it.
        let clock = ClusterClock.timeOfDay
        var surroundings = Surroundings(
            directory: directory, snapshots: snapshots, events: events, numbers: Numbers(of: options.id),
            seed: .random(in: .min ... .max))
        surroundings.secret = options.secret
        let host = try surroundings.host(
            options.identity, on: loop, diskLoop: diskLoop, at: options.address, options.settings, clock)
        self.host = host
        clients = try loop.submit { [id] in
            let clients = ClientHost(
                loop: loop, events: events, clock: clock, callNumbers: Numbers(of: id),
                sessionSuffix: LiveCluster.anySuffix,
                patience: options.patience, askingOnly: id)
            clients.setHosts([id: host])
            return NIOLoopBound(clients, eventLoop: loop)
        }.wait()
        host.execute { [peers = options.peers] host in
            host.report = report
            host.observe(false)
            host.addresses = peers
        }
        // What nobody hears is not told.
        let hub = EventHub { [clients] isHeard in
            clients.eventLoop.execute { clients.value.isTold = isHeard }
            host.execute { $0.observe(isHeard) }
        }
        clients.eventLoop.execute { [clients] in clients.value.isTold = false }
        pump = EventPump(events, to: hub)
        let faults = Faults(id: id, others: Array(options.peers.keys), settings: options.settings, host: host)
        face = ServedHost(id: id, host: host, clients: clients, hub: hub, isAlone: true) { line in
            do throws(Refusal) {
                try await faults.perform(try read(line).get())
                report(.ordered(line))
                return nil
            } catch {
                return error.description
            }
        }
    }

    /// Starts the server from its disk. Returns when it runs; why it can't was reported.
    ///
    /// - Returns: Whether it runs.
    public func start() -> Bool {
        let start = host.flatSubmit { $0.inOrder { $0.start() } }
        try? start.wait()
        return (try? host.submit { $0.life != nil }.wait()) ?? false
    }

    /// Answers everybody who waits for the cluster, and takes no further calls. Returns when they are told.
    public func endCalls() { try? clients.eventLoop.submit { [clients] in clients.value.end() }.wait() }

    /// How many requests of its clients wait for their answers.
    var openRequests: Int {
        get async { (try? await clients.eventLoop.submit { [clients] in clients.value.openRequests }.get()) ?? 0 }
    }

    /// Stops the server for good, once: what it has promised is on its disk.
    public func stop() {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        endCalls()
        try? host.flatSubmit { $0.inOrder { $0.end() } }.wait()
        pump.stop()
        for group in groups.reversed() { try? group.syncShutdownGracefully() }
    }
}

extension Server.Options {
    /// Whose disk it is. The members that a cluster begins with are those that each server was started with.
    fileprivate var identity: Identity {
        let members = ([id] + peers.keys).sorted().map { Configuration.Member(id: $0) }
        return Identity(
            cluster: Server.number(ofCluster: cluster), node: id,
            incarnation: isReplacement ? ClusterPlan.anew : .first,
            configuration: Configuration(members))
    }
}

extension Server {
    /// The number of the cluster that has this name (FNV-1a of 64 bits).
    static func number(ofCluster name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

import ArgumentParser
import Glibc
import KeyValueService
import Laboratory
import Logging
import RaftCluster
import RaftCore
import RaftTransport
import Script
import Synchronization
import Terminal

/// `raft-tui node`: one node in a process of its own, with its HTTP face.
struct NodeProcess: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run one node in this process, and serve its store over HTTP.",
        discussion: """
            The others are processes like this one, here or on other machines. All are started with the same members. \
            What happens is told on standard error. Ends cleanly on SIGTERM and SIGINT, and loses nothing on SIGKILL. \
            Exit status: 0 after SIGTERM or SIGINT, 1 if the disk fails later, 2 if it can't start, 64 usage.
            """)

    @Option(help: "The node's number, 1 to 63.")
    var id: NodeNumber

    @Option(help: "Where it listens for the other nodes, like 127.0.0.1:8001.")
    var raft: AddressArgument

    @Option(help: "Where it serves HTTP, like 127.0.0.1:9001.")
    var http: AddressArgument

    @Option(help: "The other nodes and where they listen, like 2=127.0.0.1:8002,3=127.0.0.1:8003.")
    var peers: Peers = Peers()

    @Option(help: "Keep the node's disk in this directory, as n1 for node 1.")
    var dataDir: String

    @Option(help: "The cluster's name: nodes of clusters with other names are not let in.")
    var cluster = Server.usualCluster

    @Option(
        help: """
            Where others reach its HTTP face, as an address or address:port; to be said where --http is 0.0.0.0 or [::].
            """)
    var advertise: AdvertisedAddress?

    @Option(
        help: """
            A file with a secret that all nodes know, which keeps strangers from their connections and from /fault; \
            required where other machines can connect. Keys can be read and written over HTTP without it.
            """)
    var secretFile: String?

    @Option(help: "A further name by which browsers and curl may call the HTTP face; may be given again.")
    var name: [String] = []

    @Option(help: "Take a snapshot after so many entries; 0 for none.")
    var snapshotEvery = NodeProcess.usualSnapshotEvery

    @Flag(help: "It takes the place of a node whose disk is lost: it counts once it was removed and added again.")
    var replaces = false

    /// How many entries there are from one snapshot to the next.
    private static let usualSnapshotEvery = 100_000
    /// Processes wait for each other's turns on a busy machine, and a class waits no second for a leader.
    private static let electionTimeout: ClosedRange<Interval> = .milliseconds(200) ... .milliseconds(400)

    func validate() throws {
        if peers.addresses[id.node] != nil {
            throw ValidationError("--peers names node \(id.node.rawValue), which is this one: leave it out there.")
        }
        if http.address.isUnspecified, advertise == nil {
            throw ValidationError(
                "\(http.address) is no address that others can ask: say with --advertise where they reach this node, like 192.168.1.7."
            )
        }
        if secretFile == nil, !raft.address.isLoopback || !http.address.isLoopback {
            let open = raft.address.isLoopback ? http.address : raft.address
            throw ValidationError(
                "\(open) can be reached from other machines: give all nodes the same --secret-file, or use 127.0.0.1.")
        }
        if snapshotEvery < 0 { throw ValidationError("--snapshot-every is a number of entries, not \(snapshotEvery).") }
    }

    func run() throws {
        let signals = SignalPipe([SIGINT, SIGTERM])
        signal(SIGPIPE, SIG_IGN)
        let secret = try secretFile.map { try SecretFile($0, isForNodes: true) }
        let journal = Journal(id: id.node)
        for warning in [secret?.warning, openness].compactMap({ $0 }) { journal.warn(warning) }
        let server = try makeServer(secret?.secret, journal)
        defer { server.stop() }
        // A node whose HTTP port is taken must not disturb the cluster first; and the others are told where its face is
        // when they are called.
        let service = ServiceTask(
            server.face,
            options: ServiceOptions(
                host: http.address.host, port: http.address.port, names: names, token: secret?.token,
                logger: journal.complaints))
        let port = try service.start()
        server.face.setFace(face(port: port))
        guard server.start() else {
            NodeProcess.end(service, server)
            throw Failure(journal.failure ?? "\(id.node) can't start")
        }
        journal.log("serves http://\(face(port: port))")
        while true {
            var request = pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0)
            // Whoever reports a failure wakes this by a signal.
            poll(&request, 1, -1)
            if let failure = journal.failure {
                NodeProcess.end(service, server)
                journal.log("stops: \(failure)")
                throw ExitCode(1)
            }
            guard let number = signals.take().first else { continue }
            journal.log("stops on \(number == SIGTERM ? "SIGTERM" : "SIGINT")")
            return NodeProcess.end(service, server)
        }
    }

    /// Ends what is served: first those who wait for the cluster are told that nobody knows, while there is somebody to
    /// tell them.
    private static func end(_ service: ServiceTask<ServedHost>, _ server: Server) {
        server.endCalls()
        service.stop()
    }

    /// Where others find the face that listens on `port`.
    private func face(port: Int) -> String {
        var address = advertise?.address ?? http.address
        if address.port == 0 { address.port = port }
        return address.description
    }

    /// By what the face may be called, beside the address that it listens on.
    private var names: [String] { name + [advertise?.address.urlHost].compactMap { $0 } }

    /// Who can do what, where that is more than this machine's users.
    private var openness: String? {
        guard !http.address.isLoopback else { return nil }
        return "everybody who can reach \(http.address) can read and write all keys: let only those reach it who may"
    }

    private func makeServer(_ secret: Secret?, _ journal: Journal) throws -> Server {
        var options = Server.Options(
            id: id.node, address: raft.address, peers: peers.addresses, dataDirectory: dataDir)
        options.cluster = cluster
        options.secret = secret
        options.isReplacement = replaces
        options.settings.timing.electionTimeout = NodeProcess.electionTimeout
        options.settings.compaction.every = snapshotEvery == 0 ? nil : snapshotEvery
        do {
            return try Server(options, reading: NodeProcess.read) { journal.take($0) }
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Reads a line of the language; how many nodes there are, only the server knows.
    private static func read(_ line: String) -> Result<Command, Refusal> {
        do throws(Refusal) { return .success(try Command.reading(line, nodes: nil)) } catch { return .failure(error) }
    }
}

/// A node's number on the command line.
struct NodeNumber: ExpressibleByArgument {
    let node: NodeID

    init?(argument: String) {
        guard let number = UInt8(argument), NodeID.range.contains(number) else { return nil }
        node = NodeID(Int(number))
    }
}

/// Where something listens, on the command line.
struct AddressArgument: ExpressibleByArgument {
    let address: Address

    init?(argument: String) {
        guard let address = Address(argument) else { return nil }
        self.address = address
    }
}

/// Where others reach a node, on the command line: an address, and a port where it isn't the one that it listens on.
struct AdvertisedAddress: ExpressibleByArgument {
    /// The address; its port is zero where none is said.
    let address: Address

    init?(argument: String) {
        let isBare = Address(argument) == nil
        let host = argument.contains(":") && !argument.hasPrefix("[") ? "[\(argument)]" : argument
        guard let address = Address(isBare ? host + ":0" : argument), !address.isUnspecified else { return nil }
        self.address = address
    }
}

extension Address {
    /// Whether it stands for all addresses of the machine that listens there, and for none that somebody could call.
    var isUnspecified: Bool {
        host == "0.0.0.0" || (host.contains(":") && host.allSatisfy { "0:".contains($0) })
    }

    /// The address without its port, as it stands in a URL.
    var urlHost: String { host.contains(":") ? "[\(host)]" : host }
}

/// The other nodes on the command line.
struct Peers: ExpressibleByArgument {
    var addresses: [NodeID: Address] = [:]

    init() {}

    init?(argument: String) {
        for part in argument.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let number = NodeNumber(argument: sides[0]), let address = Address(sides[1]),
                addresses[number.node] == nil
            else { return nil }
            addresses[number.node] = address
        }
    }
}

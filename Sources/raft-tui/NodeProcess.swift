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

    @Option(help: "A file with a secret that all nodes know; required where anybody but this machine can connect.")
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
        let secret = try secretFile.map { try SecretFile($0) }
        let journal = Journal(id: id.node)
        let server = try makeServer(secret?.secret, journal)
        // The others are told when they are called.
        if http.address.port != 0 { server.face.setFace(http.address.description) }
        guard server.start() else { throw Failure(journal.failure ?? "\(id.node) can't start") }
        defer { server.stop() }
        let service = ServiceTask(
            server.face,
            options: ServiceOptions(
                host: http.address.host, port: http.address.port, names: name, token: secret?.token,
                logger: journal.complaints))
        let address = try service.start()
        server.face.setFace(address)
        journal.log("serves http://\(address)")
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

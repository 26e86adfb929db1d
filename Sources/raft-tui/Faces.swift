import Glibc
import KeyValueService
import Laboratory
import Logging
import RaftCluster
import RaftCore
import RaftTrace
import Synchronization

/// The HTTP faces of the nodes on the screen, a port each. A node that goes down closes its port, as its process would,
/// and one that comes back opens it again.
@MainActor
final class Faces {
    /// What is asked for.
    struct Options {
        /// The port of the first node; the others follow.
        let firstPort: Int
        /// Whether other machines can connect, too.
        let isShared: Bool
    }

    private enum Wish {
        case open(ServedHost)
        case close
    }

    private let options: Options
    private var cluster: LiveCluster?
    private var wishes: [NodeID: AsyncStream<Wish>.Continuation] = [:]
    private var keepers: [Task<Void, Never>] = []
    private let troubles: Troubles

    /// The faces of the nodes of `cluster`, which are opened when they start.
    init(_ options: Options, of cluster: LiveCluster?) {
        self.options = options
        self.cluster = cluster
        troubles = Troubles()
        sayWhere()
    }

    /// Lets the nodes tell each other, before they start, where their faces will be.
    private func sayWhere() {
        let host = options.host
        for node in cluster?.members ?? [] { cluster?.face(of: node)?.setFace("\(host):\(port(of: node))") }
    }

    private func port(of node: NodeID) -> Int { options.firstPort + Int(node.rawValue) - 1 }

    /// A descriptor that can be read from when a port can't be opened.
    var descriptor: Int32 { troubles.descriptor }

    /// What went wrong since this was called last, in sentences.
    func takeTroubles() -> [String] { troubles.take() }

    /// Other nodes have taken the place of those there were.
    func adopt(_ cluster: LiveCluster?) {
        for wish in wishes.values { wish.yield(.close) }
        self.cluster = cluster
        sayWhere()
    }

    /// Opens and closes ports as nodes come and go.
    func take(_ events: [Event]) {
        for case .node(let node, _, let event) in events.map(\.kind) {
            switch event {
            case .started: if let face = cluster?.face(of: node) { keeper(of: node).yield(.open(face)) }
            case .stopped, .failed: wishes[node]?.yield(.close)
            default: break
            }
        }
    }

    /// Closes all ports.
    func close() {
        for wish in wishes.values {
            wish.yield(.close)
            wish.finish()
        }
    }

    private func keeper(of node: NodeID) -> AsyncStream<Wish>.Continuation {
        if let wish = wishes[node] { return wish }
        let (stream, wish) = AsyncStream.makeStream(of: Wish.self)
        wishes[node] = wish
        var service = ServiceOptions(
            host: options.isShared ? "0.0.0.0" : "127.0.0.1", port: port(of: node))
        if options.isShared { service.names = Faces.machineNames }
        service.logger.logLevel = .critical
        // Who is killed says nothing more to anybody.
        service.limits.ending = .milliseconds(20)
        let host = options.host
        keepers.append(Task.detached { [troubles] in await Faces.keep(stream, service, at: host, troubles) })
        return wish
    }

    /// Opens and closes one port, one wish after the other.
    private nonisolated static func keep(
        _ wishes: AsyncStream<Wish>, _ options: ServiceOptions, at host: String, _ troubles: Troubles
    ) async {
        var serving: Task<Void, Never>?
        for await wish in wishes {
            serving?.cancel()
            await serving?.value
            serving = nil
            guard case .open(let face) = wish else { continue }
            serving = Task {
                do {
                    try await KeyValueService(node: face, options: options).run { face.setFace("\(host):\($0)") }
                } catch {
                    troubles.tell("\(face.id) \(error)")
                }
            }
        }
    }
}

extension Faces.Options {
    /// The address at which clients are sent from one node to another: one that all who are let in can reach.
    var host: String { isShared ? Faces.addresses.first ?? "127.0.0.1" : "127.0.0.1" }

    /// What is opened, and to whom, in one sentence.
    func sentence(nodes: Int) -> String {
        let ports = nodes > 1 ? "\(firstPort) to \(firstPort + nodes - 1)" : "\(firstPort)"
        guard isShared else { return "each node serves HTTP to this machine: curl 127.0.0.1:\(firstPort)/status" }
        // What one has to type first, for there may be no room for all.
        let others = Faces.addresses.dropFirst().map { ", and at \($0)" }.joined()
        return "curl \(host):\(firstPort)/status: everybody who can reach it, on ports \(ports)\(others), "
            + "can read and write all keys"
    }
}

extension Faces {
    /// What others on the network may call this machine.
    nonisolated static var machineNames: [String] {
        var bytes = [CChar](repeating: 0, count: 256)
        guard gethostname(&bytes, bytes.count - 1) == 0 else { return [] }
        let name = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? [] : [name, name + ".local"]
    }

    /// This machine's addresses, but for those that only it can reach.
    nonisolated static var addresses: [String] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        return sequence(first: first) { $0?.pointee.ifa_next }.compactMap { interface in
            guard let address = interface?.pointee.ifa_addr, Int32(address.pointee.sa_family) == AF_INET else {
                return nil
            }
            var name = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
            var number = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr }
            inet_ntop(AF_INET, &number, &name, socklen_t(INET_ADDRSTRLEN))
            let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return text.hasPrefix("127.") ? nil : text
        }
    }
}

/// Sentences on their way from other threads to the main one.
final class Troubles: Sendable {
    private let sentences = Mutex<[String]>([])
    private let pipe = WakingPipe()

    /// A descriptor that can be read from when there is a sentence.
    var descriptor: Int32 { pipe.descriptor }

    /// Brings a sentence.
    func tell(_ sentence: String) {
        sentences.withLock { $0.append(sentence) }
        pipe.wake()
    }

    /// The sentences since this was called last.
    func take() -> [String] {
        pipe.acknowledge()
        return sentences.withLock { sentences in
            defer { sentences = [] }
            return sentences
        }
    }
}

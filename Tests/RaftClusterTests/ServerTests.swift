import KeyValue
import Laboratory
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport
import Script
import Synchronization
import Testing

@testable import RaftCluster

/// Servers that know of each other only where they listen, as those in processes of their own do.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ServerTests {
    @Test("three servers elect a leader, and each of them takes writes and reads, whoever leads")
    func anyServer() async throws {
        let trio = try Trio()
        defer { trio.end() }
        for (number, server) in trio.servers.enumerated() {
            #expect(await server.face.call(.write(.set(key: [1], value: [UInt8(number)])), once: nil) == .ok)
            for reader in trio.servers {
                for mode in [ReadMode.readindex, .leader] {
                    #expect(await reader.face.call(.get(key: [1], mode), once: nil) == .value([UInt8(number)]))
                }
            }
        }
        #expect(await trio.servers[0].face.call(.get(key: [2], .readindex), once: nil) == .notFound)
        let mismatch = Operation.compareAndSet(key: [1], old: [9], new: [3])
        for server in trio.servers {
            #expect(await server.face.call(.write(mismatch), once: nil) == .mismatch([2]))
            #expect(await server.face.call(.keys(prefix: [], .leader), once: nil) == .keys([[1]]))
        }
    }

    @Test("a write under a key is done once, whichever server it is sent to again")
    func once() async throws {
        let trio = try Trio()
        defer { trio.end() }
        for server in trio.servers {
            let write = Request.write(.increment(key: [7], by: 1))
            #expect(await server.face.call(write, once: "order-17") == .value(Bytes("1".utf8)))
        }
        let other = Request.write(.increment(key: [7], by: 1))
        #expect(await trio.servers[1].face.call(other, once: "order-18") == .value(Bytes("2".utf8)))
        #expect(await trio.servers[1].face.call(other, once: nil) == .value(Bytes("3".utf8)))
    }

    @Test("without a majority a write that nobody took is refused, and one that somebody may have taken is unknown")
    func noMajority() async throws {
        let trio = try Trio(patience: .milliseconds(300))
        defer { trio.end() }
        #expect(await trio.servers[0].face.call(.write(.set(key: [1], value: [1])), once: nil) == .ok)
        let leader = try await trio.leader()
        let others = trio.servers.filter { $0.id != leader.id }
        for server in others { server.stop() }
        #expect(await leader.face.call(.write(.set(key: [1], value: [2])), once: nil) == .unknown)
        // Without a majority it ceases to lead, and takes nothing any more.
        while await leader.face.status()?.state.role == .leader {}
        #expect(await leader.face.call(.write(.set(key: [1], value: [3])), once: nil) == .notLeader(nil))
        #expect(await leader.face.call(.get(key: [1], .local), once: nil) == .value([1]))
    }

    @Test("what was acknowledged is there after all servers have stopped and started again")
    func again() async throws {
        let trio = try Trio()
        #expect(await trio.servers[2].face.call(.write(.set(key: [5], value: [6])), once: nil) == .ok)
        for server in trio.servers { server.stop() }
        let second = try Trio(in: trio.directory)
        defer { second.end() }
        #expect(await second.servers[0].face.call(.get(key: [5], .readindex), once: nil) == .value([6]))
    }

    @Test("a server whose links to the leader are cut answers for itself, and hands nothing on")
    func cutOff() async throws {
        let trio = try Trio(patience: .milliseconds(300))
        defer { trio.end() }
        #expect(await trio.servers[0].face.call(.write(.set(key: [1], value: [1])), once: nil) == .ok)
        let leader = try await trio.leader()
        let alone = try #require(trio.servers.first { $0.id != leader.id })
        #expect(await alone.face.call(.get(key: [1], .readindex), once: nil) == .value([1]))
        for server in trio.servers where server.id != alone.id {
            #expect(await server.face.perform(line: "cut \(server.id.rawValue)>\(alone.id.rawValue)") == nil)
            #expect(await alone.face.perform(line: "cut \(alone.id.rawValue)>\(server.id.rawValue)") == nil)
        }
        let write = await alone.face.call(.write(.set(key: [1], value: [2])), once: nil)
        #expect(write == .notLeader(nil) || write == .unknown)
        #expect(await leader.face.call(.write(.set(key: [1], value: [3])), once: nil) == .ok)
        #expect(await alone.face.call(.get(key: [1], .local), once: nil) == .value([1]))
        for server in trio.servers { _ = await server.face.perform(line: "heal") }
        var healed = ClientResult.unknown
        while healed != .value([3]) { healed = await alone.face.call(.get(key: [1], .readindex), once: nil) }
    }

    @Test("a request whose answer was lost on a cut link is kept no longer than somebody waits for it")
    func lostAnswer() async throws {
        let trio = try Trio(patience: .milliseconds(300))
        defer { trio.end() }
        #expect(await trio.servers[0].face.call(.write(.set(key: [1], value: [1])), once: nil) == .ok)
        let leader = try await trio.leader()
        let follower = try #require(trio.servers.first { $0.id != leader.id })
        while await follower.face.status()?.state.leader != leader.id {}
        // It goes on believing in its leader, though it hears nothing of it.
        #expect(await follower.face.perform(line: "hold-timer \(follower.id.rawValue)") == nil)
        #expect(await leader.face.perform(line: "cut \(leader.id.rawValue)>\(follower.id.rawValue)") == nil)
        #expect(await follower.face.call(.write(.set(key: [1], value: [2])), once: nil) == .unknown)
        #expect(await follower.openRequests > 0)
        #expect(await leader.face.perform(line: "heal") == nil)
        for _ in 0..<100 where await follower.openRequests > 0 {
            _ = await follower.face.call(.write(.set(key: [1], value: [3])), once: nil)
        }
        #expect(await follower.openRequests == 0)
    }

    @Test("who listens hears the whole state first, and then what happens")
    func happenings() async throws {
        let trio = try Trio()
        defer { trio.end() }
        let server = trio.servers[0]
        #expect(await server.face.call(.write(.set(key: [1], value: [1])), once: nil) == .ok)
        var heard = server.face.happenings().makeAsyncIterator()
        var all: [Event] = []
        while !all.contains(where: \.isState) { all += (await heard.next() ?? []).flatMap(\.events) }
        #expect(await server.face.call(.write(.set(key: [1], value: [2])), once: nil) == .ok)
        while !all.contains(where: { $0.isApplied(value: [2]) }) { all += (await heard.next() ?? []).flatMap(\.events) }
        #expect(all.map(\.sequence) == all.map(\.sequence).sorted())
    }

    @Test("all who listen to a server are told the same rows, so that their text is made once")
    func rowsAreShared() async throws {
        let hub = EventHub()
        var (one, other) = (
            hub.listen(to: NodeID(1)).makeAsyncIterator(), hub.listen(to: NodeID(1)).makeAsyncIterator()
        )
        var stranger = hub.listen(to: NodeID(2)).makeAsyncIterator()
        hub.tell([
            Event(at: .zero, sequence: 1, kind: .node(NodeID(1), Term(1), .paused)),
            Event(at: .zero, sequence: 2, kind: .node(NodeID(2), Term(1), .paused)),
        ])
        let (first, second) = (try #require(await one.next()?.first), try #require(await other.next()?.first))
        #expect(first === second)
        #expect(first.events.map(\.sequence) == [1])
        #expect(try #require(await stranger.next()?.first).events.map(\.sequence) == [2])
        hub.end()
    }

    @Test("a server that takes the place of a lost one doesn't count before it is a member again")
    func replacement() async throws {
        let trio = try Trio(patience: .seconds(2))
        defer { trio.end() }
        #expect(await trio.servers[0].face.call(.write(.set(key: [1], value: [1])), once: nil) == .ok)
        let leader = try await trio.leader()
        let lost = try #require(trio.servers.first { $0.id != leader.id })
        lost.stop()
        let fresh = try trio.start(lost.id, in: try DataDirectory(path: nil).path) { $0.isReplacement = true }
        defer { fresh.stop() }
        while await fresh.face.status()?.state.applied == .zero {}
        #expect(await fresh.face.status()?.isVoter == false)
        #expect(await leader.face.status()?.isVoter == true)
        let rest = try #require(trio.servers.first { $0.id != leader.id && $0.id != lost.id })
        rest.stop()
        #expect(await leader.face.call(.write(.set(key: [1], value: [2])), once: nil) != .ok)
    }

    @Test("a server says why it doesn't do what is another's, or can't be done, and remembers nothing of it")
    func faults() async throws {
        let trio = try Trio(patience: .milliseconds(300))
        defer { trio.end() }
        #expect(await trio.servers[0].face.call(.write(.set(key: [1], value: [1])), once: nil) == .ok)
        let leader = try await trio.leader()
        let (one, two) = (trio.servers[0].face, trio.servers[1].face)
        for line in ["kill 2", "pause 2", "timeout 2", "cut 2-3"] {
            #expect(await one.perform(line: line)?.hasPrefix("this is n1, and nothing of that is for it to do") == true)
        }
        for line in ["freeze", "thaw", "freeze", "load 10/s"] {
            #expect(await one.perform(line: line) != nil)
        }
        let follower = try #require(trio.servers.first { $0.id != leader.id }).face
        for line in ["transfer \(follower.id.rawValue)", "remove \(follower.id.rawValue)"] {
            #expect(await follower.perform(line: line) == "\(follower.id) doesn't lead: ask \(leader.id)")
        }
        #expect(await leader.face.perform(line: "add 4")?.contains("doesn't know where n4 is") == true)
        #expect(await leader.face.perform(line: "add 1")?.contains("nothing would change") == true)
        #expect(await two.perform(line: "cut 1-2") == nil)
        #expect(await two.perform(line: "heal") == nil)
        #expect(await one.perform(line: "kill 1") == nil)
        while await one.status() != nil {}
        #expect(await one.call(.get(key: [1], .local), once: nil) == .error("n1 is down: start it, or ask another"))
    }

    @Test("a directory of another server or of another cluster is refused")
    func foreign() throws {
        let trio = try Trio()
        for server in trio.servers { server.stop() }
        let reports = Mutex<[String]>([])
        let server = try trio.server(NodeID(1), in: trio.directory, { $0.cluster = "another" }) { report in
            if case .failed(let reason) = report { reports.withLock { $0.append(reason) } }
        }
        #expect(!server.start())
        server.stop()
        #expect(reports.withLock { $0.first }?.contains("belongs to another cluster") == true)
    }
}

/// Three servers on free ports.
struct Trio {
    let directory: String
    private let ports: [NodeID: Address]
    private(set) var servers: [Server] = []

    init(in directory: String? = nil, patience: Interval = .seconds(20)) throws {
        self.directory = try directory ?? DataDirectory(path: nil).path
        var ports: [NodeID: Address] = [:]
        for number in 1...3 { ports[NodeID(number)] = .loopback(port: FreePort.any()) }
        self.ports = ports
        for number in 1...3 {
            servers.append(try start(NodeID(number), in: self.directory) { $0.patience = patience })
        }
    }

    func server(
        _ id: NodeID, in directory: String, _ change: (inout Server.Options) -> Void = { _ in },
        report: @escaping @Sendable (ServerReport) -> Void = { _ in }
    ) throws -> Server {
        var options = Server.Options(
            id: id, address: ports[id] ?? .loopback(port: 0), peers: ports.filter { $0.key != id },
            dataDirectory: directory)
        change(&options)
        return try Server(
            options,
            reading: { line in
                do throws(Refusal) { return .success(try Command.reading(line, nodes: 3)) } catch {
                    return .failure(error)
                }
            }, report: report)
    }

    func start(
        _ id: NodeID, in directory: String, _ change: (inout Server.Options) -> Void = { _ in }
    ) throws -> Server {
        let server = try server(id, in: directory, change)
        try #require(server.start())
        return server
    }

    func leader() async throws -> Server {
        while true {
            for server in servers where await server.face.status()?.state.role == .leader { return server }
        }
    }

    func end() { for server in servers { server.stop() } }
}

extension Event {
    fileprivate var isState: Bool { if case .node(_, _, .state) = kind { true } else { false } }

    fileprivate func isApplied(value: Bytes) -> Bool {
        if case .node(_, _, .applied(let applied)) = kind { applied.value == value } else { false }
    }
}

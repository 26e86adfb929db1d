import ClusterWatch
import KeyValue
import KeyValueService
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Script
import Synchronization
import Testing

@testable import RaftCluster

/// Servers with faces, watched over HTTP.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct WatchTests {
    private static let token = "a token"

    @Test("a leader that is killed is seen to be down, another leads, and what the prompt sets is read")
    func failover() async throws {
        let trio = try Trio()
        defer { trio.end() }
        let faces = try await Face.all(of: trio, token: Self.token)
        let watcher = try await Watcher(faces, token: Self.token)
        try await watcher.wait { $0.leader != nil && $0.nodes.allSatisfy(\.isRunning) }
        #expect(watcher.witness.audit.isMidway)
        #expect(try await watcher.call("set x 1") == .ok)
        #expect(try await watcher.call("get x") == .value(Bytes("1".utf8)))
        let first = try #require(watcher.picture.leader?.id)
        try watcher.perform("kill leader")
        try await watcher.wait { $0[first]?.isRunning == false && $0.leader != nil && $0.leader?.id != first }
        #expect(try await watcher.call("incr x 4") == .value(Bytes("5".utf8)))
        #expect(try await watcher.call("get x via \(first.rawValue)").isAnswer == false)
        try watcher.perform("revive \(first.rawValue)")
        try await watcher.wait { picture in
            picture[first]?.isRunning == true
                && picture.nodes.allSatisfy { $0.store[Bytes("x".utf8)] == Bytes("5".utf8) }
        }
        #expect(watcher.witness.audit.findings.isEmpty)
        #expect(watcher.events.count { if case .called = $0.kind { true } else { false } } == 4)
        watcher.close()
        for face in faces { await face.stop() }
    }

    @Test("cuts are made by both ends, and undo takes them back")
    func links() async throws {
        let trio = try Trio()
        defer { trio.end() }
        let faces = try await Face.all(of: trio, token: Self.token)
        let watcher = try await Watcher(faces, token: Self.token)
        try await watcher.wait { $0.leader != nil && $0.nodes.allSatisfy(\.isRunning) }
        let leader = try #require(watcher.picture.leader?.id)
        try watcher.perform("isolate leader")
        try await watcher.wait {
            $0.links.values.count(where: \.isCut) == 4 && $0.leader?.id != leader && $0.leader != nil
        }
        // Whoever begins to watch now is told what was done.
        let second = try await Watcher(faces, token: nil)
        try await second.wait { $0.links.values.count(where: \.isCut) == 4 }
        #expect(second.refusal("heal")?.contains("--secret-file") == true)
        second.close()
        try watcher.perform("undo")
        try await watcher.wait { $0.links.values.count(where: \.isCut) == 0 }
        try watcher.perform("latency 1>3 10ms..20ms")
        try await watcher.wait { $0.link(from: NodeID(1), to: NodeID(3)).latencyMax == .milliseconds(20) }
        watcher.close()
        for face in faces { await face.stop() }
    }

    @Test("a wrong secret is told in a sentence, and what processes can't do is refused")
    func refusals() async throws {
        let trio = try Trio()
        defer { trio.end() }
        let faces = try await Face.all(of: trio, token: Self.token)
        let watcher = try await Watcher(faces, token: "wrong")
        try await watcher.wait { $0.nodes.allSatisfy(\.isRunning) }
        try watcher.perform("kill 1")
        let refusal = try await watcher.nextRefusal()
        #expect(refusal == "n1 refuses the secret: start watch with the --secret-file of the nodes")
        #expect(!watcher.events.contains { if case .command = $0.kind { true } else { false } })
        #expect(watcher.picture[NodeID(1)]?.isRunning == true)
        for line in ["freeze", "speed 1/10", "step", "reset", "hold 1>2", "drop #1", "load 10/s", "align 1 2", "add 4"]
        {
            #expect(watcher.refusal(line) != nil)
        }
        watcher.close()
        for face in faces { await face.stop() }
    }

    @Test("a node that is down at the start comes later, goes, and comes back")
    func late() async throws {
        let trio = try Trio()
        defer { trio.end() }
        var faces = try await Face.all(of: trio, token: Self.token)
        await faces[2].stop()
        let watcher = try await Watcher(faces, token: nil)
        try await watcher.wait { $0[NodeID(1)]?.isRunning == true && $0[NodeID(2)]?.isRunning == true }
        #expect(watcher.picture[NodeID(3)]?.isRunning == false)
        for _ in 0..<2 {
            faces[2] = try await Face(trio.servers[2], port: faces[2].port, token: Self.token)
            try await watcher.wait { $0[NodeID(3)]?.isRunning == true }
            await faces[2].stop()
            try await watcher.wait { $0[NodeID(3)]?.isRunning == false }
        }
        #expect(watcher.witness.audit.findings.isEmpty)
        watcher.close()
        await faces[0].stop()
        await faces[1].stop()
    }

    @Test("where nobody answers, or a node has no address, there is nothing to watch")
    func nobody() async throws {
        let addresses = [NodeAddress(host: "127.0.0.1", port: FreePort.any())]
        #expect { try WatchedCluster(addresses, token: nil) } throws: {
            "\($0)".hasPrefix("no node answers at \(addresses[0].authority)")
        }
        let trio = try Trio()
        defer { trio.end() }
        let faces = try await Face.all(of: trio, token: nil)
        _ = try await trio.leader()
        let found = await Survey.answers(of: [faces[0].address])
        #expect { try WatchedCluster([faces[0].address], found: found, token: nil) } throws: {
            "\($0)".contains("n1, n2, n3") && "\($0)".contains("give all 3")
        }
        let table = StatusTable(
            zip(faces.map(\.address), await Survey.answers(of: faces.map(\.address))).map { (address: $0, finding: $1) }
        )
        #expect(table.trouble == nil)
        #expect(table.lines.count == 4)
        await faces[1].stop()
        await faces[2].stop()
        let alone = StatusTable(
            zip(faces.map(\.address), await Survey.answers(of: faces.map(\.address))).map { (address: $0, finding: $1) }
        )
        #expect(alone.trouble == "1 of 3 members answer here: start the others, or give their addresses, too")
        #expect(alone.lines.count { $0.contains("down") } == 2)
        await faces[0].stop()
    }
}

/// A server's HTTP face.
private struct Face {
    let port: Int
    private let task: Task<Void, any Error>

    var address: NodeAddress { NodeAddress(host: "127.0.0.1", port: port) }

    init(_ server: Server, port: Int, token: String?) async throws {
        self.port = port
        let service = KeyValueService(
            node: server.face, options: ServiceOptions(host: "127.0.0.1", port: port, token: token))
        let (listening, told) = AsyncStream.makeStream(of: Int.self)
        task = Task {
            defer { told.finish() }
            try await service.run { told.yield($0) }
        }
        for await _ in listening { break }
    }

    static func all(of trio: Trio, token: String?) async throws -> [Face] {
        var faces: [Face] = []
        for server in trio.servers { faces.append(try await Face(server, port: FreePort.any(), token: token)) }
        return faces
    }

    func stop() async {
        task.cancel()
        _ = await task.result
    }
}

/// Somebody who watches, without a screen.
private final class Watcher {
    let cluster: WatchedCluster
    private(set) var witness = Witness()
    private(set) var events: [Event] = []

    init(_ faces: [Face], token: String?) async throws {
        let addresses = faces.map(\.address)
        // The servers answer on the threads that tests run on: nobody may wait there.
        let found = await Survey.answers(of: addresses)
        cluster = try WatchedCluster(addresses, found: found, token: token)
    }

    var picture: Picture { witness.picture }

    func close() { cluster.close() }

    private func look() throws {
        try Task.checkCancellation()
        cluster.waitForEvents(until: cluster.now + .milliseconds(20))
        for event in cluster.takeEvents() {
            #expect(event.sequence == (events.last?.sequence ?? 0) + 1)
            witness.take(event)
            events.append(event)
        }
    }

    func wait(until holds: (Picture) -> Bool) async throws {
        while picture.nodes.isEmpty || !holds(picture) {
            try look()
            await Task.yield()
        }
    }

    func nextRefusal() async throws -> String {
        while true {
            if let refusal = cluster.takeRefusals().first { return refusal.description }
            try look()
            await Task.yield()
        }
    }

    @discardableResult
    func perform(_ line: String) throws -> UInt64? {
        try cluster.perform(try Command.reading(line, nodes: picture.nodes.count), seeing: picture)
    }

    /// Why a line is refused at once.
    func refusal(_ line: String) -> String? {
        do { try perform(line) } catch { return "\(error)" }
        return nil
    }

    func call(_ line: String) async throws -> ClientResult {
        let number = try #require(try perform(line))
        while true {
            for event in events {
                if case .returned(let answer) = event.kind, answer.call == number { return answer.result }
            }
            try look()
            await Task.yield()
        }
    }
}

import Foundation
import Laboratory
import RaftCore
import RaftStorage
import RaftTrace
import Script
import Testing

@testable import RaftCluster

/// What scripts can't see of the live cluster.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct LiveClusterTests {
    private final class Directory {
        let path = NSTemporaryDirectory() + "raft-tui-tests-" + UUID().uuidString

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private struct Impatience: Error, CustomStringConvertible {
        let description: String
    }

    /// Takes events until `isDone` of what is known. Gives up after a minute without it.
    @discardableResult
    private func follow(
        _ laboratory: LiveCluster, _ picture: inout Picture, until isDone: (Picture) -> Bool
    ) throws -> [Event] {
        var all: [Event] = []
        let end = ContinuousClock.now + .seconds(60)
        while true {
            let events = laboratory.takeEvents()
            all += events
            for event in events { picture.apply(event) }
            if isDone(picture), laboratory.isSettled { return all }
            guard ContinuousClock.now < end else {
                let nodes = picture.nodes.map { "\($0.id) \($0.standing.rawValue) \($0.failure ?? "")" }
                throw Impatience(description: "settled: \(laboratory.isSettled); \(nodes)")
            }
            var request = pollfd(fd: laboratory.eventDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, 1_000)
        }
    }

    private func started(_ options: LiveCluster.Options) throws -> LiveCluster {
        let laboratory = try LiveCluster(options)
        laboratory.start()
        return laboratory
    }

    private func command(_ line: String) throws -> Command {
        guard case .command(let command)? = try Statement.Kind(parsing: line, nodes: nil) else {
            throw Refusal("'\(line)' is no command")
        }
        return command
    }

    @Test("a cluster's own directory goes with it, a given one stays")
    func directories() throws {
        var picture = Picture()
        let own = try started(.init(nodes: 3))
        try follow(own, &picture) { $0.leader != nil }
        let path = own.directory.path
        #expect(FileManager.default.fileExists(atPath: path + "/n3"))
        own.close()
        #expect(!FileManager.default.fileExists(atPath: path))

        let given = Directory()
        for round in 1...3 {
            let laboratory = try started(.init(dataDirectory: given.path))
            defer { laboratory.close() }
            var picture = Picture()
            try follow(laboratory, &picture) { $0.leader != nil }
            #expect(picture.nodes.count == 5)
            try laboratory.perform(command("incr runs"), seeing: Picture())
            try follow(laboratory, &picture) { $0.lastReturn != nil }
            #expect(picture.lastReturn?.result == .value(Array(String(round).utf8)), "each run's client is another")
        }
    }

    @Test("a directory that is open elsewhere, that holds another number of servers, or another's disk is refused")
    func foreignDirectories() throws {
        let directory = Directory()
        var picture = Picture()
        do {
            let laboratory = try started(.init(nodes: 3, dataDirectory: directory.path))
            defer { laboratory.close() }
            try follow(laboratory, &picture) { $0.leader != nil }
            #expect(throws: StorageError.inUse(path: directory.path + "/n1")) {
                try LiveCluster(.init(nodes: 3, dataDirectory: directory.path))
            }
        }
        #expect(throws: Refusal.self) { try LiveCluster(.init(nodes: 5, dataDirectory: directory.path)) }
        let files = FileManager.default
        try files.moveItem(atPath: directory.path + "/n1", toPath: directory.path + "/aside")
        try files.copyItem(atPath: directory.path + "/n2", toPath: directory.path + "/n1")
        #expect(throws: StorageError.foreign(path: directory.path + "/n1", reason: "belongs to n2, not to n1")) {
            try LiveCluster(.init(dataDirectory: directory.path))
        }
    }

    @Test("a server whose directory was taken away between two runs comes back as another, and doesn't count")
    func missingDirectory() throws {
        let directory = Directory()
        var picture = Picture()
        do {
            let laboratory = try started(.init(nodes: 3, dataDirectory: directory.path))
            defer { laboratory.close() }
            try follow(laboratory, &picture) { $0.leader != nil }
        }
        try FileManager.default.removeItem(atPath: directory.path + "/n2")
        let laboratory = try started(.init(dataDirectory: directory.path))
        defer { laboratory.close() }
        picture = Picture()
        // The leader learns it with the first answer, which comes when the entries are there.
        try follow(laboratory, &picture) {
            $0.isConverged && $0.leader?.peers[NodeID(2)]?.isCounted == false
        }
        #expect(picture[NodeID(2)]?.incarnation != .first)
    }

    @Test("a damaged log keeps its server down, with the file, the place and what to do; the others go on")
    func damagedLog() throws {
        let directory = Directory()
        var picture = Picture()
        do {
            let laboratory = try started(.init(nodes: 3, dataDirectory: directory.path))
            defer { laboratory.close() }
            try follow(laboratory, &picture) { $0.isConverged && $0.leader != nil }
        }
        let file = URL(filePath: directory.path + "/n3/log-00000001")
        var bytes = try Data(contentsOf: file)
        bytes[40] ^= 1
        try bytes.write(to: file)
        let laboratory = try started(.init(dataDirectory: directory.path))
        defer { laboratory.close() }
        picture = Picture()
        try follow(laboratory, &picture) { $0.leader != nil && $0[NodeID(3)]?.failure != nil }
        let failure = try #require(picture[NodeID(3)]?.failure)
        #expect(failure.hasPrefix("n3 can't start: \(file.path) is damaged at byte 32: "))
        #expect(picture[NodeID(3)]?.standing == .down)
    }

    @Test("a log whose files are gone is missed: its server doesn't start as if it were new")
    func missingLog() throws {
        let directory = Directory()
        var picture = Picture()
        do {
            let laboratory = try started(.init(nodes: 3, dataDirectory: directory.path))
            defer { laboratory.close() }
            try follow(laboratory, &picture) { $0.isConverged && $0.leader != nil }
            // A disk that was wiped is a new one, and has no log to miss.
            for line in ["wipe 1", "revive 1"] { try laboratory.perform(command(line), seeing: Picture()) }
            try follow(laboratory, &picture) { $0[NodeID(1)]?.isRunning == true && $0.isConverged }
        }
        try FileManager.default.removeItem(atPath: directory.path + "/n3/log-00000001")
        let laboratory = try started(.init(dataDirectory: directory.path))
        defer { laboratory.close() }
        picture = Picture()
        try follow(laboratory, &picture) { $0[NodeID(1)]?.isRunning == true && $0[NodeID(3)]?.failure != nil }
        #expect(picture[NodeID(3)]?.failure?.contains("the log's files are missing") == true)
    }

    @Test("a port in use is said so")
    func portInUse() throws {
        let first = try started(.init(nodes: 1))
        defer { first.close() }
        var picture = Picture()
        try follow(first, &picture) { $0[NodeID(1)]?.port != nil }
        let port = try #require(picture[NodeID(1)]?.port)
        let second = try started(.init(nodes: 1, basePort: port))
        defer { second.close() }
        picture = Picture()
        try follow(second, &picture) { $0[NodeID(1)]?.failure != nil }
        #expect(
            picture[NodeID(1)]?.failure
                == "n1 can't listen on 127.0.0.1:\(port): Address already in use; choose another port")
    }

    @Test("while the clock stands still the cluster falls quiet and stays so")
    func quiet() throws {
        let laboratory = try started(.init(nodes: 5, latency: .milliseconds(1) ... .milliseconds(5)))
        defer { laboratory.close() }
        var picture = Picture()
        try follow(laboratory, &picture) { $0.leader != nil }
        try laboratory.perform(.freeze, seeing: Picture())
        try follow(laboratory, &picture) { $0.rate == 0 }
        while !laboratory.isQuiet() {}
        _ = laboratory.takeEvents()
        let frozenAt = laboratory.now
        #expect(laboratory.isQuiet())
        #expect(laboratory.takeEvents().isEmpty, "nothing happens")
        #expect(laboratory.now == frozenAt)
        try laboratory.perform(.thaw, seeing: Picture())
        try follow(laboratory, &picture) { $0.rate == 1 && $0.now > frozenAt + .milliseconds(100) }
    }

    @Test("a fault is taken back by undo, the last one first, and a wiped disk comes back with all that it held")
    func undo() throws {
        let laboratory = try started(.init(nodes: 3))
        defer { laboratory.close() }
        var picture = Picture()
        try follow(laboratory, &picture) { $0.isConverged && $0.leader != nil }
        let log = picture[NodeID(2)]?.log.runs
        for line in ["cut 1-3", "pause 1", "wipe 2"] { try laboratory.perform(command(line), seeing: Picture()) }
        try follow(laboratory, &picture) { $0[NodeID(2)]?.isRunning == false }
        #expect(picture[NodeID(2)]?.log.runs == [])
        try laboratory.perform(.undo, seeing: Picture())
        try follow(laboratory, &picture) { $0[NodeID(2)]?.isRunning == true }
        #expect(picture[NodeID(2)]?.log.runs.first == log?.first)
        #expect(picture[NodeID(2)]?.incarnation == .first)
        try laboratory.perform(.undo, seeing: Picture())
        try follow(laboratory, &picture) { $0[NodeID(1)]?.isPaused == false }
        try laboratory.perform(.undo, seeing: Picture())
        try follow(laboratory, &picture) { !$0.link(from: NodeID(1), to: NodeID(3)).isCut }
        #expect(throws: Refusal("there is no fault to take back")) { try laboratory.perform(.undo, seeing: Picture()) }
    }

    @Test("a reset makes the same cluster fresh: empty logs, whole links, the clock as it was")
    func reset() throws {
        let laboratory = try started(.init(nodes: 3))
        defer { laboratory.close() }
        var picture = Picture()
        try follow(laboratory, &picture) { $0.leader.map { $0.commit > .zero } ?? false }
        try laboratory.perform(.members(adding: [NodeID(4)], removing: []), seeing: picture)
        try follow(laboratory, &picture) { $0[NodeID(4)]?.isRunning == true }
        for line in ["set x 1", "cut 1-2", "kill 3", "freeze"] {
            try laboratory.perform(command(line), seeing: Picture())
        }
        try follow(laboratory, &picture) { $0.rate == 0 }
        try laboratory.perform(.reset, seeing: Picture())
        try follow(laboratory, &picture) { $0.leader != nil && $0.isConverged }
        #expect(picture.nodes.allSatisfy { $0.store.isEmpty && $0.isRunning && $0.term < Term(5) })
        #expect(picture.nodes.count == 3, "who joined is gone")
        #expect(picture.links.values.allSatisfy { !$0.isCut })
        try laboratory.perform(command("incr n"), seeing: Picture())
        try follow(laboratory, &picture) { $0.lastReturn != nil }
        #expect(picture.lastReturn?.result == .value(Array("1".utf8)))
    }

    @Test("what can't be done is refused with a reason, and changes nothing")
    func refusals() throws {
        let laboratory = try started(.init(nodes: 3))
        defer { laboratory.close() }
        var picture = Picture()
        try follow(laboratory, &picture) { $0.leader != nil }
        for (line, reason) in [
            ("revive 1", "n1 runs already"), ("resume 1", "n1 isn't paused"), ("kill 7", "no node 7 in a cluster of 3"),
            ("heal", "heal changes nothing: nothing is cut there"), ("thaw", "the clock isn't frozen"),
            ("set x 1 retry", "that is not c1's last write, so it can't be sent again"),
            ("undo", "there is no fault to take back"), ("kill 1 9", "no node 9 in a cluster of 3"),
        ] {
            #expect(throws: Refusal(reason)) { try laboratory.perform(command(line), seeing: Picture()) }
        }
        #expect(throws: Refusal("nobody leads now")) {
            try laboratory.perform(command("kill leader"), seeing: Picture())
        }
        try laboratory.perform(command("kill 1"), seeing: Picture())
        #expect(throws: Refusal("n1 is down already")) { try laboratory.perform(command("kill 1"), seeing: Picture()) }
        #expect(throws: Refusal("n1 is down")) { try laboratory.perform(command("timeout 1"), seeing: Picture()) }
    }

    @Test("servers that are killed and revived in a hurry end as they were last told to", arguments: 0..<10)
    func hurry(seed: UInt64) throws {
        let laboratory = try started(.init(nodes: 3))
        defer { laboratory.close() }
        var picture = Picture()
        var random = Generator(seed: seed)
        try follow(laboratory, &picture) { $0.leader != nil }
        for _ in 0..<60 {
            let node = 1 + random.below(3)
            let action = ["kill", "power", "revive", "pause", "resume", "wipe", "undo"][Int(random.below(7))]
            _ = try? laboratory.perform(command(action == "undo" ? action : "\(action) \(node)"), seeing: Picture())
        }
        for node in 1...3 {
            for action in ["resume", "revive"] {
                _ = try? laboratory.perform(command("\(action) \(node)"), seeing: Picture())
            }
        }
        try follow(laboratory, &picture) { $0.nodes.allSatisfy { $0.isRunning && !$0.isPaused } }
        #expect(picture.nodes.allSatisfy { $0.failure == nil && $0.halted == nil })
    }

    @Test("what is ordered of a server that is still starting is done when it has started")
    func ordersWhileStarting() throws {
        let laboratory = try started(.init(nodes: 3))
        defer { laboratory.close() }
        var picture = Picture()
        try laboratory.perform(command("pause 1"), seeing: Picture())
        try laboratory.perform(command("kill 2"), seeing: Picture())
        try follow(laboratory, &picture) { $0[NodeID(3)]?.isRunning == true }
        #expect(picture[NodeID(1)]?.isPaused == true)
        #expect(picture[NodeID(2)]?.isRunning == false)
        for line in ["resume 1", "revive 2", "reset", "kill 3", "cut 1-2", "freeze"] {
            try laboratory.perform(command(line), seeing: Picture())
        }
        try follow(laboratory, &picture) { $0.rate == 0 }
        #expect(picture[NodeID(3)]?.isRunning == false)
        #expect(picture.link(from: NodeID(1), to: NodeID(2)).isCut)
    }

    @Test("a server whose port was taken while it was down listens on another, and its peers find it")
    func takenPort() throws {
        let laboratory = try started(.init(nodes: 3))
        defer { laboratory.close() }
        var picture = Picture()
        try follow(laboratory, &picture) { $0.leader != nil && $0.isConverged }
        var port: Int?
        var squatter: LiveCluster?
        defer { squatter?.close() }
        while squatter == nil {
            port = picture[NodeID(1)]?.port
            try laboratory.perform(command("kill 1"), seeing: Picture())
            try follow(laboratory, &picture) { $0[NodeID(1)]?.isRunning == false }
            let other = try started(.init(nodes: 1, basePort: port))
            var seen = Picture()
            try follow(other, &seen) { $0.leader != nil || $0[NodeID(1)]?.failure != nil }
            // Another test may have been quicker, and may go away again.
            if seen.leader != nil { squatter = other } else { other.close() }
            try laboratory.perform(command("revive 1"), seeing: Picture())
            try follow(laboratory, &picture) { $0[NodeID(1)]?.isRunning == true && $0.leader != nil && $0.isConverged }
        }
        #expect(picture[NodeID(1)]?.port != port)
    }
}

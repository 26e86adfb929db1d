import Histogram
import KeyValue
import NIOCore
import RaftCore
import RaftNode
import RaftTrace

/// Clients that write without a rest: each has one write out, and begins the next when it is answered. They live on an
/// event loop of their own, and what they ask together goes to the leader's loop together.
final class ClosedLoop {
    /// A client with a session of its own, so that each of its writes is done once.
    private struct Writer {
        let session: String
        let operation: KeyValue.Operation
        var sequence: UInt64 = 0
        /// Whether a write was answered, so that the cluster knows the session.
        var isKnown = false
        /// When its write was sent, in nanoseconds.
        var start: UInt64 = 0
    }

    private let loop: any EventLoop
    private let hosts: [NodeID: HostReference]
    private let nodes: [NodeID]
    private var leader: NodeID
    private var writers: [Writer]
    private var isOver = false
    /// When another server may be taken in turn: those who ask the same one are not to go different ways.
    private var nextTurn = NIODeadline.now()
    private var record = Record()

    /// What was seen since it was looked at last.
    struct Record: Sendable {
        var latencies = Histogram<UInt64>(highestTrackableValue: ClosedLoop.latencyMax)
        var failures = 0
        var firstFailure: String?
    }

    /// The longest time that is told from a longer one, in nanoseconds.
    private static let latencyMax: UInt64 = 60_000_000_000
    /// How long to wait before asking again where nobody leads.
    private static let pause = TimeAmount.milliseconds(20)

    init(
        loop: any EventLoop, hosts: [NodeID: HostReference], leader: NodeID, clients: Int, valueSize: Int
    ) {
        self.loop = loop
        self.hosts = hosts
        self.leader = leader
        nodes = hosts.keys.sorted()
        let value = Bytes(repeating: UInt8(ascii: "v"), count: valueSize)
        writers = (1...clients).map { number in
            Writer(session: "w\(number)", operation: .set(key: Bytes("w\(number)".utf8), value: value))
        }
    }

    /// Lets all clients begin.
    func start() { write(writers.indices.map { $0 }) }

    /// Lets nobody begin another write.
    func end() { isOver = true }

    /// What was seen since this was called last.
    func takeRecord() -> Record {
        defer { record = Record() }
        return record
    }

    /// Brings answers from the servers' loops to this one.
    private lazy var replies = {
        let box = NIOLoopBound(self, eventLoop: loop)
        return ReplyChannel { [loop] replies in
            loop.execute { box.value.take(replies) }
        }
    }()

    private func write(_ places: [Int]) {
        guard !isOver, let host = hosts[leader] else { return }
        let now = NIODeadline.now().uptimeNanoseconds
        var requests: [ClientRequest] = []
        requests.reserveCapacity(places.count)
        for place in places { requests.append(next(place, at: now)) }
        host.execute { [replies, requests] in $0.submit(requests, to: replies) }
    }

    private func next(_ place: Int, at now: UInt64) -> ClientRequest {
        writers[place].sequence += 1
        writers[place].start = now
        let writer = writers[place]
        let command = SessionCommand(
            client: writer.session, sequence: writer.sequence, firstIncomplete: writer.isKnown ? writer.sequence : 1,
            operation: writer.operation)
        return ClientRequest(id: UInt64(place), kind: .write(command))
    }

    private func take(_ replies: [Reply]) {
        let now = NIODeadline.now().uptimeNanoseconds
        var answered: [Int] = []
        answered.reserveCapacity(replies.count)
        var failed: [Reply] = []
        for reply in replies {
            let place = Int(reply.id)
            if case .ok = reply.result {
                writers[place].isKnown = true
                record.latencies.record(min(now - writers[place].start, ClosedLoop.latencyMax))
                answered.append(place)
            } else {
                failed.append(reply)
            }
        }
        if !answered.isEmpty { write(answered) }
        if !failed.isEmpty { fail(failed) }
    }

    /// Writes came to nothing, or to nobody knows what: their clients begin the next after a pause, all at one server.
    private func fail(_ replies: [Reply]) {
        guard !isOver else { return }
        record.failures += replies.count
        record.firstFailure = record.firstFailure ?? "\(replies[0].result)"
        if case .notLeader(let known?) = replies[0].result {
            leader = known
        } else if nextTurn <= .now() {
            leader = nodes.first { $0 > leader } ?? nodes[0]
            nextTurn = .now() + ClosedLoop.pause
        }
        let box = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: ClosedLoop.pause) { [places = replies.map { Int($0.id) }] in box.value.write(places) }
    }
}

import Histogram
import NIOCore
import RaftCore

/// What clients saw of a cluster that they wrote to without a rest.
public struct Measurement: Sendable {
    /// How many clients there were.
    public var clients: Int
    /// How long it took, in seconds.
    public var seconds: Double
    /// Writes that were answered with `ok`.
    public var writes: Int
    /// Writes that were not.
    public var failures: Int
    /// What the first of them was answered with.
    public var firstFailure: String?
    /// Syncs of all nodes' logs together.
    public var syncs: Int
    /// Messages with entries that leaders sent.
    public var appends: Int
    /// The entries in them.
    public var entriesSent: Int
    private let latencies: Histogram<UInt64>

    /// Writes in a second.
    public var writesPerSecond: Double { Double(writes) / seconds }
    /// Syncs of all nodes' logs together for a write.
    public var syncsPerWrite: Double { Double(syncs) / Double(max(1, writes)) }
    /// Entries in a message that has any.
    public var entriesPerAppend: Double { Double(entriesSent) / Double(max(1, appends)) }

    /// The time from asking to the answer that so many percent of the writes took at most, in microseconds; to three digits.
    public func latency(percentile: Double) -> Double {
        Double(latencies.valueAtPercentile(percentile)) / 1_000
    }

    /// The longest time from asking to the answer, in microseconds.
    public var latencyMax: Double { Double(latencies.max) / 1_000 }

    init(clients: Int, nanoseconds: Int64, _ record: ClosedLoop.Record, _ counters: HostCounters) {
        self.clients = clients
        seconds = Double(nanoseconds) / 1e9
        latencies = record.latencies
        writes = Int(record.latencies.totalCount)
        failures = record.failures
        firstFailure = record.firstFailure
        syncs = counters.syncs
        appends = counters.appends
        entriesSent = counters.entriesSent
    }
}

/// Clients that write to a cluster without a rest, until they are ended.
public final class Writing {
    private let closedLoop: NIOLoopBound<ClosedLoop>
    private let hosts: [HostReference]
    private let clients: Int
    private var start = NIODeadline.now()
    private var counters = HostCounters()

    init(_ closedLoop: NIOLoopBound<ClosedLoop>, hosts: [HostReference], clients: Int) {
        self.closedLoop = closedLoop
        self.hosts = hosts
        self.clients = clients
    }

    /// Forgets what was seen so far: what counts begins now.
    public func restart() throws { _ = try measure() }

    /// What was seen since the beginning, or since this was called last.
    public func measure() throws -> Measurement {
        let record = try closedLoop.eventLoop.submit { [closedLoop] in closedLoop.value.takeRecord() }.wait()
        let now = NIODeadline.now()
        let counters = try hosts.map { try $0.submit { $0.counters }.wait() }.reduce(HostCounters(), +)
        defer { (start, self.counters) = (now, counters) }
        return Measurement(
            clients: clients, nanoseconds: (now - start).nanoseconds, record, counters - self.counters)
    }

    /// Lets nobody begin another write.
    public func end() throws { try closedLoop.eventLoop.submit { [closedLoop] in closedLoop.value.end() }.wait() }
}

extension LiveCluster {
    /// Lets so many clients write to the cluster, each a value of this size to a key of its own, as soon as its last write is
    /// answered. What they ask and are answered is told nobody.
    public func beginWrites(clients: Int, valueSize: Int, leader: NodeID) throws -> Writing {
        let (hosts, loop) = (hosts, self.clients.eventLoop)
        let closedLoop = try loop.submit {
            let closedLoop = ClosedLoop(
                loop: loop, hosts: hosts, leader: leader, clients: clients, valueSize: valueSize)
            closedLoop.start()
            return NIOLoopBound(closedLoop, eventLoop: loop)
        }.wait()
        return Writing(closedLoop, hosts: Array(hosts.values), clients: clients)
    }

    /// Begins or ends to tell what happens on the servers. Whoever begins to listen is told the whole state of each first.
    public func observe(_ isObserved: Bool) {
        for node in nodes { order(node) { host -> Void in host.observe(isObserved) } }
    }
}

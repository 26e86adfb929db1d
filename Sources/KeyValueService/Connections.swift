import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The connections that are open.
final class Connections: Sendable {
    private struct Connection {
        let channel: any Channel
        let idleness: Idleness
    }

    private let open = Mutex<(connections: [ObjectIdentifier: Connection], isEnding: Bool)>(([:], false))
    private let isFull = Atomic(false)
    private let willLookAgain = Atomic(false)
    /// How long a connection may lie idle though others wait for its place.
    private let grace: TimeAmount

    init(grace: Duration) { self.grace = TimeAmount(grace) }

    /// How many there are.
    var count: Int { open.withLock { $0.connections.count } }

    /// One more, until it closes.
    func add(_ channel: any Channel) -> Idleness {
        let id = ObjectIdentifier(channel)
        let idleness = Idleness()
        let isEnding = open.withLock { open in
            open.connections[id] = Connection(channel: channel, idleness: idleness)
            return open.isEnding
        }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0.connections[id] = nil } }
        if isEnding { channel.close(promise: nil) }
        return idleness
    }

    /// Says whether there are as many as there may be.
    func setFull(_ isFull: Bool) { self.isFull.store(isFull, ordering: .relaxed) }

    /// Where there are as many as there may be, closes the one that has lain idle longest: whoever holds connections and
    /// asks nothing keeps nobody out.
    func makeRoom() {
        guard isFull.load(ordering: .relaxed) else { return }
        let longest = open.withLock { open in
            open.connections.values.compactMap { one in one.idleness.since.map { (since: $0, connection: one) } }
                .min { $0.since < $1.since }
        }
        // Where all are busy, the first that is done comes back here.
        guard let (since, connection) = longest else { return }
        guard since + grace <= .now() else { return lookAgain(at: since + grace, on: connection.channel.eventLoop) }
        guard connection.idleness.end(since) else { return makeRoom() }
        connection.channel.close(promise: nil)
    }

    private func lookAgain(at moment: NIODeadline, on loop: any EventLoop) {
        guard !willLookAgain.exchange(true, ordering: .relaxed) else { return }
        loop.scheduleTask(deadline: moment) {
            self.willLookAgain.store(false, ordering: .relaxed)
            self.makeRoom()
        }
    }

    /// Takes no more, and lets each end as soon as it may. Hummingbird says so, too, but those that it has just
    /// accepted don't hear it.
    func end() {
        let channels = open.withLock { open in
            open.isEnding = true
            return open.connections.values.map(\.channel)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    /// Closes them all.
    func closeAll() {
        for connection in open.withLock({ Array($0.connections.values) }) { connection.channel.close(promise: nil) }
    }
}

/// Since when nothing of a request has come over a connection that is all answered; and whether it had to go for that.
final class Idleness: Sendable {
    private static let busy: UInt64 = 0
    private static let ended = UInt64.max
    private let moment = Atomic(NIODeadline.now().uptimeNanoseconds)

    /// Since when; `nil` while there is something to do, and when it is over.
    var since: NIODeadline? {
        let moment = moment.load(ordering: .acquiring)
        return moment == Idleness.busy || moment == Idleness.ended ? nil : .uptimeNanoseconds(moment)
    }

    /// A request has come. Answers whether it is to be done: not where the connection has just been given up.
    func wake() -> Bool { change(to: Idleness.busy) }

    /// Everything is answered.
    func rest() { _ = change(to: NIODeadline.now().uptimeNanoseconds) }

    private func change(to new: UInt64) -> Bool {
        var known = moment.load(ordering: .acquiring)
        while known != Idleness.ended {
            let (isDone, found) = moment.weakCompareExchange(
                expected: known, desired: new, ordering: .acquiringAndReleasing)
            if isDone { return true }
            known = found
        }
        return false
    }

    /// Gives the connection up, if it still lies idle since then.
    func end(_ since: NIODeadline) -> Bool {
        moment.compareExchange(
            expected: since.uptimeNanoseconds, desired: Idleness.ended, ordering: .acquiringAndReleasing
        ).exchanged
    }
}

/// Lets so many connections in at a time; where there are as many, one that lies idle makes room, or further ones wait to
/// be accepted.
struct ConnectionLimit: AvailableConnectionsDelegate {
    let max: Int
    let complaints: Complaints
    let connections: Connections
    private var count = 0

    init(max: Int, complaints: Complaints, connections: Connections) {
        self.max = max
        self.complaints = complaints
        self.connections = connections
    }

    mutating func connectionOpened() {
        count += 1
        if count == max { complaints.note(.tooManyConnections) }
        makeRoom()
    }

    mutating func connectionClosed() {
        count -= 1
        makeRoom()
    }

    private func makeRoom() {
        connections.setFull(count >= max)
        connections.makeRoom()
    }

    func isAcceptingNewConnections() -> Bool { count < max }
}

/// Keeps on accepting where a connection couldn't be: one that was gone again, or one too many for this process, is no
/// reason to stop listening, and Hummingbird stops at an error.
final class AcceptingGuard: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel

    private let complaints: Complaints

    init(complaints: Complaints) { self.complaints = complaints }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { complaints.note(.tooManyConnections) }
}

/// A connection that was accepted. What Hummingbird makes of one must be served, or the process ends; and one that comes
/// just as the listener closes is dropped on its way. So whatever nobody serves is closed.
final class Accepted: ServerChildChannelValue {
    private let unserved: HTTP1Channel.Value
    private let isServed = Atomic(false)

    init(_ unserved: HTTP1Channel.Value) { self.unserved = unserved }

    var channel: any Channel { unserved.channel }

    /// What is to be served now, once.
    func take() -> HTTP1Channel.Value {
        isServed.store(true, ordering: .releasing)
        return unserved
    }

    deinit {
        guard !isServed.load(ordering: .acquiring) else { return }
        Task { [unserved] in try? await unserved.executeThenClose { _, _ in } }
    }
}

/// How a connection is set up and served: as Hummingbird does, but guarded, and all on the loop that it lives on.
struct GuardedChannel: ServerChildChannel {
    let http: HTTP1Channel
    let limits: ServiceLimits
    let complaints: Complaints
    let connections: Connections
    let dates = DateLine()

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Accepted> {
        let idleness = connections.add(channel)
        // Whether it is sent at once is no reason not to serve somebody.
        channel.setOption(.tcpOption(.tcp_nodelay), value: 1).whenComplete { _ in }
        return http.setup(channel: channel, logger: logger).map { unserved in
            do {
                let pipeline = channel.pipeline.syncOperations
                let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
                try pipeline.addHandler(
                    ConnectionGuard(
                        limits: limits, complaints: complaints, dates: dates, connections: connections,
                        idleness: idleness),
                    position: .after(decoder.handler))
            } catch {
                channel.close(promise: nil)
            }
            return Accepted(unserved)
        }
    }

    func handle(value: Accepted, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value.take(), logger: logger)
        }
    }
}

/// Runs tasks on an event loop: what a connection's task does between two waits needs no other thread then, and nobody
/// has to be woken for it.
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

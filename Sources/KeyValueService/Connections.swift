import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The connections that are open.
final class Connections: Sendable {
    private let open = Mutex<(channels: [ObjectIdentifier: any Channel], isEnding: Bool)>(([:], false))

    /// How many there are.
    var count: Int { open.withLock { $0.channels.count } }

    /// One more, until it closes.
    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isEnding = open.withLock { open in
            open.channels[id] = channel
            return open.isEnding
        }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0.channels[id] = nil } }
        if isEnding { channel.close(promise: nil) }
    }

    /// Takes no more, and lets each end as soon as it may. Hummingbird says so, too, but those that it has just
    /// accepted don't hear it.
    func end() {
        let channels = open.withLock { open in
            open.isEnding = true
            return Array(open.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    /// Closes them all.
    func closeAll() {
        for channel in open.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }
}

/// Lets so many connections in at a time; further ones wait to be accepted.
struct ConnectionLimit: AvailableConnectionsDelegate {
    let max: Int
    let complaints: Complaints
    private var count = 0

    init(max: Int, complaints: Complaints) {
        self.max = max
        self.complaints = complaints
    }

    mutating func connectionOpened() {
        count += 1
        if count == max { complaints.note(.tooManyConnections) }
    }

    mutating func connectionClosed() { count -= 1 }

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
        connections.add(channel)
        // Whether it is sent at once is no reason not to serve somebody.
        channel.setOption(.tcpOption(.tcp_nodelay), value: 1).whenComplete { _ in }
        return http.setup(channel: channel, logger: logger).map { unserved in
            do {
                let pipeline = channel.pipeline.syncOperations
                let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
                try pipeline.addHandler(
                    ConnectionGuard(limits: limits, complaints: complaints, dates: dates),
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

import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The connections that are open.
final class Connections: Sendable {
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// How many there are.
    var count: Int { open.withLock { $0.count } }

    /// One more, until it closes.
    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        open.withLock { $0[id] = channel }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0[id] = nil } }
    }

    /// Closes them all.
    func closeAll() {
        for channel in open.withLock({ Array($0.values) }) { channel.close(promise: nil) }
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

/// How a connection is set up and served: as Hummingbird does, but guarded, and all on the loop that it lives on.
struct GuardedChannel: ServerChildChannel {
    let http: HTTP1Channel
    let limits: ServiceLimits
    let complaints: Complaints
    let connections: Connections
    let dates = DateLine()

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        connections.add(channel)
        return http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(
                ConnectionGuard(limits: limits, complaints: complaints, dates: dates),
                position: .after(decoder.handler))
            try channel.syncOptions?.setOption(.tcpOption(.tcp_nodelay), value: 1)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
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

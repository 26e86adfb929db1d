import NIOCore
import NIOPosix
import RaftCore

/// The connection that this server opened to a peer. It is opened again when it breaks: at once when there is something
/// to send, and not more often than a growing pause allows.
final class OutboundConnection {
    private enum State {
        case idle
        case connecting
        case open(any Channel)
        case closed
    }

    private let peer: NodeID
    private var port: Int
    /// Held for as long as this connection has anything to say; the endpoint lets go of it when it closes.
    private let endpoint: Endpoint
    private var state = State.idle
    private var framesSent: UInt64 = 0
    private var framesHandled: UInt64 = 0
    /// The last frame that the peer was asked to say it handled.
    private var frameAsked: UInt64 = 0
    private var needsFlush = false
    private var pause = OutboundConnection.pauseMin
    private var notBefore = NIODeadline.now()

    private static let pauseMin = TimeAmount.milliseconds(5)
    private static let pauseMax = TimeAmount.seconds(1)
    /// How many bytes may wait in this process to be sent.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 20, high: 16 << 20)

    init(to peer: NodeID, port: Int, endpoint: Endpoint) {
        self.peer = peer
        self.port = port
        self.endpoint = endpoint
    }

    /// The peer listens on `port`, and since when. A connection that was opened before is one to a life that is over, even
    /// if the end of it has not been read yet.
    func move(to port: Int, since: NIODeadline?) {
        guard port != self.port || since.map({ triedAt < $0 }) == true else { return }
        self.port = port
        guard case .open(let channel) = state else { return }
        state = .idle
        framesHandled = framesSent
        channel.close(promise: nil)
    }

    /// Whether the peer was heard to be up while a try was under way, which may have come too early for it.
    private var isHeardUp = false

    /// Connects at once, whatever happened before; where a try is under way and fails, right after it.
    func connectSoon() {
        pause = OutboundConnection.pauseMin
        notBefore = .now()
        if case .connecting = state { isHeardUp = true }
        connect()
    }

    /// Done when the latest try to connect is, however it ended, and one that came right after it, too.
    private(set) var attempt: EventLoopFuture<Void>?
    /// When the latest one began.
    private var triedAt = NIODeadline.now()

    /// Connects, unless that is under way or was tried too recently.
    func connect() {
        guard case .idle = state, NIODeadline.now() >= notBefore else { return }
        state = .connecting
        triedAt = .now()
        let attempt = endpoint.loop.makePromise(of: Void.self)
        self.attempt = attempt.futureResult
        let box = NIOLoopBound(self, eventLoop: endpoint.loop)
        ClientBootstrap(group: endpoint.loop)
            .connectTimeout(.seconds(1))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: OutboundConnection.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(OutboundHandler(connection: box.value))
                }
            }
            .connect(to: .loopback(port: port))
            .whenComplete { result in
                box.value.connected(result)
                if case .connecting = box.value.state, let next = box.value.attempt {
                    next.cascade(to: attempt)
                } else {
                    attempt.succeed()
                }
            }
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        switch (result, state) {
        case (.success(let channel), .connecting):
            state = .open(channel)
            isHeardUp = false
            framesSent = 0
            framesHandled = 0
            frameAsked = 0
            let hello = Hello(
                cluster: endpoint.cluster, from: endpoint.node, incarnation: endpoint.incarnation, to: peer)
            write(.hello(hello), to: channel)
            flush()
        case (.success(let channel), _): channel.close(promise: nil)
        case (.failure, .connecting): broke()
        case (.failure, _): break
        }
    }

    /// A connection is gone; one that has been replaced doesn't count.
    func broke(_ channel: any Channel) {
        guard case .open(let current) = state, current === channel else { return }
        broke()
    }

    private func broke() {
        state = .idle
        framesHandled = framesSent
        notBefore = .now() + pause
        pause = min(pause + pause, OutboundConnection.pauseMax)
        guard isHeardUp else { return }
        isHeardUp = false
        connectSoon()
    }

    func close() {
        if case .open(let channel) = state { channel.close(promise: nil) }
        state = .closed
    }

    // MARK: - Sending

    func send(_ message: Message, number: UInt64, wantsHandled: Bool) -> Endpoint.Sending {
        guard case .open(let channel) = state else {
            connect()
            return .unreachable
        }
        guard channel.isWritable else { return .full }
        framesSent += 1
        if wantsHandled { frameAsked = framesSent }
        let form = MessageForm(term: message.term, body: message.body)
        write(.message(frame: framesSent, number: number, wantsHandled: wantsHandled, form), to: channel)
        return .sent
    }

    /// Whether the peer has not yet said that it handled everything.
    var isAwaitingHandled: Bool { framesHandled < framesSent }

    /// Asks how far the peer is, unless that is on its way.
    func fence() {
        guard case .open(let channel) = state, frameAsked < framesSent else { return }
        frameAsked = framesSent
        write(.fence, to: channel)
        flush()
    }

    func flush() {
        guard needsFlush, case .open(let channel) = state else { return }
        needsFlush = false
        channel.flush()
    }

    private func write(_ frame: Frame, to channel: any Channel) {
        var buffer = channel.allocator.buffer(capacity: 128)
        frame.write(into: &buffer)
        channel.write(buffer, promise: nil)
        needsFlush = true
    }

    // MARK: - Receiving

    /// Takes a frame that came back. Answers whether the connection is still of use.
    func receive(_ frame: Frame) -> Bool {
        switch frame {
        case .welcome(let welcome):
            guard welcome == Welcome(cluster: endpoint.cluster, node: peer) else { return false }
            pause = OutboundConnection.pauseMin
            return true
        case .handled(let number):
            framesHandled = max(framesHandled, min(number, framesSent))
            return true
        case .refusal(let reason):
            endpoint.delegate?.endpoint(endpoint, closedConnectionBecause: "\(peer) refused: \(reason)")
            pause = OutboundConnection.pauseMax
            return false
        case .hello, .message, .fence: return false
        }
    }

    func complain(_ reason: String) {
        endpoint.delegate?.endpoint(endpoint, closedConnectionBecause: "\(peer) sent \(reason)")
    }
}

/// Reads what comes back over an outbound connection.
private final class OutboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: OutboundConnection
    private let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder(sizeMax: 4_096))

    init(connection: OutboundConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { bytes in
                guard connection.receive(try Frame(bytes)) else { throw FrameError.unreadable("unexpected") }
            }
        } catch {
            connection.complain("\(error)")
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { connection.broke(context.channel) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

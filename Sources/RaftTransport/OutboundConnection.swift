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

    /// A request that waits for its answer, until nobody does any more.
    private struct Asked {
        let end: Instant
        let answer: (Result<ByteBuffer, Endpoint.AskingFailure>) -> Void
    }

    private let peer: NodeID
    private var address: Address
    /// Held for as long as this connection has anything to say; the endpoint lets go of it when it closes.
    private let endpoint: Endpoint
    private var state = State.idle
    /// What the present connection began with, and whether the peer has said since that it is the one.
    private var hello: Hello?
    private(set) var isWelcome = false
    /// Whether it has shown that it knows the cluster's secret.
    private var isProven = false
    private var asked: [UInt64: Asked] = [:]
    private var lastAsked: UInt64 = 0
    /// No request before this one waits for its answer.
    private var firstAsked: UInt64 = 1
    private var calls: UInt64 = 0
    private var framesSent: UInt64 = 0
    private var framesHandled: UInt64 = 0
    /// The last frame that the peer was asked to say it handled.
    private var frameAsked: UInt64 = 0
    private var needsFlush = false
    private var pause = OutboundConnection.pauseMin
    private var notBefore = NIODeadline.now()

    /// How many requests may wait for their answers.
    private static let askedMax = 8_192
    private static let pauseMin = TimeAmount.milliseconds(5)
    private static let pauseMax = TimeAmount.seconds(1)
    /// How many bytes may wait in this process to be sent.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 20, high: 16 << 20)

    init(to peer: NodeID, at address: Address, endpoint: Endpoint) {
        self.peer = peer
        self.address = address
        self.endpoint = endpoint
    }

    /// The peer listens at `address`, and since when. A connection that was opened before is one to a life that is over,
    /// even if the end of it has not been read yet.
    func move(to address: Address, since: NIODeadline?) {
        guard address != self.address || since.map({ triedAt < $0 }) == true else { return }
        self.address = address
        guard case .open(let channel) = state else { return }
        state = .idle
        framesHandled = framesSent
        giveUpAsking()
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
        guard case .idle = state, NIODeadline.now() >= notBefore, let place = try? address.socketAddress() else {
            return
        }
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
                    let connection = box.value
                    try channel.pipeline.syncOperations.addHandlers(
                        SilenceWatch { connection.complainOfSilence() }, OutboundHandler(connection: connection))
                }
            }
            .connect(to: place)
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
            var hello = Hello(
                cluster: endpoint.cluster, from: endpoint.node, incarnation: endpoint.incarnation, to: peer,
                face: endpoint.face, nonce: endpoint.secret == nil ? [] : Secret.nonce())
            calls += 1
            (hello.life, hello.call) = (endpoint.number, calls)
            self.hello = hello
            (isWelcome, isProven) = (false, false)
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
        // Of two calls that cross, the peer may have kept the wrong one: it is called again before there is something to
        // say, for the first message to somebody who isn't connected is lost.
        let box = NIOLoopBound(self, eventLoop: endpoint.loop)
        let delay = max(.zero, notBefore - .now())
        endpoint.loop.scheduleTask(in: delay) { box.value.connect() }
    }

    private func broke() {
        state = .idle
        framesHandled = framesSent
        giveUpAsking()
        notBefore = .now() + pause
        pause = min(pause + pause, OutboundConnection.pauseMax)
        guard isHeardUp else { return }
        isHeardUp = false
        connectSoon()
    }

    func close() {
        if case .open(let channel) = state { channel.close(promise: nil) }
        state = .closed
        giveUpAsking()
    }

    /// Whether what is sent now goes to the peer and nobody else: without a secret that is taken on trust, as it is that
    /// this machine is ours.
    private var mayTalk: Bool { isWelcome || endpoint.secret == nil }

    // MARK: - Sending

    func send(_ message: Message, number: UInt64, wantsHandled: Bool) -> Endpoint.Sending {
        guard case .open(let channel) = state else {
            connect()
            return .unreachable
        }
        guard mayTalk else { return .unreachable }
        guard channel.isWritable else { return .full }
        framesSent += 1
        if wantsHandled { frameAsked = framesSent }
        let form = MessageForm(term: message.term, body: message.body)
        write(.message(frame: framesSent, number: number, wantsHandled: wantsHandled, form), to: channel)
        return .sent
    }

    /// Asks something of the peer. Requests that are sent together go together.
    func ask(
        _ request: ByteBuffer, until end: Instant,
        answer: @escaping (Result<ByteBuffer, Endpoint.AskingFailure>) -> Void
    ) {
        guard case .open(let channel) = state, isWelcome, channel.isWritable, asked.count < OutboundConnection.askedMax
        else {
            connect()
            return answer(.failure(.unreachable))
        }
        lastAsked += 1
        asked[lastAsked] = Asked(end: end, answer: answer)
        let isFlushDue = needsFlush
        write(.request(number: lastAsked, request), to: channel)
        guard !isFlushDue else { return }
        let box = NIOLoopBound(self, eventLoop: endpoint.loop)
        endpoint.loop.execute { box.value.flush() }
    }

    private func giveUpAsking() {
        let waiting = asked
        asked = [:]
        firstAsked = lastAsked + 1
        for number in waiting.keys.sorted() { waiting[number]?.answer(.failure(.broken)) }
    }

    /// Gives up the requests for whose answers nobody waits any more. Who asks later waits longer: it ends at the first
    /// that somebody waits for.
    func giveUpAsking(endedBy now: Instant) {
        while firstAsked <= lastAsked {
            if let oldest = asked[firstAsked] {
                guard oldest.end <= now else { return }
                asked[firstAsked] = nil
                oldest.answer(.failure(.broken))
            }
            firstAsked += 1
        }
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
            guard welcome.cluster == endpoint.cluster, welcome.node == peer, hasProof else { return false }
            isWelcome = true
            endpoint.learn(welcome.face, of: peer)
            pause = OutboundConnection.pauseMin
            return true
        case .handled(let number):
            framesHandled = max(framesHandled, min(number, framesSent))
            return true
        case .refusal(let reason):
            endpoint.delegate?.endpoint(endpoint, closedConnectionBecause: "\(peer) refused: \(reason)")
            pause = OutboundConnection.pauseMax
            return false
        case .challenge(let nonce, let proof): return answer(nonce, proof)
        case .reply(let number, let bytes):
            asked.removeValue(forKey: number)?.answer(.success(bytes))
            return true
        case .hello, .proof, .message, .fence, .request: return false
        }
    }

    /// Whether the peer has shown that it knows the secret, if there is one.
    private var hasProof: Bool { endpoint.secret == nil || isProven }

    /// Shows that this server knows the secret to a peer that has shown the same.
    private func answer(_ nonce: [UInt8], _ proof: [UInt8]) -> Bool {
        guard case .open(let channel) = state, let hello, let secret = endpoint.secret, !isProven,
            secret.accepts(proof, of: .called, hello, nonce)
        else {
            let reason = "\(peer) doesn't know this cluster's secret"
            endpoint.delegate?.endpoint(endpoint, closedConnectionBecause: reason)
            pause = OutboundConnection.pauseMax
            return false
        }
        isProven = true
        write(.proof(secret.proof(of: .caller, hello, nonce)), to: channel)
        flush()
        return true
    }

    func complain(_ reason: String) {
        endpoint.delegate?.endpoint(endpoint, closedConnectionBecause: "\(peer) sent \(reason)")
    }

    func complainOfSilence() {
        let silence = SilenceWatch.silenceMax.nanoseconds / 1_000_000_000
        endpoint.delegate?.endpoint(
            endpoint,
            closedConnectionBecause: "\(peer) can't be reached: it acknowledged nothing for \(silence) seconds")
    }
}

/// Reads what comes back over an outbound connection.
private final class OutboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: OutboundConnection
    private let decoder = FrameDecoder(sizeMax: 4_096)
    private let processor: NIOSingleStepByteToMessageProcessor<FrameDecoder>

    init(connection: OutboundConnection) {
        self.connection = connection
        processor = NIOSingleStepByteToMessageProcessor(decoder)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { bytes in
                guard connection.receive(try Frame(bytes)) else { throw FrameError.unreadable("unexpected") }
                if connection.isWelcome { decoder.sizeMax = Frame.sizeMax }
            }
        } catch {
            connection.complain("\(error)")
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { connection.broke(context.channel) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

import DequeModule
import NIOCore
import RaftCore

/// A connection that a peer opened. It must say first who it is; then it carries that peer's messages.
final class InboundConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let channel: any Channel
    /// Held for as long as this connection has anything to say; the endpoint lets go of it when it closes.
    private let endpoint: Endpoint
    private let decoder: FrameDecoder
    private let processor: NIOSingleStepByteToMessageProcessor<FrameDecoder>
    private var caller: Hello?
    /// A caller that has yet to prove that he knows the secret, and what he was asked.
    private var claimant: (hello: Hello, nonce: [UInt8])?
    private var needsFlush = false
    private var handled: UInt64 = 0
    private var owesHandled = false
    /// Frames that were read when the server stopped taking messages.
    private var waiting = Deque<ByteBuffer>()
    private var greeting: Scheduled<Void>?

    /// How long a connection may take to say who it is.
    private static let greetingMax = TimeAmount.seconds(2)

    init(channel: any Channel, endpoint: Endpoint) {
        self.channel = channel
        self.endpoint = endpoint
        decoder = FrameDecoder(sizeMax: Frame.helloSizeMax)
        processor = NIOSingleStepByteToMessageProcessor(decoder)
    }

    /// Who called, once it has said so.
    var peer: NodeID? { caller?.from }

    /// Whether the same life of the caller has opened it after the one that began with `hello`.
    func isLater(than hello: Hello) -> Bool {
        caller.map { $0.from == hello.from && $0.life == hello.life && $0.call > hello.call } ?? false
    }

    func channelActive(context: ChannelHandlerContext) {
        let box = NIOLoopBound(self, eventLoop: context.eventLoop)
        greeting = context.eventLoop.scheduleTask(in: InboundConnection.greetingMax) {
            if box.value.caller == nil { box.value.close() }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { bytes in
                if endpoint.isReading || caller == nil { try take(bytes) } else { waiting.append(bytes) }
            }
        } catch {
            fail(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endpoint.delegate?.endpointFinishedReading(endpoint)
        sayHandled()
    }

    func channelInactive(context: ChannelHandlerContext) {
        greeting?.cancel()
        endpoint.forget(self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func close() { channel.close(promise: nil) }

    /// Stops or goes on reading; what was read and has waited comes first.
    func setReading(_ isReading: Bool) {
        if isReading {
            do {
                while let bytes = waiting.popFirst() { try take(bytes) }
            } catch {
                return fail(error)
            }
            endpoint.delegate?.endpointFinishedReading(endpoint)
            sayHandled()
        }
        channel.setOption(.autoRead, value: isReading).whenComplete { _ in }
    }

    private func take(_ bytes: ByteBuffer) throws {
        let frame = try Frame(bytes)
        guard let caller else { return try greet(frame) }
        switch frame {
        case .message(let number, let shown, let wantsHandled, let form):
            let message = Message(
                from: caller.from, incarnation: caller.incarnation, to: endpoint.node, term: form.term,
                body: form.body)
            endpoint.delegate?.endpoint(endpoint, received: message, number: shown)
            handled = number
            owesHandled = owesHandled || wantsHandled
        case .fence: owesHandled = true
        case .request(let number, let bytes):
            let box = NIOLoopBound(self, eventLoop: channel.eventLoop)
            endpoint.delegate?.endpoint(endpoint, asked: bytes, by: caller.from) { answer in
                box.value.reply(number, answer)
            }
        case .hello, .challenge, .proof, .welcome, .refusal, .handled, .reply:
            throw FrameError.unreadable("unexpected")
        }
    }

    private func greet(_ frame: Frame) throws {
        if let claimant { return try hear(frame, from: claimant.hello, claimant.nonce) }
        guard case .hello(let hello) = frame else { throw FrameError.unreadable("no hello") }
        if let reason = endpoint.refusal(of: hello) { return refuse(reason) }
        guard let secret = endpoint.secret else { return accept(hello) }
        let nonce = Secret.nonce()
        claimant = (hello, nonce)
        write(.challenge(nonce: nonce, proof: secret.proof(of: .called, hello, nonce)))
    }

    /// Hears whether a caller knows the secret.
    private func hear(_ frame: Frame, from hello: Hello, _ nonce: [UInt8]) throws {
        guard case .proof(let proof) = frame else { throw FrameError.unreadable("no proof") }
        guard endpoint.secret?.accepts(proof, of: .caller, hello, nonce) == true else {
            endpoint.delegate?.endpoint(
                endpoint, closedConnectionBecause: "\(hello.from) doesn't know this cluster's secret")
            return refuse("\(endpoint.node) has another secret")
        }
        accept(hello)
    }

    private func refuse(_ reason: String) {
        write(.refusal(reason))
        channel.close(promise: nil)
    }

    private func accept(_ hello: Hello) {
        claimant = nil
        // Two calls of a peer may be heard in any order: the later one is what it uses.
        guard !endpoint.hasLater(than: hello) else { return close() }
        caller = hello
        greeting?.cancel()
        decoder.sizeMax = Frame.sizeMax
        write(.welcome(Welcome(cluster: endpoint.cluster, node: endpoint.node, face: endpoint.face)))
        endpoint.greeted(by: hello.from, face: hello.face, on: self)
        // A server that is paused hears who calls, and leaves the rest where it is.
        if !endpoint.isReading { channel.setOption(.autoRead, value: false).whenComplete { _ in } }
    }

    /// Answers a request. Answers that come together are sent together.
    private func reply(_ number: UInt64, _ bytes: ByteBuffer) {
        var buffer = channel.allocator.buffer(capacity: 32 + bytes.readableBytes)
        Frame.reply(number: number, bytes).write(into: &buffer)
        channel.write(buffer, promise: nil)
        guard !needsFlush else { return }
        needsFlush = true
        let box = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.eventLoop.execute {
            box.value.needsFlush = false
            box.value.channel.flush()
        }
    }

    private func sayHandled() {
        guard owesHandled else { return }
        owesHandled = false
        write(.handled(frame: handled))
    }

    private func write(_ frame: Frame) {
        var buffer = channel.allocator.buffer(capacity: 32)
        frame.write(into: &buffer)
        channel.writeAndFlush(buffer, promise: nil)
    }

    private func fail(_ error: any Error) {
        let who = peer.map(\.description) ?? "a stranger"
        endpoint.delegate?.endpoint(endpoint, closedConnectionBecause: "\(who) sent \(error)")
        channel.close(promise: nil)
    }
}

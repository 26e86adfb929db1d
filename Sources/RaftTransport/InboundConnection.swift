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
    private var handled: UInt64 = 0
    private var owesHandled = false
    /// Frames that were read when the server stopped taking messages.
    private var waiting = Deque<ByteBuffer>()
    private var greeting: Scheduled<Void>?

    /// How long a connection may take to say who it is.
    private static let greetingMax = TimeAmount.seconds(5)

    init(channel: any Channel, endpoint: Endpoint) {
        self.channel = channel
        self.endpoint = endpoint
        decoder = FrameDecoder(sizeMax: Frame.helloSizeMax)
        processor = NIOSingleStepByteToMessageProcessor(decoder)
    }

    /// Who called, once it has said so.
    var peer: NodeID? { caller?.from }

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
        case .hello, .welcome, .refusal, .handled: throw FrameError.unreadable("unexpected")
        }
    }

    private func greet(_ frame: Frame) throws {
        guard case .hello(let hello) = frame else { throw FrameError.unreadable("no hello") }
        if let reason = endpoint.refusal(of: hello) {
            write(.refusal(reason))
            channel.close(promise: nil)
            return
        }
        caller = hello
        greeting?.cancel()
        decoder.sizeMax = Frame.sizeMax
        write(.welcome(Welcome(cluster: endpoint.cluster, node: endpoint.node)))
        endpoint.greeted(by: hello.from, on: self)
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

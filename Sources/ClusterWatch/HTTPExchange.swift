import NIOCore
import NIOHTTP1

/// One question and its answer, on a connection of their own.
final class HTTPExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let question: HTTPClient.Question
    private let address: NodeAddress
    private let promise: EventLoopPromise<HTTPClient.Answer>
    private var status = 0
    private var body: [UInt8] = []

    init(_ question: HTTPClient.Question, to address: NodeAddress, _ promise: EventLoopPromise<HTTPClient.Answer>) {
        (self.question, self.address, self.promise) = (question, address, promise)
    }

    func channelActive(context: ChannelHandlerContext) {
        // Who asked may have lost patience: then nobody waits for this connection any more.
        let channel = context.channel
        promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        var head = question.head(to: address)
        head.headers.add(name: "Connection", value: "close")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !question.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: question.body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let bytes):
            guard body.count + bytes.readableBytes <= HTTPClient.bodyMax else {
                return promise.fail(HTTPTrouble.broken("it answers more than anybody can read"))
            }
            body.append(contentsOf: bytes.readableBytesView)
        case .end: promise.succeed(HTTPClient.Answer(status: status, body: body))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(HTTPTrouble.broken(HTTPTrouble.reason(of: error)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HTTPTrouble.broken("the connection broke"))
        context.fireChannelInactive()
    }
}

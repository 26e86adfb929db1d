import NIOCore
import NIOHTTP1

/// Reads a node's `/events` from a connection, as long as there is anything.
final class EventStreamReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// What has come of it.
    enum Step: Sendable {
        /// The node tells.
        case opened
        /// Somebody is there, and has said this much.
        case heard([ServerSentEvents.Record])
        /// It is over.
        case closed(String)
    }

    private let address: NodeAddress
    /// Called on the connection's loop.
    private let tell: (Step) -> Void
    private var parser = ServerSentEvents()
    private var isOpen = false
    private var end: String?

    init(_ address: NodeAddress, tell: @escaping (Step) -> Void) {
        (self.address, self.tell) = (address, tell)
    }

    func channelActive(context: ChannelHandlerContext) {
        let question = HTTPClient.Question(target: "/events", headers: ["Accept": "text/event-stream"])
        context.write(wrapOutboundOut(.head(question.head(to: address))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard head.status == .ok else {
                return leave(context, "it doesn't tell its events (HTTP \(head.status.code))")
            }
            isOpen = true
            tell(.opened)
        case .body(let bytes):
            guard isOpen else { return }
            do throws(ServerSentEvents.Unreadable) {
                tell(.heard(try parser.take(bytes.readableBytesView)))
            } catch {
                leave(context, "it tells what nobody can read")
            }
        case .end: leave(context, "it has ended what it told")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        leave(context, HTTPTrouble.reason(of: error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        tell(.closed(end ?? "the connection broke"))
        context.fireChannelInactive()
    }

    private func leave(_ context: ChannelHandlerContext, _ reason: String) {
        end = end ?? reason
        isOpen = false
        context.close(promise: nil)
    }
}

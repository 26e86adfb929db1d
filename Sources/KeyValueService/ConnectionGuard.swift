import HummingbirdCore
import NIOCore
import NIOHTTP1

/// Watches over one connection: how long a request takes to come, how large it is, how long its answer makes no way,
/// and how the connection ends. It stands between the bytes and Hummingbird, and is confined to the connection's loop.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: ServiceLimits
    private let complaints: Complaints
    private let dates: DateLine
    private let connections: Connections
    private let idleness: Idleness
    private var timer: Scheduled<Void>?

    /// When the request began to come that hasn't come as a whole; a new connection owes one.
    private var requestSince: NIODeadline?
    private var bodyBytes = 0
    /// Whether something of a request came with what is being read.
    private var hasReadPart = false
    /// What came of requests whose answers haven't ended.
    private var unanswered = 0
    private var idleSince = NIODeadline.now()
    private var stuckSince: NIODeadline?
    /// Whether the answer goes on until somebody has had enough of it.
    private var isStream = false
    /// What the next answer must say of the connection.
    private var isLast = false
    private var isOldClient = false
    /// Whether whatever comes is thrown away, for its sender was or will be told that it isn't wanted.
    private var discards = false
    /// Since when the other end is awaited to close the connection.
    private var lingersSince: NIODeadline?

    init(
        limits: ServiceLimits, complaints: Complaints, dates: DateLine, connections: Connections, idleness: Idleness
    ) {
        self.limits = limits
        self.complaints = complaints
        self.dates = dates
        self.connections = connections
        self.idleness = idleness
    }

    func handlerAdded(context: ChannelHandlerContext) {
        requestSince = .now()
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    // MARK: - What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReadPart = true
        guard !discards else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): take(head, context)
        case .body(let chunk):
            bodyBytes += chunk.readableBytes
            context.fireChannelRead(data)
            if bodyBytes > limits.body { refuseRest(context) }
        case .end:
            requestSince = nil
            context.fireChannelRead(data)
        }
    }

    private func take(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard idleness.wake() else {
            discards = true
            return
        }
        var head = head
        requestSince = requestSince ?? .now()
        bodyBytes = 0
        unanswered += 1
        isOldClient = head.version == .http1_0
        if !head.isKeepAlive {
            isLast = true
            // Hummingbird knows the end of a connection by just this.
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        // Other expectations are refused by whoever answers, and an old client can have none (RFC 9110, 10.1.1).
        if isOldClient { head.headers.remove(name: "expect") }
        let isExpecting = head.headers.first(name: "expect")?.lowercased() == "100-continue"
        context.fireChannelRead(wrapInboundOut(.head(head)))
        if length > limits.body {
            refuseRest(context)
        } else if isExpecting, unanswered == 1 {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
    }

    /// Takes nothing more of this connection: the request ends here for whoever answers it, and the answer is the last.
    private func refuseRest(_ context: ChannelHandlerContext) {
        isLast = true
        discards = true
        requestSince = nil
        context.fireChannelRead(wrapInboundOut(.end(nil)))
        // Whoever needed no body to answer may have done so already.
        if unanswered == 0 { close(context: context, mode: .output, promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !hasReadPart, unanswered == 0, requestSince == nil { requestSince = .now() }
        hasReadPart = false
        context.fireChannelReadComplete()
        // Nobody else asks for what is thrown away.
        if discards { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent, isStream || lingersSince != nil {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !discards else { return }
        guard error is HTTPParserError else { return context.fireErrorCaught(error) }
        complaints.note(.garbage)
        isLast = true
        discards = true
        // Whoever reads this request is told, and answers it. Between requests there is nobody.
        guard unanswered == 0 else { return context.fireErrorCaught(error) }
        answerGarbage(context)
    }

    private func answerGarbage(_ context: ChannelHandlerContext) {
        var text = JSONText()
        text.object { $0.field("error", "this is no HTTP request: send GET, POST, PUT or DELETE as HTTP/1.1 has it") }
        let headers = HTTPHeaders([
            ("Content-Type", "application/json"), ("Content-Length", "\(text.line.readableBytes)"),
        ])
        unanswered += 1
        write(
            context: context,
            data: wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .badRequest, headers: headers))),
            promise: nil)
        write(context: context, data: wrapOutboundOut(.body(.byteBuffer(text.line))), promise: nil)
        write(context: context, data: wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: - What goes

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status != .continue else { return context.write(data, promise: promise) }
            head.headers.add(name: "Date", value: dates.now)
            if isLast {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            } else if isOldClient {
                head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
            }
            isStream = head.headers.first(name: "content-type") == EventReaders.contentType
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in self.restIfAnswered() }
            context.write(data, promise: written)
            endAnswer(context)
        }
    }

    /// Where there is nothing more to do, and all of it has left: from here on others may have the connection's place.
    private func restIfAnswered() {
        guard unanswered == 0, !isLast else { return }
        idleness.rest()
        connections.makeRoom()
    }

    private func endAnswer(_ context: ChannelHandlerContext) {
        unanswered -= 1
        isStream = false
        guard unanswered == 0 else { return }
        idleSince = .now()
        guard isLast else { return }
        context.flush()
        close(context: context, mode: .output, promise: nil)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output {
            guard lingersSince == nil else {
                promise?.succeed()
                return
            }
            linger(context)
        }
        context.close(mode: mode, promise: promise)
    }

    /// Waits for the other end to close the connection, and throws away what it still sends: closed at once, a
    /// connection with unread bytes loses the answer that is on its way.
    private func linger(_ context: ChannelHandlerContext) {
        discards = true
        lingersSince = .now()
        timer?.cancel()
        schedule(context)
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stuckSince = context.channel.isWritable ? nil : .now()
        context.fireChannelWritabilityChanged()
    }

    // MARK: - Time

    /// When patience ends, and with what; `nil` where nobody is waited for but ourselves.
    private var deadline: (at: NIODeadline, complaint: Complaint?)? {
        if let lingersSince { return (lingersSince + TimeAmount(limits.linger), nil) }
        if let stuckSince { return (stuckSince + TimeAmount(limits.answer), .slowReader) }
        if unanswered > (requestSince == nil ? 0 : 1) { return nil }
        if let requestSince { return (requestSince + TimeAmount(limits.request), .slowRequest) }
        return (idleSince + TimeAmount(limits.idle), nil)
    }

    /// Looks again when patience may have ended. What is waited for changes with every request, and the timer doesn't:
    /// it comes often enough for the shortest of them.
    private func schedule(_ context: ChannelHandlerContext) {
        let latest = NIODeadline.now() + TimeAmount(min(limits.request, limits.answer, limits.idle))
        let next = min(deadline?.at ?? latest, latest)
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { self.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        guard let deadline, deadline.at <= .now() else { return schedule(context) }
        if let complaint = deadline.complaint { complaints.note(complaint) }
        // What the decoder says of a request that we ourselves have cut off is no news.
        discards = true
        context.close(promise: nil)
    }
}

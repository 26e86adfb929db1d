import HTTPTypes
import HummingbirdCore
import KeyValue
import NIOCore
import NIOHTTP1
import RaftCore
import RaftNode
import RaftTrace

/// What a client sends over HTTP; a ``RaftTrace/Request`` is what it asks the store for.
typealias WebRequest = HummingbirdCore.Request

/// A server's face while it is shown: who asks, whether he may, and which route knows the answer.
struct Face<Node: ServedNode>: Sendable {
    let node: Node
    let limits: ServiceLimits
    /// What whoever disturbs the server must send.
    let token: String?
    let hosts: HostCheck
    let complaints: Complaints
    let metrics = Metrics()
    let readers = EventReaders()
    let connections: Connections

    init(node: Node, options: ServiceOptions) {
        self.node = node
        limits = options.limits
        connections = Connections(grace: options.limits.grace)
        token = options.token
        hosts = HostCheck(host: options.host, names: options.names)
        complaints = Complaints(logger: options.logger, interval: options.limits.complaint)
    }

    /// The answer to a request, whatever it is.
    ///
    /// - Throws: What the connection fails with.
    func respond(to request: WebRequest, on channel: any Channel) async throws -> Response {
        let start = ContinuousClock.now
        let target = Target(request.head.path ?? "/")
        var response: Response
        do {
            response = try await answer(request, target, on: channel)
        } catch let refusal as Refusal {
            if let complaint = refusal.complaint { complaints.note(complaint) }
            response = refusal.response
        }
        if request.method == .head { response = response.createHeadResponse() }
        metrics.count(target.route, response.status, took: .now - start)
        return response
    }

    private func answer(_ request: WebRequest, _ target: Target, on channel: any Channel) async throws -> Response {
        let (method, route) = (request.method, target.route)
        try hosts.check(authority: request.head.authority, isRepeated: request.headers.contains(.host))
        if let expectation = request.headers[.expect], expectation.lowercased() != "100-continue" {
            throw Refusal(
                .expectationFailed,
                "nothing is known of \(Bytes(expectation.utf8).quoted): expect 100-continue, or nothing")
        }
        guard route.methods.contains(method) else { throw Face.refusal(of: method, target) }
        if route.changesState(method) { try hosts.checkOrigin(request.headers, authority: request.head.authority) }
        if let elsewhere = try await redirect(target) { return elsewhere }
        switch route {
        case .set: return try await set(request)
        case .get: return try await get(target)
        case .del: return try await delete(try target.keyParameter(), request)
        case .key: return try await key(request, target)
        case .increment: return try await increment(request, target)
        case .compareAndSet: return try await compareAndSet(request, target)
        case .keys: return try await keys(target)
        case .status: return try await status()
        case .metrics: return await metricsText()
        case .events: return try events(method, on: channel)
        case .fault: return try await fault(request)
        case .index, .other: return index()
        }
    }

    private static func refusal(of method: HTTPRequest.Method, _ target: Target) -> Refusal {
        let route = target.route
        guard !route.methods.isEmpty else {
            return Refusal(
                .notFound, "there is nothing at \(Bytes(target.text.utf8).quoted): GET / lists what there is")
        }
        let methods = route.methods.map(\.rawValue).joined(separator: ", ")
        return Refusal(
            .methodNotAllowed, "\(route.pattern) takes \(methods), and not \(method.rawValue)",
            headers: [.allow: methods])
    }

    /// Where the leader is asked, if whoever asks wants to go there himself, and it is known.
    private func redirect(_ target: Target) async throws -> Response? {
        guard try target.text("redirect") == "1", let status = await node.status() else { return nil }
        guard let leader = status.state.leader, leader != node.id, let address = status.leaderAddress else {
            return nil
        }
        var text = JSONText()
        text.object { $0.field("leader", leader.rawValue) }
        return Response(
            json: text, status: .temporaryRedirect, headers: [.location: "http://\(address)\(target.text)"])
    }

    /// The body of a request, as a whole.
    func body(of request: WebRequest) async throws -> Bytes {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        let tooLarge = Refusal.tooLarge("the body has more than \(limits.body) bytes: send less")
        if let declared, declared > limits.body { throw tooLarge }
        do {
            let body = try await request.body.collect(upTo: limits.body)
            guard declared == nil || declared == body.readableBytes else {
                throw Refusal(
                    .badRequest, "the body ended after \(body.readableBytes) of \(declared ?? 0) bytes: send it whole")
            }
            return Bytes(body.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }

    /// Sends away whoever reads events, and after a while everybody: nobody listens for new connections any more.
    func end(on loop: any EventLoop) {
        readers.end()
        connections.end()
        loop.scheduleTask(in: TimeAmount(limits.ending)) { connections.closeAll() }
    }
}

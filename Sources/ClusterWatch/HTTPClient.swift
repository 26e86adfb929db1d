import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks nodes over plain HTTP/1.1, a connection for each question. Nobody waits here: whoever asks is told on an event
/// loop.
struct HTTPClient: Sendable {
    /// Where connections live.
    let loop: any EventLoop

    /// What is asked.
    struct Question: Sendable {
        var method = HTTPMethod.GET
        /// The path with what follows it, percent-encoded.
        var target: String
        var headers: [String: String] = [:]
        var body: [UInt8] = []
    }

    /// What is answered.
    struct Answer: Hashable, Sendable {
        var status: Int
        var body: [UInt8]
    }

    /// The largest body that is taken.
    static let bodyMax = 16 << 20
    /// How long a connection may take to be there.
    static let connecting = TimeAmount.seconds(2)

    /// Asks a node, and hands over its answer.
    ///
    /// - Parameter patience: How long an answer may take in all.
    func ask(
        _ question: Question, of address: NodeAddress, within patience: TimeAmount = .seconds(2)
    ) -> EventLoopFuture<Answer> {
        let promise = loop.makePromise(of: Answer.self)
        connect(to: address) { HTTPExchange(question, to: address, promise) }.whenFailure { error in
            promise.fail(HTTPTrouble.unreachable(HTTPTrouble.reason(of: error)))
        }
        let alarm = loop.scheduleTask(in: patience) { promise.fail(HTTPTrouble.silent) }
        promise.futureResult.whenComplete { _ in alarm.cancel() }
        return promise.futureResult
    }

    /// Opens a connection that speaks HTTP, and lets a handler have it.
    func connect<Handler: ChannelInboundHandler>(
        to address: NodeAddress, _ handler: @escaping @Sendable () -> Handler
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: loop)
            .connectTimeout(HTTPClient.connecting)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            .connect(host: address.host, port: address.port)
    }
}

extension HTTPClient.Question {
    /// What stands before the body.
    func head(to address: NodeAddress) -> HTTPRequestHead {
        var fields = HTTPHeaders([("Host", address.authority), ("User-Agent", "raft-tui")])
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { fields.add(name: name, value: value) }
        if !body.isEmpty || method != .GET { fields.add(name: "Content-Length", value: "\(body.count)") }
        return HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: fields)
    }
}

/// Why there is no answer.
enum HTTPTrouble: Error, Hashable, Sendable {
    /// There is no connection: nobody was asked.
    case unreachable(String)
    /// It took too long.
    case silent
    /// The connection broke before the answer was whole.
    case broken(String)

    /// Why, as the end of a sentence.
    var reason: String {
        switch self {
        case .unreachable(let reason), .broken(let reason): reason
        case .silent: "it doesn't answer"
        }
    }

    /// What the system says of an error.
    static func reason(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason(of: $0.error) } ?? "its name is not known"
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercasedFirst
        case is ChannelError: "it doesn't answer"
        case HTTPParserError.invalidEOFState: "the connection broke"
        case is HTTPParserError: "it doesn't speak HTTP"
        default: "\(error)"
        }
    }
}

extension String {
    /// The text as it stands within a sentence.
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

import DequeModule
import NIOCore
import NIOPosix
import RaftCore

/// What an endpoint tells its server. Everything is called on the endpoint's event loop.
public protocol EndpointDelegate: AnyObject {
    /// A message came, with the number by which the screen knows it.
    func endpoint(_ endpoint: Endpoint, received message: Message, number: UInt64)
    /// Everything that had arrived by now was handed over; more may follow.
    func endpointFinishedReading(_ endpoint: Endpoint)
    /// A client asks something of this server that `peer` hands on. `answer` is called once, on the endpoint's loop, or
    /// never; with ``Endpoint/payloadMax`` bytes at most.
    func endpoint(
        _ endpoint: Endpoint, asked request: ByteBuffer, by peer: NodeID, answer: @escaping (ByteBuffer) -> Void)
    /// A connection was closed for a reason worth a line in the log.
    func endpoint(_ endpoint: Endpoint, closedConnectionBecause reason: String)
}

/// One server's side of the network: its listener, and a connection to each of its peers. Confined to its
/// event loop.
public final class Endpoint {
    /// The loop that everything here runs on.
    public let loop: any EventLoop
    /// The number of the cluster.
    public let cluster: UInt64
    /// This server.
    public let node: NodeID
    /// The life of its disk.
    public let incarnation: Incarnation
    /// The servers that may call: those of the cluster, whether or not it is known yet where they listen.
    public var members: Set<NodeID>
    /// What callers must know; `nil` where anybody on this machine may call.
    let secret: Secret?
    /// Where this server's HTTP face is, as `host:port`; empty where it has none.
    public var face: String
    /// Where the others' are, as far as they have said.
    public private(set) var faces: [NodeID: String] = [:]
    /// Tells this life of the server from others.
    let number = UInt64.random(in: .min ... .max)
    weak var delegate: (any EndpointDelegate)?
    private var listener: (any Channel)?
    /// Since when it listens, or is about to; `nil` where it never did.
    public private(set) var listeningSince: NIODeadline?
    private var outbound: [NodeID: OutboundConnection] = [:]
    /// What the members have opened, one each.
    private var inbound: [NodeID: InboundConnection] = [:]
    /// What has not shown yet that a member has opened it; the oldest first.
    private var unproven: Deque<InboundConnection> = []
    /// Whether messages are taken; while they are not, they wait where they are.
    public private(set) var isReading = true
    private var isClosed = false

    /// How many connections at a time may have yet to show whose they are.
    static let unprovenMax = 256
    /// How many connections the system may keep until they are accepted.
    private static let backlog: Int32 = 1_024

    /// The endpoint of `node`; it does nothing yet.
    public init(
        loop: any EventLoop, cluster: UInt64, node: NodeID, incarnation: Incarnation, members: Set<NodeID>,
        secret: Secret? = nil, face: String = "", delegate: any EndpointDelegate
    ) {
        self.loop = loop
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.members = members
        self.secret = secret
        self.face = face
        self.delegate = delegate
    }

    /// Listens on `address`; on any free port where that is zero. Answers the port.
    public func listen(on address: Address) -> EventLoopFuture<Int> {
        let box = NIOLoopBound(self, eventLoop: loop)
        return loop.submit { try address.socketAddress() }.flatMap { box.value.listen(on: $0) }
    }

    private func listen(on address: SocketAddress) -> EventLoopFuture<Int> {
        let box = NIOLoopBound(self, eventLoop: loop)
        listeningSince = .now()
        return ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: Endpoint.backlog)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let connection = box.value.accept(channel) else { return }
                    try channel.pipeline.syncOperations.addHandlers(SilenceWatch(), connection)
                }
            }
            .bind(to: address)
            .flatMapThrowing { channel in
                box.value.listener = channel
                return channel.localAddress?.port ?? address.port ?? 0
            }
    }

    /// Says where a peer listens, and connects to it. Done when that was tried, however it ended.
    ///
    /// - Parameter since: When the peer began to listen, where it has just done so.
    @discardableResult
    public func setPeer(_ peer: NodeID, at address: Address, since: NIODeadline? = nil) -> EventLoopFuture<Void> {
        loop.preconditionInEventLoop()
        if let connection = outbound[peer] {
            connection.move(to: address, since: since)
        } else {
            outbound[peer] = OutboundConnection(to: peer, at: address, endpoint: self)
        }
        outbound[peer]?.connectSoon()
        return outbound[peer]?.attempt ?? loop.makeSucceededVoidFuture()
    }

    /// What became of a message that was to be sent.
    public enum Sending: Sendable {
        /// It is on its way, or will be with the next ``flush()``.
        case sent
        /// There is no connection: the other end is down.
        case unreachable
        /// The other end takes nothing more for now.
        case full
    }

    /// Sends a message to the peer that it is for.
    ///
    /// - Parameter wantsHandled: Whether the receiver is to say when it has handled it.
    public func send(_ message: Message, number: UInt64, wantsHandled: Bool) -> Sending {
        guard let connection = outbound[message.to] else { return .unreachable }
        return connection.send(message, number: number, wantsHandled: wantsHandled)
    }

    /// Why a request is not answered.
    public enum AskingFailure: Error, Sendable {
        /// It was not sent: there is no connection, or no room on it.
        case unreachable
        /// The connection broke before an answer came, or nobody waits for that any more: whether it was handled, nobody
        /// can say.
        case broken
        /// It was not sent: it is larger than ``Endpoint/payloadMax``.
        case oversized
    }

    /// The largest request or answer that goes from one server to another, in bytes.
    public static let payloadMax = Frame.payloadMax

    /// Asks something of a peer, for a client. `answer` is called once.
    ///
    /// - Parameter end: When nobody waits for the answer any more, which may never come. Once that is past, a later request
    ///   to the same peer takes its place.
    public func ask(
        _ request: ByteBuffer, of peer: NodeID, at now: Instant, until end: Instant,
        answer: @escaping (Result<ByteBuffer, AskingFailure>) -> Void
    ) {
        guard request.readableBytes <= Endpoint.payloadMax else { return answer(.failure(.oversized)) }
        guard let connection = outbound[peer] else { return answer(.failure(.unreachable)) }
        connection.giveUpAsking(endedBy: now)
        connection.ask(request, until: end, answer: answer)
    }

    /// Sends what is waiting to be sent.
    public func flush() {
        for connection in outbound.values { connection.flush() }
    }

    /// The peers that have not yet said that they handled everything that was sent to them. Asks those that were not
    /// asked.
    public func awaitedPeers() -> [NodeID] {
        let awaited = outbound.filter { $0.value.isAwaitingHandled }
        for connection in awaited.values { connection.fence() }
        return Array(awaited.keys)
    }

    /// Stops taking messages: they stay in the sockets, and those that were read already wait here.
    public func pause() {
        isReading = false
        for connection in inbound.values { connection.setReading(false) }
    }

    /// Takes messages again, those first that have waited here.
    public func resume() {
        isReading = true
        for connection in inbound.values { connection.setReading(true) }
    }

    /// Closes the listener and every connection, for good. Done when the port is free.
    public func close() -> EventLoopFuture<Void> {
        isClosed = true
        for connection in outbound.values { connection.close() }
        for connection in inbound.values { connection.close() }
        for connection in unproven { connection.close() }
        outbound = [:]
        inbound = [:]
        unproven = []
        guard let listener else { return loop.makeSucceededVoidFuture() }
        self.listener = nil
        return listener.close().flatMapError { [loop] _ in loop.makeSucceededVoidFuture() }
    }

    /// Where a peer's HTTP face is, as it said.
    func learn(_ face: String, of peer: NodeID) { faces[peer] = face.isEmpty ? nil : face }

    // MARK: - Connections

    /// Lets a stranger in. Strangers take places from each other alone, the newcomer from the one who has said nothing for
    /// longest: a member says at once who it is.
    private func accept(_ channel: any Channel) -> InboundConnection? {
        guard !isClosed else {
            channel.close(promise: nil)
            return nil
        }
        if unproven.count >= Endpoint.unprovenMax { unproven.popFirst()?.close() }
        let connection = InboundConnection(channel: channel, endpoint: self)
        unproven.append(connection)
        return connection
    }

    func forget(_ connection: InboundConnection) {
        unproven.removeAll { $0 === connection }
        if let peer = connection.peer, inbound[peer] === connection { inbound[peer] = nil }
    }

    /// Why a hello is not accepted; `nil` where it is.
    func refusal(of hello: Hello) -> String? {
        if hello.cluster != cluster { return "this is another cluster" }
        if hello.to != node { return "this is \(node), not \(hello.to)" }
        if hello.from == node { return "\(node) is this server's own name" }
        if secret == nil, !hello.nonce.isEmpty { return "\(node) was started without the cluster's secret" }
        if secret != nil, hello.nonce.isEmpty { return "this cluster has a secret, and \(hello.from) doesn't know it" }
        if !members.contains(hello.from) { return "\(hello.from) is no member of this cluster" }
        return nil
    }

    /// Whether there is a connection already that the caller has opened after this one.
    func hasLater(than hello: Hello) -> Bool { inbound[hello.from]?.isLater(than: hello) ?? false }

    /// A peer has opened a connection: it is up, so that its own listener can be reached, too.
    func greeted(by peer: NodeID, face: String, on connection: InboundConnection) {
        learn(face, of: peer)
        unproven.removeAll { $0 === connection }
        inbound.updateValue(connection, forKey: peer)?.close()
        outbound[peer]?.connectSoon()
    }
}

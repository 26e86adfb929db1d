import Dispatch
import Glibc
import NIOCore
import NIOPosix
import RaftCore
import Synchronization
import Testing

@testable import RaftTransport

/// What an endpoint told its server. Confined to the endpoint's loop.
final class Recorder: EndpointDelegate {
    var numbers: [UInt64] = []
    var complaints: [String] = []
    var requests = 0
    private var waiting: [(isDone: (Recorder) -> Bool, promise: EventLoopPromise<Void>)] = []

    func endpoint(_ endpoint: Endpoint, received message: Message, number: UInt64) {
        numbers.append(number)
        wake()
    }

    func endpointFinishedReading(_ endpoint: Endpoint) {}

    /// Answers every request with what was asked, backwards; but one that says so never.
    func endpoint(
        _ endpoint: Endpoint, asked request: ByteBuffer, by peer: NodeID, answer: @escaping (ByteBuffer) -> Void
    ) {
        requests += 1
        wake()
        guard request != ByteBuffer(string: "say nothing") else { return }
        answer(ByteBuffer(bytes: request.readableBytesView.reversed()))
    }

    func endpoint(_ endpoint: Endpoint, closedConnectionBecause reason: String) {
        complaints.append(reason)
        wake()
    }

    func until(on loop: any EventLoop, _ isDone: @escaping (Recorder) -> Bool) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        waiting.append((isDone, promise))
        wake()
        return promise.futureResult
    }

    private func wake() {
        waiting.removeAll { waiter in
            guard waiter.isDone(self) else { return false }
            waiter.promise.succeed()
            return true
        }
    }
}

/// A server that only listens and sends, on an event loop of its own.
final class Peer: Sendable {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let node: NodeID
    let port: Int
    private let parts: NIOLoopBound<(endpoint: Endpoint, recorder: Recorder)>

    init(
        _ node: NodeID, cluster: UInt64 = 7, port: Int = 0, secret: Secret? = nil, face: String = ""
    ) throws {
        self.node = node
        let loop = group.next()
        let bound = try loop.submit {
            let recorder = Recorder()
            let endpoint = Endpoint(
                loop: loop, cluster: cluster, node: node, incarnation: .first, members: [n1, n2, n3], secret: secret,
                face: face,
                delegate: recorder)
            return NIOLoopBound((endpoint: endpoint, recorder: recorder), eventLoop: loop)
        }.wait()
        parts = bound
        self.port = try loop.flatSubmit { bound.value.endpoint.listen(on: .loopback(port: port)) }.wait()
    }

    /// A server on a port that had another one before. Whoever got it meanwhile for a connection of his own is waited for.
    static func again(_ node: NodeID, on port: Int) throws -> Peer {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do { return try Peer(node, port: port) } catch let error as IOError {
                guard error.errnoCode == EADDRINUSE, ContinuousClock.now < end else { throw error }
            }
        }
    }

    /// A server on a port that the system seldom gives to anybody by itself, so that it is mostly still free when this one
    /// has closed.
    static func onOwnPort(_ node: NodeID) throws -> Peer {
        while true {
            do { return try Peer(node, port: .random(in: 20_000..<30_000)) } catch let error as IOError {
                guard error.errnoCode == EADDRINUSE else { throw error }
            }
        }
    }

    func on<Value: Sendable>(_ body: @escaping @Sendable (Endpoint) throws -> Value) throws -> Value {
        try group.next().submit { [parts] in try body(parts.value.endpoint) }.wait()
    }

    func connect(to peer: Peer) throws { try on { _ = $0.setPeer(peer.node, at: .loopback(port: peer.port)) } }

    /// Connects in the step of the loop in which `wait` returns, so that nothing that came meanwhile has been read. It answers
    /// since when the peer listens. Done when that was tried.
    func connect(
        to peer: NodeID, port: Int, after wait: @escaping @Sendable () -> NIODeadline?
    ) -> EventLoopFuture<Void> {
        group.next().flatSubmit { [parts] in
            let since = wait()
            return parts.value.endpoint.setPeer(peer, at: .loopback(port: port), since: since)
        }
    }

    /// Sends until the connection is there to take it.
    func send(_ number: UInt64, to peer: NodeID, wantsHandled: Bool = false) throws {
        let message = Message(
            from: node, incarnation: .first, to: peer, term: Term(1),
            body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))
        while true {
            let outcome = try on { endpoint in
                let outcome = endpoint.send(message, number: number, wantsHandled: wantsHandled)
                endpoint.flush()
                return outcome
            }
            if case .sent = outcome { return }
        }
    }

    /// Sends until it is known that nobody is there to take it.
    func sendUntilUnreachable(to peer: NodeID) throws {
        let message = Message(
            from: node, incarnation: .first, to: peer, term: Term(1),
            body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))
        while true {
            if case .unreachable = try on({ $0.send(message, number: 0, wantsHandled: false) }) { return }
        }
    }

    func until(_ isDone: @escaping @Sendable (Recorder) -> Bool) throws {
        let loop = group.next()
        try loop.flatSubmit { [parts] in parts.value.recorder.until(on: loop, isDone) }.wait()
    }

    func numbers() throws -> [UInt64] { try group.next().submit { [parts] in parts.value.recorder.numbers }.wait() }

    func complaints() throws -> [String] {
        try group.next().submit { [parts] in parts.value.recorder.complaints }.wait()
    }

    func close() throws { try group.next().flatSubmit { [parts] in parts.value.endpoint.close() }.wait() }

    /// The last one who holds it may be its own loop, which must not wait for itself.
    deinit { group.shutdownGracefully { _ in } }
}

let n1 = NodeID(1)
let n2 = NodeID(2)
let n3 = NodeID(3)

/// Real connections on 127.0.0.1.
@Suite(.timeLimit(.minutes(10)))
struct EndpointTests {
    private func pair() throws -> (Peer, Peer) {
        let (one, other) = (try Peer(n1), try Peer(n2))
        try one.connect(to: other)
        try other.connect(to: one)
        return (one, other)
    }

    @Test("messages arrive, in order, with their numbers, both ways")
    func bothWays() throws {
        let (one, other) = try pair()
        for number in 1...100 as ClosedRange<UInt64> {
            try one.send(number, to: n2)
            try other.send(1_000 + number, to: n1)
        }
        try one.until { $0.numbers.count == 100 }
        try other.until { $0.numbers.count == 100 }
        #expect(try other.numbers() == Array(1...100))
        #expect(try one.numbers() == Array(1_001...1_100))
    }

    @Test("a message to a server that is down is not sent, and one that comes back is reached again")
    func downAndUp() throws {
        let one = try Peer(n1)
        let port: Int
        do {
            let other = try Peer.onOwnPort(n2)
            port = other.port
            try one.connect(to: other)
            try other.connect(to: one)
            try one.send(1, to: n2)
            try other.until { $0.numbers == [1] }
            try other.close()
        }
        // That the other end is gone takes a moment to get here; what is sent before is lost.
        try one.sendUntilUnreachable(to: n2)
        let again = try Peer.again(n2, on: port)
        try again.connect(to: one)
        try one.send(2, to: n2)
        try again.until { $0.numbers.last == 2 }
    }

    @Test("a peer that has started again is connected to anew, even by one that has not read yet that it was gone")
    func restarted() throws {
        let one = try Peer(n1)
        let other = try Peer.onOwnPort(n2)
        try one.connect(to: other)
        try one.send(1, to: n2)
        try other.until { $0.numbers == [1] }
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let since = Mutex<NIODeadline?>(nil)
        let tried = one.connect(to: n2, port: other.port) {
            begun.signal()
            gate.wait()
            return since.withLock { $0 }
        }
        begun.wait()
        try other.close()
        let again = try Peer.again(n2, on: other.port)
        let start = try again.on { $0.listeningSince }
        since.withLock { $0 = start }
        gate.signal()
        try tried.wait()
        // Once, for whoever campaigns asks once.
        let message = Message(
            from: n1, incarnation: .first, to: n2, term: Term(1),
            body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))
        let isSent = try one.on { endpoint in
            defer { endpoint.flush() }
            if case .sent = endpoint.send(message, number: 2, wantsHandled: false) { return true }
            return false
        }
        try #require(isSent)
        try again.until { $0.numbers == [2] }
    }

    @Test(
        "a caller of another cluster, for another server, by this server's own name or by a stranger's is refused",
        arguments: [
            (Hello(cluster: 8, from: NodeID(2), incarnation: .first, to: NodeID(1)), "this is another cluster"),
            (Hello(cluster: 7, from: NodeID(2), incarnation: .first, to: NodeID(3)), "this is n1, not n3"),
            (Hello(cluster: 7, from: NodeID(1), incarnation: .first, to: NodeID(1)), "n1 is this server's own name"),
            (Hello(cluster: 7, from: NodeID(9), incarnation: .first, to: NodeID(1)), "n9 is no member of this cluster"),
        ])
    func refused(hello: Hello, reason: String) throws {
        let (one, _) = try pair()
        #expect(try one.on { $0.refusal(of: hello) } == reason)
        var buffer = ByteBuffer()
        Frame.hello(hello).write(into: &buffer)
        let answer = try speak(buffer, to: one)
        guard case .refusal(let told)? = answer else {
            Issue.record("not refused: \(String(describing: answer))")
            return
        }
        #expect(told == reason)
    }

    @Test(
        "garbage, an oversized frame, a caller without a name and one of another version are hung up on, and disturb nobody"
    )
    func garbage() throws {
        let (one, other) = try pair()
        var oversized = ByteBuffer()
        oversized.writeInteger(UInt32(1 << 30), endianness: .little)
        var nameless = ByteBuffer()
        Frame.handled(frame: 1).write(into: &nameless)
        var later = ByteBuffer()
        Frame.hello(Hello(cluster: 7, from: n2, incarnation: .first, to: n1)).write(into: &later)
        later.setInteger(UInt8(99), at: 9)
        for bytes in [ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), oversized, nameless, later] {
            #expect(try speak(bytes, to: one) == nil)
        }
        try one.until { $0.complaints.count == 4 }
        #expect(try one.complaints().allSatisfy { $0.hasPrefix("a stranger sent") })
        #expect(try one.complaints().last == "a stranger sent an unreadable frame: version 99")
        try other.send(5, to: n1)
        try one.until { $0.numbers == [5] }
    }

    @Test("a server that is paused takes nothing, and everything in order afterwards")
    func paused() throws {
        let (one, other) = try pair()
        try one.send(1, to: n2, wantsHandled: true)
        try other.until { $0.numbers == [1] }
        try other.on { $0.pause() }
        for number in 2...50 as ClosedRange<UInt64> { try one.send(number, to: n2, wantsHandled: true) }
        #expect(try one.on { !$0.awaitedPeers().isEmpty })
        #expect(try other.numbers() == [1])
        try other.on { $0.resume() }
        try other.until { $0.numbers.count == 50 }
        #expect(try other.numbers() == Array(1...50))
    }

    @Test("the sender learns when everything was handled, whether or not it asked with each message")
    func handled() throws {
        for wantsHandled in [true, false] {
            let (one, other) = try pair()
            for number in 1...20 as ClosedRange<UInt64> { try one.send(number, to: n2, wantsHandled: wantsHandled) }
            // Each question goes to the peer and back on the same connection; it ends when all was handled.
            while try one.on({ !$0.awaitedPeers().isEmpty }) {}
            #expect(try other.numbers() == Array(1...20))
        }
    }

    @Test("the listener is on 127.0.0.1 alone, and its port is free after closing")
    func loopback() throws {
        let one = try Peer.onOwnPort(n1)
        let port = one.port
        try one.close()
        let again = try Peer.again(n1, on: port)
        #expect(again.port == port)
        #expect(throws: (any Error).self) { try Peer(n3, port: port) }
    }
}

/// Sends bytes to a peer and answers the one frame that comes back before the connection is closed.
func speak(_ bytes: ByteBuffer, to peer: Peer) throws -> Frame? {
    let group = MultiThreadedEventLoopGroup.singleton
    let answer = Mutex<Frame?>(nil)
    let channel = try ClientBootstrap(group: group)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    ByteToMessageHandler(Reader { frame in answer.withLock { $0 = frame } }))
            }
        }
        .connect(host: "127.0.0.1", port: peer.port).wait()
    channel.writeAndFlush(bytes, promise: nil)
    try channel.closeFuture.wait()
    return answer.withLock { $0 }
}

private final class Reader: ByteToMessageDecoder {
    typealias InboundOut = Never

    private let take: (Frame) -> Void

    init(take: @escaping (Frame) -> Void) { self.take = take }

    func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let bytes = try FrameDecoder(sizeMax: 1_000).decode(buffer: &buffer) else { return .needMoreData }
        take(try Frame(bytes))
        return .continue
    }
}

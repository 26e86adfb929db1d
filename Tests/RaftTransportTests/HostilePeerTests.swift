import Dispatch
import Glibc
import NIOCore
import NIOPosix
import RaftCore
import Synchronization
import Testing

@testable import RaftTransport

/// Peers that say half of what they should, take nothing, hang up, or are somebody else.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct HostilePeerTests {
    @Test("a message that comes in pieces is one, and half a message from one that hangs up is none")
    func halfFrames() throws {
        let one = try Peer(n1)
        let whole = try Caller(callingAt: one)
        try whole.sendInPieces([hello, frame(5)])
        try one.until { $0.numbers == [5] }
        let half = try Caller(callingAt: one)
        var bytes = hello
        bytes.writeImmutableBuffer(frame(6).getSlice(at: 0, length: 20) ?? ByteBuffer())
        try half.send(bytes)
        try half.hangUp()
        let again = try Caller(callingAt: one)
        try again.sendInPieces([hello, frame(7)])
        try one.until { $0.numbers.last == 7 }
        #expect(try one.numbers() == [5, 7])
        #expect(try one.complaints().isEmpty)
    }

    @Test("a peer that calls again takes the place of its earlier call, so that what it says comes from one only")
    func callsAgain() throws {
        let one = try Peer(n1)
        let first = try Caller(callingAt: one)
        try first.send(hello)
        let second = try Caller(callingAt: one)
        try second.sendInPieces([hello, frame(1)])
        try one.until { $0.numbers == [1] }
        try first.waitUntilHungUp()
    }

    @Test("for a peer that takes nothing only so much is kept; the rest is refused, and it gets the others in order")
    func takesNothing() throws {
        let (one, other) = (try Peer(n1), try Peer(n2))
        try one.connect(to: other)
        try one.send(1, to: n2)
        try other.until { $0.numbers == [1] }
        try other.on { $0.pause() }
        let entry = Entry(term: Term(1), payload: .command([UInt8](repeating: 7, count: 1 << 20)))
        let append = Append(previous: .zero, entries: [entry], commit: .zero, round: .zero)
        let message = Message(from: n1, incarnation: .first, to: n2, term: Term(1), body: .append(append))
        let kept = try one.on { endpoint -> UInt64 in
            for number in 2...100 as ClosedRange<UInt64> {
                guard case .sent = endpoint.send(message, number: number, wantsHandled: false) else {
                    endpoint.flush()
                    return number - 1
                }
            }
            return 100
        }
        #expect(kept < 40, "some sixteen megabytes")
        try other.on { $0.resume() }
        try other.until { $0.numbers.count == kept }
        #expect(try other.numbers() == Array(1...kept))
        try one.send(200, to: n2)
        try other.until { $0.numbers.last == 200 }
    }

    @Test("of a member that calls a server that is paused only so much is kept, too")
    func callsPaused() throws {
        let (one, other) = (try Peer(n1), try Peer(n2))
        try other.on { $0.pause() }
        try one.connect(to: other)
        let entry = Entry(term: Term(1), payload: .command([UInt8](repeating: 7, count: 1 << 20)))
        let append = Append(previous: .zero, entries: [entry], commit: .zero, round: .zero)
        let message = Message(from: n1, incarnation: .first, to: n2, term: Term(1), body: .append(append))
        var (sent, last) = (0, ContinuousClock.now)
        while sent < 200, .now - last < .seconds(1) {
            let outcome = try one.on { endpoint in
                defer { endpoint.flush() }
                return endpoint.send(message, number: 1, wantsHandled: false)
            }
            switch outcome {
            case .sent: (sent, last) = (sent + 1, .now)
            case .unreachable: last = .now
            case .full: break
            }
        }
        #expect(sent < 60, "some sixteen megabytes, and what the system keeps")
        try other.on { $0.resume() }
        try other.until { [sent] in $0.numbers.count == sent }
    }

    @Test("a peer to which nothing gets through any more is called again, and one that only takes nothing is not")
    func silence() throws {
        let idleCalls = Mutex(0)
        let deafCalls = DispatchSemaphore(value: 0)
        let idle = try FakePeer(isReading: false) { _ in idleCalls.withLock { $0 += 1 } }
        let deaf = try FakePeer { channel in
            channel.deafen()
            deafCalls.signal()
        }
        defer {
            idle.close()
            deaf.close()
        }
        let one = try Peer(n1)
        try one.on { [port = idle.port] in _ = $0.setPeer(n3, at: .loopback(port: port)) }
        let entry = Entry(term: Term(1), payload: .command([UInt8](repeating: 7, count: 1 << 20)))
        let append = Append(previous: .zero, entries: [entry], commit: .zero, round: .zero)
        let message = Message(from: n1, incarnation: .first, to: n3, term: Term(1), body: .append(append))
        var isFull = false
        while !isFull {
            isFull = try one.on { endpoint in
                defer { endpoint.flush() }
                if case .full = endpoint.send(message, number: 1, wantsHandled: false) { return true }
                return false
            }
        }
        try one.on { [port = deaf.port] in _ = $0.setPeer(n2, at: .loopback(port: port)) }
        try #require(deafCalls.wait(timeout: .now() + 60) == .success)
        try one.send(1, to: n2)
        try #require(deafCalls.wait(timeout: .now() + 60) == .success)
        #expect(try one.complaints() == ["n2 can't be reached: it acknowledged nothing for 2 seconds"])
        #expect(idleCalls.withLock { $0 } == 1)
    }

    @Test("however many strangers call and say nothing, a member gets in, and those who are in stay")
    func strangers() throws {
        let one = try Peer(n1)
        let member = try Caller(callingAt: one)
        try member.send(Self.hello(from: n3))
        try member.send(frame(1))
        try one.until { $0.numbers == [1] }
        var strangers: [Caller] = []
        for _ in 0..<Endpoint.unprovenMax { strangers.append(try Caller(callingAt: one)) }
        let newcomer = try Caller(callingAt: one)
        var bytes = hello
        bytes.writeImmutableBuffer(frame(2))
        try newcomer.send(bytes)
        while newcomer.isOpen, try one.numbers().count < 2 {}
        #expect(try one.numbers() == [1, 2])
        // It has taken the place of the one who was silent for longest.
        try strangers[0].waitUntilHungUp()
        #expect(member.isOpen)
    }

    @Test("a peer that hangs up on every call is called less and less often")
    func backsOff() throws {
        let calls = Mutex<[ContinuousClock.Instant]>([])
        let listener = try FakePeer { channel in
            calls.withLock { $0.append(.now) }
            channel.close(promise: nil)
        }
        defer { listener.close() }
        let one = try Peer(n1)
        try one.on { [port = listener.port] in _ = $0.setPeer(n2, at: .loopback(port: port)) }
        let message = Message(
            from: n1, incarnation: .first, to: n2, term: Term(1),
            body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))
        while calls.withLock({ $0.count }) < 7 {
            _ = try one.on { $0.send(message, number: 1, wantsHandled: false) }
        }
        // 5 ms after the first, and twice as long after each.
        let moments = calls.withLock { $0 }
        #expect(moments[6] - moments[0] >= .milliseconds(5 + 10 + 20 + 40 + 80 + 160))
    }

    @Test(
        "a listener that turns out to be another server or of another cluster is hung up on",
        arguments: [Welcome(cluster: 8, node: NodeID(2)), Welcome(cluster: 7, node: NodeID(3))])
    func somebodyElse(welcome: Welcome) throws {
        let listener = try FakePeer { channel in
            var buffer = ByteBuffer()
            Frame.welcome(welcome).write(into: &buffer)
            channel.writeAndFlush(buffer, promise: nil)
        }
        defer { listener.close() }
        let one = try Peer(n1)
        try one.on { [port = listener.port] in _ = $0.setPeer(n2, at: .loopback(port: port)) }
        try one.until { !$0.complaints.isEmpty }
        #expect(try one.complaints() == ["n2 sent an unreadable frame: unexpected"])
    }

    private var hello: ByteBuffer { Self.hello(from: n2) }

    private static func hello(from node: NodeID) -> ByteBuffer {
        var buffer = ByteBuffer()
        Frame.hello(Hello(cluster: 7, from: node, incarnation: .first, to: n1)).write(into: &buffer)
        return buffer
    }

    private func frame(_ number: UInt64) -> ByteBuffer {
        var buffer = ByteBuffer()
        let form = MessageForm(term: Term(1), body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))
        Frame.message(frame: number, number: number, wantsHandled: false, form).write(into: &buffer)
        return buffer
    }
}

/// A connection to a peer, to which any bytes can be sent.
private struct Caller {
    private let channel: any Channel

    init(callingAt peer: Peer) throws {
        channel = try ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: peer.port).wait()
    }

    func send(_ bytes: ByteBuffer) throws { try channel.writeAndFlush(bytes).wait() }

    /// Sends every byte by itself.
    func sendInPieces(_ buffers: [ByteBuffer]) throws {
        for buffer in buffers {
            for byte in buffer.readableBytesView { try send(ByteBuffer(bytes: [byte])) }
        }
    }

    func hangUp() throws { try channel.close().wait() }

    var isOpen: Bool { channel.isActive }

    func waitUntilHungUp() throws { try channel.closeFuture.wait() }
}

/// A listener that does something with every call.
private struct FakePeer {
    private let channel: any Channel
    let port: Int

    init(isReading: Bool = true, _ answer: @escaping @Sendable (any Channel) -> Void) throws {
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: isReading)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Greeter(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress?.port ?? 0
    }

    func close() { channel.close(promise: nil) }
}

/// Does something when a connection is there.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: (any Channel) -> Void

    init(_ answer: @escaping (any Channel) -> Void) { self.answer = answer }

    func channelActive(context: ChannelHandlerContext) { answer(context.channel) }
}

/// A filter that drops all that comes, as `linux/filter.h` has it: one instruction, and its address.
private struct DroppingFilter {
    struct Instruction { var (code, ifTrue, ifFalse, operand) = (6 as UInt16, 0 as UInt8, 0 as UInt8, 0 as UInt32) }

    var count: UInt16 = 1
    let instructions: UInt
}

extension Channel {
    /// Lets nothing more get to this end of a connection: the system drops what comes, as if it were lost on the way.
    fileprivate func deafen() {
        let instructions = UnsafeMutablePointer<DroppingFilter.Instruction>.allocate(capacity: 1)
        instructions.initialize(to: DroppingFilter.Instruction())
        defer { instructions.deallocate() }
        // On the channel's loop, where this is called, it is done at once.
        (self as? any SocketOptionProvider)?
            .unsafeSetSocketOption(
                level: .socket, name: NIOBSDSocket.Option(rawValue: SO_ATTACH_FILTER),
                value: DroppingFilter(instructions: UInt(bitPattern: instructions))
            )
            .whenFailure { Issue.record($0) }
    }
}

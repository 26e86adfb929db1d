import NIOCore
import RaftCore
import Testing

@testable import RaftTransport

struct FrameTests {
    private static let bodies: [Message.Body] = [
        .voteRequest(
            VoteRequest(
                poll: .preVote, last: LogPosition(term: Term(3), index: LogIndex(1 << 56)), isTold: true,
                isHandedOver: true)),
        .voteResponse(VoteResponse(poll: .vote, isGranted: true)),
        .append(
            Append(
                previous: LogPosition(term: Term(1), index: LogIndex(2)),
                entries: [
                    Entry(term: Term(1), payload: .noop), Entry(term: Term(2), payload: .command([])),
                    Entry(term: Term(2), payload: .command([UInt8](repeating: 7, count: 1_000))),
                ], commit: LogIndex(2), round: ReadRound(rawValue: 9), lease: .milliseconds(150))),
        .append(Append(previous: .zero, entries: [], commit: .zero, round: .zero)),
        .appendResponse(AppendResponse(outcome: .accepted(match: LogIndex(12)), round: ReadRound(rawValue: 1))),
        .appendResponse(
            AppendResponse(
                outcome: .refused(previous: LogIndex(4), hint: LogPosition(term: Term(2), index: LogIndex(3))),
                round: .zero)),
        .timeoutNow,
        .readIndexRequest(ReadIndexRequest(context: .max)),
        .readIndexResponse(ReadIndexResponse(context: 5, index: LogIndex(12))),
        .readIndexResponse(ReadIndexResponse(context: 5, index: nil)),
    ]

    private static var frames: [Frame] {
        bodies.map { .message(frame: 3, number: 17, wantsHandled: true, MessageForm(term: Term(7), body: $0)) } + [
            .hello(Hello(cluster: 5, from: NodeID(1), incarnation: Incarnation(2), to: NodeID(3))),
            .hello(
                Hello(
                    cluster: 5, from: NodeID(1), incarnation: Incarnation(2), to: NodeID(3), face: "127.0.0.1:9001",
                    nonce: Array(1...16))),
            .challenge(nonce: Array(1...16), proof: Array(1...32)), .proof(Array(1...32)),
            .welcome(Welcome(cluster: 5, node: NodeID(3))),
            .welcome(Welcome(cluster: 5, node: NodeID(3), face: "[::1]:9003")), .refusal("no"), .fence,
            .handled(frame: 8), .request(number: 5, ByteBuffer(string: "what?")), .reply(number: 5, ByteBuffer()),
        ]
    }

    private static func bytes(_ frame: Frame) -> ByteBuffer {
        var buffer = ByteBuffer()
        frame.write(into: &buffer)
        return buffer
    }

    /// The frame without its length.
    private static func payload(_ frame: Frame) -> ByteBuffer {
        var buffer = bytes(frame)
        buffer.moveReaderIndex(forwardBy: 4)
        return buffer.slice()
    }

    @Test("every frame comes back from its bytes as it was")
    func roundTrip() throws {
        for frame in Self.frames {
            #expect("\(try Frame(Self.payload(frame)))" == "\(frame)")
        }
    }

    @Test("the bytes of a message are those of its frame, but for what the connection adds")
    func messageBytes() {
        for body in Self.bodies {
            let message = Message(from: NodeID(1), incarnation: .first, to: NodeID(2), term: Term(7), body: body)
            let form = MessageForm(term: Term(7), body: body)
            let frame = Array(
                Self.bytes(.message(frame: 3, number: 17, wantsHandled: true, form)).readableBytesView)
            let told = message.frame(number: 17)
            #expect(told.count == frame.count)
            // The length of four bytes and the kind come before the frame's number; the message's number follows it.
            #expect(told.indices.filter { told[$0] == nil } == Array(5..<13) + [21])
            #expect(zip(told, frame).allSatisfy { $0 == nil || $0 == $1 }, "\(body)")
        }
    }

    @Test("the length of a frame is that of what follows it")
    func length() {
        for frame in Self.frames {
            let buffer = Self.bytes(frame)
            #expect(buffer.getInteger(at: 0, endianness: .little, as: UInt32.self) == UInt32(buffer.readableBytes - 4))
        }
    }

    @Test("a frame that is cut short or too long is refused, wherever it is cut")
    func cutShort() {
        for frame in Self.frames {
            let whole = Self.payload(frame)
            // What these carry is anything.
            switch frame {
            case .refusal, .request, .reply: continue
            default: break
            }
            for count in 0..<whole.readableBytes {
                let cut = whole.getSlice(at: 0, length: count) ?? ByteBuffer()
                #expect(throws: FrameError.self) { try Frame(cut) }
            }
            var long = whole
            long.writeInteger(UInt8(0))
            #expect(throws: FrameError.self) { try Frame(long) }
        }
    }

    @Test("garbage is refused or read, and never traps or takes memory that it doesn't bring")
    func garbage() {
        var random = Generator(seed: 4)
        for _ in 0..<20_000 {
            var buffer = Self.payload(Self.frames[Int(random.below(UInt64(Self.frames.count)))])
            for _ in 0...random.below(4) where buffer.readableBytes > 0 {
                let place = Int(random.below(UInt64(buffer.readableBytes)))
                buffer.setInteger(UInt8(truncatingIfNeeded: random.next()), at: place)
            }
            _ = try? Frame(buffer)
        }
        for size in 0..<200 {
            let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            _ = try? Frame(ByteBuffer(bytes: bytes))
        }
    }

    @Test("a hello of another version, or of another protocol, is refused")
    func foreignHello() {
        let hello = Self.payload(.hello(Hello(cluster: 5, from: NodeID(1), incarnation: .first, to: NodeID(3))))
        var later = hello
        later.setInteger(UInt8(99), at: 5)
        #expect(throws: FrameError.unreadable("version 99")) { try Frame(later) }
        var other = hello
        other.setInteger(UInt8(0), at: 1)
        #expect(throws: FrameError.unreadable("no hello of ours")) { try Frame(other) }
    }

    @Test("a frame that comes byte by byte is one frame, and nothing before its last byte")
    func inPieces() throws {
        for frame in Self.frames {
            let decoder = FrameDecoder(sizeMax: Frame.sizeMax)
            var buffer = ByteBuffer()
            let bytes = Self.bytes(frame).readableBytesView
            for (place, byte) in bytes.enumerated() {
                buffer.writeInteger(byte)
                #expect(try (decoder.decode(buffer: &buffer) != nil) == (place == bytes.count - 1))
            }
            #expect(buffer.readableBytes == 0)
        }
    }

    @Test("a request and a reply that carry the most they may are the largest frame")
    func largest() {
        let payload = ByteBuffer(repeating: 7, count: Frame.payloadMax)
        for frame in [Frame.request(number: 1, payload), .reply(number: 1, payload)] {
            #expect(Self.payload(frame).readableBytes == Frame.sizeMax)
        }
    }

    @Test("a length that no frame may have is refused before anything is read")
    func oversized() throws {
        let decoder = FrameDecoder(sizeMax: 100)
        for length in [0, 101, UInt32.max] as [UInt32] {
            var buffer = ByteBuffer()
            buffer.writeInteger(length, endianness: .little)
            #expect(throws: FrameError.oversized(Int(length))) { try decoder.decode(buffer: &buffer) }
        }
        var half = ByteBuffer(bytes: [5, 0, 0, 0, 1, 2])
        #expect(try decoder.decode(buffer: &half) == nil)
        half.writeBytes([3, 4, 5, 9])
        #expect(try decoder.decode(buffer: &half)?.readableBytes == 5)
        #expect(half.readableBytes == 1)
    }
}

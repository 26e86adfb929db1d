import NIOCore
import RaftCore

/// What goes over a connection: a length of four bytes, a kind of one, and the rest. Numbers are little-endian.
///
/// A connection carries the messages of the server that opened it to the one that accepted it, and the other way only
/// what belongs to them: the welcome, and how far they are handled.
enum Frame {
    /// The first frame of a connection: who calls, and whom.
    case hello(Hello)
    /// The answer to it where the cluster has a secret: a number that was never used before, and what shows that the
    /// called knows the secret.
    case challenge(nonce: [UInt8], proof: [UInt8])
    /// The answer to that: what shows that the caller knows it.
    case proof([UInt8])
    /// Who was reached: the connection can be used.
    case welcome(Welcome)
    /// The answer to a hello that is not accepted, in words; the connection is closed after it.
    case refusal(String)
    /// A message. Frames of a connection are numbered from 1.
    case message(frame: UInt64, number: UInt64, wantsHandled: Bool, MessageForm)
    /// The request to say how far the frames are handled.
    case fence
    /// Every frame up to this one is handled.
    case handled(frame: UInt64)
    /// What a client asks of a server that hands it on.
    case request(number: UInt64, ByteBuffer)
    /// The answer to it.
    case reply(number: UInt64, ByteBuffer)

    /// The largest frame, in bytes. What claims to be larger is no frame.
    static let sizeMax = 32 << 20
    /// The most that a request or a reply may carry, in bytes: the rest of its frame is its kind and its number.
    static let payloadMax = sizeMax - 9
    /// The largest frame before a connection has said whose it is.
    static let helloSizeMax = 256

    enum Kind: UInt8 {
        case hello = 1
        case welcome
        case refusal
        case message
        case fence
        case handled
        case challenge
        case proof
        case request
        case reply
    }
}

/// A message without its ends: they are known from the connection, so that nobody can speak for another.
struct MessageForm {
    var term: Term
    var body: Message.Body
}

/// Who opens a connection, and to whom.
public struct Hello: Hashable, Sendable {
    /// The number of the cluster.
    public var cluster: UInt64
    /// The server that opens it.
    public var from: NodeID
    /// The life of that server's disk.
    public var incarnation: Incarnation
    /// The server that it means to reach.
    public var to: NodeID
    /// Where the caller's HTTP face is, as `host:port`; empty where it has none.
    public var face: String
    /// A number that was never used before, where the cluster has a secret; otherwise nothing.
    public var nonce: [UInt8]
    /// A number that the caller drew when it started.
    public var life: UInt64 = 0
    /// Which of its calls to this peer since then it is, counted from 1.
    public var call: UInt64 = 0

    /// A hello.
    public init(
        cluster: UInt64, from: NodeID, incarnation: Incarnation, to: NodeID, face: String = "", nonce: [UInt8] = []
    ) {
        self.cluster = cluster
        self.from = from
        self.incarnation = incarnation
        self.to = to
        self.face = face
        self.nonce = nonce
    }
}

/// Who accepted a connection.
struct Welcome: Hashable {
    var cluster: UInt64
    var node: NodeID
    /// Where its HTTP face is; empty where it has none.
    var face = ""
}

/// Why a connection is of no use.
enum FrameError: Error, Equatable, CustomStringConvertible {
    case oversized(Int)
    case unreadable(String)

    var description: String {
        switch self {
        case .oversized(let size): "a frame of \(size) bytes, where at most \(Frame.sizeMax) are taken"
        case .unreadable(let what): "an unreadable frame: \(what)"
        }
    }
}

/// Cuts the stream of bytes into frames, and takes no more memory than a frame may have.
final class FrameDecoder: NIOSingleStepByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    /// The largest frame for now.
    var sizeMax: Int

    init(sizeMax: Int) { self.sizeMax = sizeMax }

    func decode(buffer: inout ByteBuffer) throws -> ByteBuffer? {
        guard let size = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self) else {
            return nil
        }
        guard size >= 1, Int(size) <= sizeMax else { throw FrameError.oversized(Int(size)) }
        guard buffer.readableBytes >= 4 + Int(size) else { return nil }
        buffer.moveReaderIndex(forwardBy: 4)
        return buffer.readSlice(length: Int(size))
    }

    func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> ByteBuffer? {
        try decode(buffer: &buffer)
    }
}

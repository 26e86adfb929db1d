import NIOCore
import RaftCore

// The binary form of frames and messages. Reading trusts nothing: every count is held against the bytes that are there.

extension Frame {
    private static let magic: UInt32 = 0x7466_6172  // "raft"
    private static let version: UInt8 = 3

    /// Writes the frame at the end of `buffer`.
    func write(into buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(UInt32(0), endianness: .little)
        switch self {
        case .hello(let hello):
            buffer.writeKind(.hello)
            buffer.writeInteger(Frame.magic, endianness: .little)
            buffer.writeInteger(Frame.version)
            buffer.writeInteger(hello.cluster, endianness: .little)
            buffer.writeInteger(hello.from.rawValue)
            buffer.writeInteger(hello.incarnation.rawValue, endianness: .little)
            buffer.writeInteger(hello.to.rawValue)
            buffer.writeShort(hello.face.utf8)
            buffer.writeShort(hello.nonce)
            buffer.writeInteger(hello.life, endianness: .little)
            buffer.writeInteger(hello.call, endianness: .little)
        case .challenge(let nonce, let proof):
            buffer.writeKind(.challenge)
            buffer.writeShort(nonce)
            buffer.writeShort(proof)
        case .proof(let proof):
            buffer.writeKind(.proof)
            buffer.writeShort(proof)
        case .welcome(let welcome):
            buffer.writeKind(.welcome)
            buffer.writeInteger(welcome.cluster, endianness: .little)
            buffer.writeInteger(welcome.node.rawValue)
            buffer.writeShort(welcome.face.utf8)
        case .refusal(let reason):
            buffer.writeKind(.refusal)
            buffer.writeString(reason)
        case .message(let frame, let number, let wantsHandled, let message):
            buffer.writeKind(.message)
            buffer.writeInteger(frame, endianness: .little)
            buffer.writeInteger(number, endianness: .little)
            buffer.writeBool(wantsHandled)
            buffer.write(message)
        case .fence: buffer.writeKind(.fence)
        case .handled(let frame):
            buffer.writeKind(.handled)
            buffer.writeInteger(frame, endianness: .little)
        case .request(let number, let bytes):
            buffer.writeKind(.request)
            buffer.writeInteger(number, endianness: .little)
            buffer.writeImmutableBuffer(bytes)
        case .reply(let number, let bytes):
            buffer.writeKind(.reply)
            buffer.writeInteger(number, endianness: .little)
            buffer.writeImmutableBuffer(bytes)
        }
        let size = UInt32(buffer.writerIndex - start - 4)
        buffer.setInteger(size, at: start, endianness: .little)
    }

    /// Reads the frame that `buffer` holds.
    init(_ buffer: ByteBuffer) throws {
        var buffer = buffer
        guard let kind = Kind(rawValue: try buffer.read()) else { throw FrameError.unreadable("unknown kind") }
        switch kind {
        case .hello:
            guard try buffer.read(UInt32.self) == Frame.magic else { throw FrameError.unreadable("no hello of ours") }
            let version: UInt8 = try buffer.read()
            guard version == Frame.version else { throw FrameError.unreadable("version \(version)") }
            let cluster: UInt64 = try buffer.read()
            let from = try buffer.readNode()
            let incarnation = Incarnation(try buffer.read(UInt32.self))
            let to = try buffer.readNode()
            let face = try buffer.readFace()
            let nonce = try buffer.readShort()
            var hello = Hello(
                cluster: cluster, from: from, incarnation: incarnation, to: to, face: face, nonce: nonce)
            (hello.life, hello.call) = (try buffer.read(), try buffer.read())
            self = .hello(hello)
        case .challenge: self = .challenge(nonce: try buffer.readShort(), proof: try buffer.readShort())
        case .proof: self = .proof(try buffer.readShort())
        case .welcome:
            self = .welcome(
                Welcome(cluster: try buffer.read(), node: try buffer.readNode(), face: try buffer.readFace()))
        case .refusal: self = .refusal(buffer.readString(length: buffer.readableBytes) ?? "")
        case .message:
            let frame: UInt64 = try buffer.read()
            let number: UInt64 = try buffer.read()
            let wantsHandled = try buffer.readBool()
            self = .message(
                frame: frame, number: number, wantsHandled: wantsHandled, try MessageForm(from: &buffer))
        case .fence: self = .fence
        case .handled: self = .handled(frame: try buffer.read())
        case .request:
            self = .request(number: try buffer.read(), buffer.readSlice(length: buffer.readableBytes) ?? .init())
        case .reply: self = .reply(number: try buffer.read(), buffer.readSlice(length: buffer.readableBytes) ?? .init())
        }
        guard buffer.readableBytes == 0 else { throw FrameError.unreadable("bytes after the frame") }
    }
}

private enum BodyCode: UInt8 {
    case voteRequest = 1
    case voteResponse
    case append
    case accepted
    case refused
    case timeoutNow
    case snapshot
    case snapshotResponse
    case readIndexRequest
    case readIndexResponse
}

private enum EntryCode: UInt8 {
    case noop = 0
    case command
    case configuration
}

extension ByteBuffer {
    fileprivate mutating func writeKind(_ kind: Frame.Kind) { writeInteger(kind.rawValue) }

    /// Writes how many bytes there are, at most 255, then the bytes.
    fileprivate mutating func writeShort(_ bytes: some Collection<UInt8>) {
        precondition(bytes.count <= 255, "\(bytes.count) bytes, where at most 255 have room")
        writeInteger(UInt8(bytes.count))
        writeBytes(bytes)
    }

    fileprivate mutating func readShort() throws -> [UInt8] {
        let count: UInt8 = try read()
        guard let bytes = readBytes(length: Int(count)) else { throw FrameError.unreadable("it ends too early") }
        return bytes
    }

    /// Reads where a server's HTTP face is. It may come to stand in an answer's header: only what an address is made of
    /// is taken.
    fileprivate mutating func readFace() throws -> String {
        let bytes = try readShort()
        guard bytes.isEmpty || Address(String(decoding: bytes, as: UTF8.self)) != nil else {
            throw FrameError.unreadable("no address")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate mutating func writeBool(_ value: Bool) { writeInteger(UInt8(value ? 1 : 0)) }

    fileprivate mutating func write(_ number: UInt64) { writeInteger(number, endianness: .little) }

    fileprivate mutating func write(_ position: LogPosition) {
        write(position.term.rawValue)
        write(position.index.rawValue)
    }

    fileprivate mutating func write(_ message: MessageForm) {
        write(message.term.rawValue)
        switch message.body {
        case .voteRequest(let request):
            writeInteger(BodyCode.voteRequest.rawValue)
            writeInteger(request.poll.rawValue)
            writeBool(request.isTold)
            writeBool(request.isHandedOver)
            write(request.last)
        case .voteResponse(let response):
            writeInteger(BodyCode.voteResponse.rawValue)
            writeInteger(response.poll.rawValue)
            writeBool(response.isGranted)
        case .append(let append):
            writeInteger(BodyCode.append.rawValue)
            write(append.previous)
            write(append.commit.rawValue)
            write(append.round.rawValue)
            writeInteger(append.lease.nanoseconds, endianness: .little)
            writeInteger(UInt32(append.entries.count), endianness: .little)
            // Weights count more for an entry than its head takes.
            reserveCapacity(minimumWritableBytes: append.entries.reduce(0) { $0 + $1.payload.weight })
            for entry in append.entries { write(entry) }
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted(let match):
                writeInteger(BodyCode.accepted.rawValue)
                write(response.round.rawValue)
                write(match.rawValue)
            case .refused(let previous, let hint):
                writeInteger(BodyCode.refused.rawValue)
                write(response.round.rawValue)
                write(previous.rawValue)
                write(hint)
            }
        case .timeoutNow: writeInteger(BodyCode.timeoutNow.rawValue)
        case .snapshot(let chunk):
            writeInteger(BodyCode.snapshot.rawValue)
            write(chunk.mark)
            write(UInt64(chunk.size))
            write(UInt64(chunk.offset))
            write(chunk.round.rawValue)
            writeInteger(chunk.lease.nanoseconds, endianness: .little)
            writeInteger(UInt32(chunk.bytes.count), endianness: .little)
            writeBytes(chunk.bytes)
        case .snapshotResponse(let response):
            writeInteger(BodyCode.snapshotResponse.rawValue)
            write(response.last)
            write(UInt64(response.received))
            write(response.round.rawValue)
        case .readIndexRequest(let request):
            writeInteger(BodyCode.readIndexRequest.rawValue)
            write(request.context)
        case .readIndexResponse(let response):
            writeInteger(BodyCode.readIndexResponse.rawValue)
            write(response.context)
            writeBool(response.index != nil)
            if let index = response.index { write(index.rawValue) }
        }
    }

    private mutating func write(_ mark: SnapshotMark) {
        write(mark.last)
        write(mark.configuration)
    }

    private mutating func write(_ configuration: Configuration) {
        writeInteger(UInt8(configuration.members.count))
        for member in configuration.members {
            writeInteger(member.id.rawValue)
            writeInteger(member.incarnation.rawValue, endianness: .little)
        }
        for set in [configuration.voters, configuration.outgoing, configuration.target] {
            writeInteger(UInt8(set.count))
            for node in set { writeInteger(node.rawValue) }
        }
    }

    private mutating func write(_ entry: Entry) {
        write(entry.term.rawValue)
        switch entry.payload {
        case .noop: writeInteger(EntryCode.noop.rawValue)
        case .configuration(let configuration):
            writeInteger(EntryCode.configuration.rawValue)
            write(configuration)
        case .command(let bytes):
            writeMultipleIntegers(EntryCode.command.rawValue, UInt32(bytes.count), endianness: .little)
            writeBytes(bytes)
        }
    }

    fileprivate mutating func read<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws -> Number {
        guard let number = readInteger(endianness: .little, as: Number.self) else {
            throw FrameError.unreadable("it ends too early")
        }
        return number
    }

    fileprivate mutating func readBool() throws -> Bool {
        switch try read(UInt8.self) {
        case 0: false
        case 1: true
        default: throw FrameError.unreadable("neither yes nor no")
        }
    }

    fileprivate mutating func readNode() throws -> NodeID {
        guard let node = NodeID(rawValue: try read()) else { throw FrameError.unreadable("impossible server") }
        return node
    }

    fileprivate mutating func readPoll() throws -> Poll {
        guard let poll = Poll(rawValue: try read()) else { throw FrameError.unreadable("unknown poll") }
        return poll
    }

    /// No leader asks for more than the longest election timeout, which is far less than this.
    fileprivate mutating func readLease() throws -> Interval {
        let lease = Interval(nanoseconds: try read())
        guard (.zero ... .seconds(3_600)).contains(lease) else { throw FrameError.unreadable("an impossible lease") }
        return lease
    }

    /// A term, an index or a round: no cluster ever counts as far as this.
    fileprivate mutating func readNumber() throws -> UInt64 {
        let number: UInt64 = try read()
        guard number <= 1 << 56 else { throw FrameError.unreadable("an impossible term or index") }
        return number
    }

    fileprivate mutating func readPosition() throws -> LogPosition {
        let term = Term(try readNumber())
        return LogPosition(term: term, index: LogIndex(try readNumber()))
    }

    fileprivate mutating func readSize() throws -> Int {
        let size = try read(UInt64.self)
        guard size <= UInt64(Snapshot.sizeMax) else { throw FrameError.unreadable("impossible size of a snapshot") }
        return Int(size)
    }

    fileprivate mutating func readMark() throws -> SnapshotMark {
        let last = try readPosition()
        return SnapshotMark(last: last, configuration: try readConfiguration())
    }

    private mutating func readConfiguration() throws -> Configuration {
        var members: [Configuration.Member] = []
        for _ in 0..<(try read(UInt8.self)) {
            let id = try readNode()
            members.append(.init(id: id, incarnation: Incarnation(try read(UInt32.self))))
        }
        let voters = try readNodes()
        let outgoing = try readNodes()
        let target = try readNodes()
        guard !members.isEmpty,
            let configuration = Configuration(
                checking: members, voters: voters, outgoing: outgoing, target: target)
        else { throw FrameError.unreadable("impossible members") }
        return configuration
    }

    private mutating func readNodes() throws -> NodeSet {
        var nodes = NodeSet()
        for _ in 0..<(try read(UInt8.self)) { nodes.insert(try readNode()) }
        return nodes
    }

    fileprivate mutating func readChunk() throws -> SnapshotChunk {
        let mark = try readMark()
        let size = try readSize()
        let offset = try readSize()
        let round = ReadRound(rawValue: try readNumber())
        let lease = try readLease()
        let count = Int(try read(UInt32.self))
        guard offset + count <= size else { throw FrameError.unreadable("a part beyond its snapshot") }
        guard let bytes = readBytes(length: count) else { throw FrameError.unreadable("it ends too early") }
        return SnapshotChunk(mark: mark, size: size, offset: offset, bytes: bytes, round: round, lease: lease)
    }

    fileprivate mutating func readEntries() throws -> [Entry] {
        let count = Int(try read(UInt32.self))
        // An entry takes nine bytes at least, so that a wrong count can't ask for more memory than the frame has.
        guard count <= readableBytes / 9 else { throw FrameError.unreadable("it ends too early") }
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try readEntry()) }
        return entries
    }

    private mutating func readEntry() throws -> Entry {
        let term = Term(try readNumber())
        guard let code = EntryCode(rawValue: try read()) else { throw FrameError.unreadable("unknown kind of entry") }
        switch code {
        case .noop: return Entry(term: term, payload: .noop)
        case .configuration: return Entry(term: term, payload: .configuration(try readConfiguration()))
        case .command:
            let length = Int(try read(UInt32.self))
            guard let bytes = readBytes(length: length) else { throw FrameError.unreadable("it ends too early") }
            return Entry(term: term, payload: .command(bytes))
        }
    }
}

extension MessageForm {
    fileprivate init(from buffer: inout ByteBuffer) throws {
        term = Term(try buffer.readNumber())
        guard let code = BodyCode(rawValue: try buffer.read()) else {
            throw FrameError.unreadable("unknown kind of message")
        }
        switch code {
        case .voteRequest:
            let poll = try buffer.readPoll()
            let isTold = try buffer.readBool()
            let isHandedOver = try buffer.readBool()
            body = .voteRequest(
                VoteRequest(
                    poll: poll, last: try buffer.readPosition(), isTold: isTold, isHandedOver: isHandedOver))
        case .voteResponse:
            body = .voteResponse(VoteResponse(poll: try buffer.readPoll(), isGranted: try buffer.readBool()))
        case .append:
            let previous = try buffer.readPosition()
            let commit = LogIndex(try buffer.readNumber())
            let round = ReadRound(rawValue: try buffer.readNumber())
            let lease = try buffer.readLease()
            body = .append(
                Append(
                    previous: previous, entries: try buffer.readEntries(), commit: commit, round: round, lease: lease))
        case .accepted:
            let round = ReadRound(rawValue: try buffer.readNumber())
            let match = LogIndex(try buffer.readNumber())
            body = .appendResponse(AppendResponse(outcome: .accepted(match: match), round: round))
        case .refused:
            let round = ReadRound(rawValue: try buffer.readNumber())
            let previous = LogIndex(try buffer.readNumber())
            let outcome = AppendResponse.Outcome.refused(previous: previous, hint: try buffer.readPosition())
            body = .appendResponse(AppendResponse(outcome: outcome, round: round))
        case .timeoutNow: body = .timeoutNow
        case .snapshot: body = .snapshot(try buffer.readChunk())
        case .snapshotResponse:
            let last = try buffer.readPosition()
            let received = try buffer.readSize()
            let round = ReadRound(rawValue: try buffer.readNumber())
            body = .snapshotResponse(SnapshotResponse(last: last, received: received, round: round))
        case .readIndexRequest: body = .readIndexRequest(ReadIndexRequest(context: try buffer.read()))
        case .readIndexResponse:
            let context: UInt64 = try buffer.read()
            let index = try buffer.readBool() ? LogIndex(try buffer.readNumber()) : nil
            body = .readIndexResponse(ReadIndexResponse(context: context, index: index))
        }
    }
}

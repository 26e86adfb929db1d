import ByteCoding
import KeyValue
import RaftCore
import RaftNode
import RaftTrace

// The binary form of what one server hands on to another for a client.

extension ClientRequest.Kind {
    private enum Code: UInt8 {
        case write = 1
        case get
        case keys
    }

    /// What is asked, as bytes.
    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .write(let command):
            writer.write(Code.write.rawValue)
            writer.writeCounted(command.encoded())
        case .read(.get(let key, let mode)):
            writer.write(Code.get.rawValue)
            writer.write(mode.code)
            writer.writeCounted(key)
        case .read(.keys(let prefix, let mode)):
            writer.write(Code.keys.rawValue)
            writer.write(mode.code)
            writer.writeCounted(prefix)
        case .read(.write): preconditionFailure("a write is no read")
        }
        return writer.bytes
    }

    /// What `bytes` ask.
    ///
    /// - Throws: ``ByteReadingError`` where they ask nothing, or more than one thing.
    init(decoding bytes: [UInt8]) throws(ByteReadingError) {
        var reader = ByteReader(bytes)
        guard let code = Code(rawValue: try reader.readByte()) else { throw .invalid("unknown request") }
        switch code {
        case .write: self = .write(try SessionCommand(decoding: Bytes(try reader.readCounted())))
        case .get:
            let mode = try ReadMode(code: try reader.readByte())
            self = .read(.get(key: Bytes(try reader.readCounted()), mode))
        case .keys:
            let mode = try ReadMode(code: try reader.readByte())
            self = .read(.keys(prefix: Bytes(try reader.readCounted()), mode))
        }
        guard reader.remaining == 0 else { throw .invalid("unexplained rest") }
    }
}

extension ReadMode {
    fileprivate var code: UInt8 {
        switch self {
        case .readindex: 0
        case .lease: 1
        case .leader: 2
        case .local: 3
        }
    }

    fileprivate init(code: UInt8) throws(ByteReadingError) {
        guard let mode = ReadMode.allCases.first(where: { $0.code == code }) else {
            throw .invalid("unknown read mode")
        }
        self = mode
    }
}

extension Reply {
    private enum Code: UInt8 {
        case ok = 0
        case value
        case keys
        case notFound
        case mismatch
        case notLeader
        case unknown
        case error
        case refused
    }

    /// The answer as bytes, without the number: that is the frame's.
    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write((isSessionGone ? 1 : 0) | (isFinal ? 2 : 0) as UInt8)
        switch result {
        case .ok: writer.write(Code.ok.rawValue)
        case .value(let value): writer.write(Code.value.rawValue, value)
        case .keys(let keys):
            writer.write(Code.keys.rawValue)
            writer.writeVarint(UInt64(keys.count))
            for key in keys { writer.writeCounted(key) }
        case .notFound: writer.write(Code.notFound.rawValue)
        case .mismatch(let value): writer.write(Code.mismatch.rawValue, value)
        case .notLeader(let leader):
            writer.write(Code.notLeader.rawValue)
            writer.write(leader?.rawValue ?? 0)
        case .unknown: writer.write(Code.unknown.rawValue)
        case .error(let sentence): writer.write(Code.error.rawValue, Bytes(sentence.utf8))
        case .refused(let reason): writer.write(Code.refused.rawValue, Bytes(reason.rawValue.utf8))
        }
        return writer.bytes
    }

    /// The answer that `bytes` hold, to the request of this number.
    ///
    /// - Throws: ``ByteReadingError`` where they hold none.
    init(id: RequestID, decoding bytes: [UInt8]) throws(ByteReadingError) {
        var reader = ByteReader(bytes)
        let signs = try reader.readByte()
        guard signs <= 3 else { throw .invalid("unknown signs") }
        guard let code = Code(rawValue: try reader.readByte()) else { throw .invalid("unknown answer") }
        let result: ClientResult
        switch code {
        case .ok: result = .ok
        case .value: result = .value(Bytes(try reader.readCounted()))
        case .keys:
            var keys: [Bytes] = []
            for _ in 0..<(try reader.readVarint()) { keys.append(Bytes(try reader.readCounted())) }
            result = .keys(keys)
        case .notFound: result = .notFound
        case .mismatch: result = .mismatch(Bytes(try reader.readCounted()))
        case .notLeader:
            let number = try reader.readByte()
            guard number == 0 || NodeID.range.contains(number) else { throw .invalid("unknown server") }
            result = .notLeader(number == 0 ? nil : NodeID(Int(number)))
        case .unknown: result = .unknown
        case .error: result = .error(String(decoding: try reader.readCounted(), as: UTF8.self))
        case .refused:
            let word = String(decoding: try reader.readCounted(), as: UTF8.self)
            guard let reason = ClientResult.Refused(rawValue: word) else { throw .invalid("unknown refusal") }
            result = .refused(reason)
        }
        guard reader.remaining == 0 else { throw .invalid("unexplained rest") }
        self.init(id: id, result: result, isSessionGone: signs & 1 != 0, isFinal: signs & 2 != 0)
    }
}

extension ByteWriter {
    fileprivate mutating func write(_ code: UInt8, _ row: Bytes) {
        write(code)
        writeCounted(row)
    }
}

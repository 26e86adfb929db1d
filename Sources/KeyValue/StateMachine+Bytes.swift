import ByteCoding
import HashTreeCollections

// The binary form of the whole state machine, as snapshots hold it (paper §7): the store, and for every client what its
// recent writes came to, so that a write that comes again after a snapshot is still done once (thesis §6.3).

extension StateMachine {
    private static let version: UInt8 = 1
    private static let keysPerPause = 512

    /// The state machine as bytes. Keys and clients stand in no particular order: sorting a large store would take longer
    /// than all the rest.
    ///
    /// - Parameter pause: Called after every few hundred keys, for whoever shares his processor with others.
    public func encoded(pausing pause: () -> Void = {}) -> Bytes {
        var writer = ByteWriter()
        writer.write(StateMachine.version)
        writer.writeVarint(clock)
        writer.writeVarint(UInt64(store.count))
        for (place, (key, value)) in store.pairs.enumerated() {
            writer.writeCounted(key)
            writer.writeCounted(value)
            if place % StateMachine.keysPerPause == StateMachine.keysPerPause - 1 { pause() }
        }
        writer.writeVarint(UInt64(sessions.count))
        for (client, session) in sessions {
            writer.writeCounted(client.utf8)
            session.encode(into: &writer)
        }
        return writer.bytes
    }

    /// The state machine that `bytes` hold.
    ///
    /// - Throws: ``ByteReadingError`` where they hold none, or more than one.
    public init(decoding bytes: Bytes) throws(ByteReadingError) {
        self.init()
        var reader = ByteReader(bytes)
        let version = try reader.readByte()
        guard version == StateMachine.version else { throw .unknownVersion(version) }
        clock = try reader.readVarint()
        for _ in 0..<(try reader.readVarint()) {
            let key = Bytes(try reader.readCounted())
            _ = store.apply(.set(key: key, value: Bytes(try reader.readCounted())))
        }
        for _ in 0..<(try reader.readVarint()) {
            guard let client = String(validating: try reader.readCounted(), as: UTF8.self) else {
                throw .invalid("unreadable client name")
            }
            sessions[client] = try Session(from: &reader)
        }
        guard reader.remaining == 0 else { throw .invalid("unexplained rest") }
    }

    /// A number that two state machines share only where they are the same, but for a chance of one in 2⁶⁴: the sum of what
    /// is in them, hashed piece by piece (FNV-1a), so that its order doesn't matter.
    public var digest: UInt64 { digest() }

    /// The same, with pauses.
    public func digest(pausing pause: () -> Void = {}) -> UInt64 {
        var sum = clock &* 0x9e37_79b9_7f4a_7c15
        for (place, (key, value)) in store.pairs.enumerated() {
            sum &+= Digest.of(value, seed: Digest.of(key, seed: Digest.start))
            if place % StateMachine.keysPerPause == StateMachine.keysPerPause - 1 { pause() }
        }
        var writer = ByteWriter()
        for (client, session) in sessions {
            writer.bytes.removeAll(keepingCapacity: true)
            writer.writeCounted(client.utf8)
            session.encode(into: &writer)
            sum &+= Digest.of(writer.bytes, seed: ~Digest.start)
        }
        return sum
    }
}

extension Operation {
    /// A number, above zero, that two operations share only where they are the same, but for a chance of one in 2⁶⁴.
    public var fingerprint: UInt64 { max(1, Digest.of(SessionCommand(self).encoded(), seed: Digest.start)) }
}

/// FNV-1a, of 64 bits; a piece's length counts, too, so that where one ends and the next begins makes a difference.
private enum Digest {
    static let start: UInt64 = 0xcbf2_9ce4_8422_2325

    static func of(_ bytes: Bytes, seed: UInt64) -> UInt64 {
        bytes.withUnsafeBufferPointer { buffer in
            var hash = (seed ^ UInt64(buffer.count)) &* 0x0000_0100_0000_01b3
            for byte in buffer { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            return hash
        }
    }
}

extension Session {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.writeVarint(lastUse)
        writer.writeVarint(firstIncomplete)
        writer.writeVarint(UInt64(results.count))
        for result in results {
            writer.writeVarint(result.sequence)
            result.outcome.encode(into: &writer)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteReadingError) {
        lastUse = try reader.readVarint()
        firstIncomplete = try reader.readVarint()
        for _ in 0..<(try reader.readVarint()) {
            let sequence = try reader.readVarint()
            results.append(Result(sequence: sequence, outcome: try Outcome(from: &reader)))
        }
    }
}

extension Outcome {
    private enum Code: UInt8 {
        case done = 1
        case value
        case notFound
        case mismatch
        case sessionExpired
    }

    fileprivate func encode(into writer: inout ByteWriter) {
        switch self {
        case .done: writer.write(Code.done.rawValue)
        case .value(let value):
            writer.write(Code.value.rawValue)
            writer.writeCounted(value)
        case .notFound: writer.write(Code.notFound.rawValue)
        case .mismatch(let value):
            writer.write(Code.mismatch.rawValue)
            writer.writeCounted(value)
        case .sessionExpired: writer.write(Code.sessionExpired.rawValue)
        case .keys, .nameUsed: preconditionFailure("\(self) is the outcome of nothing that was done")
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteReadingError) {
        guard let code = Code(rawValue: try reader.readByte()) else { throw .invalid("unknown outcome") }
        switch code {
        case .done: self = .done
        case .value: self = .value(Bytes(try reader.readCounted()))
        case .notFound: self = .notFound
        case .mismatch: self = .mismatch(Bytes(try reader.readCounted()))
        case .sessionExpired: self = .sessionExpired
        }
    }
}

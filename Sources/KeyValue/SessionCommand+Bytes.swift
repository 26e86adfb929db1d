import ByteCoding

// The binary form of a command, as it stands in log entries. Its first byte tells the operation.

extension SessionCommand {
    private enum Code: UInt8 {
        case set = 1
        case delete
        case increment
        case compareAndSet
    }

    /// The command as bytes.
    public func encoded() -> Bytes {
        var writer = ByteWriter()
        // One byte for the code, and at most ten for each of five counts and numbers: nothing is moved to grow.
        writer.bytes.reserveCapacity(51 + client.utf8.count + operation.bytes)
        switch operation {
        case .set: writer.write(Code.set.rawValue)
        case .delete: writer.write(Code.delete.rawValue)
        case .increment: writer.write(Code.increment.rawValue)
        case .compareAndSet: writer.write(Code.compareAndSet.rawValue)
        }
        writer.writeCounted(client.utf8)
        writer.writeVarint(sequence)
        writer.writeVarint(firstIncomplete)
        writer.writeCounted(operation.key)
        switch operation {
        case .set(_, let value): writer.writeCounted(value)
        case .delete: break
        case .increment(_, let amount): writer.write(UInt64(bitPattern: amount))
        case .compareAndSet(_, let old, let new):
            writer.writeCounted(old)
            writer.writeCounted(new)
        }
        return writer.bytes
    }

    /// The command that `bytes` hold.
    ///
    /// - Throws: ``ByteReadingError`` where they hold none, or more than one.
    public init(decoding bytes: Bytes) throws(ByteReadingError) {
        var reader = ByteReader(bytes)
        guard let code = Code(rawValue: try reader.readByte()) else { throw .invalid("unknown operation") }
        guard let client = String(checking: try reader.readCounted()) else {
            throw .invalid("unreadable client name")
        }
        let sequence = try reader.readVarint()
        let firstIncomplete = try reader.readVarint()
        let key = Bytes(try reader.readCounted())
        let operation: Operation
        switch code {
        case .set: operation = .set(key: key, value: Bytes(try reader.readCounted()))
        case .delete: operation = .delete(key: key)
        case .increment: operation = .increment(key: key, by: Int64(bitPattern: try reader.readUInt64()))
        case .compareAndSet:
            let old = Bytes(try reader.readCounted())
            operation = .compareAndSet(key: key, old: old, new: Bytes(try reader.readCounted()))
        }
        guard reader.remaining == 0 else { throw .invalid("unexplained rest") }
        self.init(client: client, sequence: sequence, firstIncomplete: firstIncomplete, operation: operation)
    }
}

extension String {
    /// The text that `bytes` are, if they are UTF-8.
    fileprivate init?(checking bytes: ArraySlice<UInt8>) {
        guard let text = try? UTF8Span(validating: bytes.span) else { return nil }
        self.init(copying: text)
    }
}

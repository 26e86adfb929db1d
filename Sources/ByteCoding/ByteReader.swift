/// Why a row of bytes can't be read.
public enum ByteReadingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It ends too early.
    case truncated
    /// A number is longer than 64 bits.
    case oversizedNumber
    /// A value stands where it has no meaning, named in words.
    case invalid(String)
    /// It is of a format that the reader doesn't know.
    case unknownVersion(UInt8)

    /// What is wrong, as the end of a sentence.
    public var description: String {
        switch self {
        case .truncated: "it ends too early"
        case .oversizedNumber: "it holds a number of more than 64 bits"
        case .invalid(let what): "it holds an \(what)"
        case .unknownVersion(let version): "it is of the unknown format \(version)"
        }
    }
}

/// Reads what a ``ByteWriter`` wrote, and trusts nothing of it: every step checks that the bytes are there.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    @usableFromInline var position: Int

    /// A reader at the start of `bytes`.
    @inlinable
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// A reader at the start of `bytes`.
    @inlinable
    public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    /// How many bytes are left.
    @inlinable
    public var remaining: Int { bytes.endIndex - position }

    /// Reads one byte.
    @inlinable
    public mutating func readByte() throws(ByteReadingError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// Reads four bytes, the lowest first.
    @inlinable
    public mutating func readUInt32() throws(ByteReadingError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readNumber(width: 4))
    }

    /// Reads eight bytes, the lowest first.
    @inlinable
    public mutating func readUInt64() throws(ByteReadingError) -> UInt64 { try readNumber(width: 8) }

    /// Reads a number of one to ten bytes (``ByteWriter/writeVarint(_:)``).
    @inlinable
    public mutating func readVarint() throws(ByteReadingError) -> UInt64 {
        // Most numbers are small.
        let first = try readByte()
        if first < 0x80 { return UInt64(first) }
        var number = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while true {
            let byte = try readByte()
            let bits = UInt64(byte & 0x7f)
            guard shift < 64, shift < 63 || bits <= 1 else { throw .oversizedNumber }
            number |= bits << shift
            if byte & 0x80 == 0 { return number }
            shift += 7
        }
    }

    /// Reads a row that is preceded by its count (``ByteWriter/writeCounted(_:)``).
    @inlinable
    public mutating func readCounted() throws(ByteReadingError) -> ArraySlice<UInt8> {
        let count = try readVarint()
        guard count <= UInt64(remaining) else { throw .truncated }
        return try read(Int(count))
    }

    /// Reads `count` bytes.
    @inlinable
    public mutating func read(_ count: Int) throws(ByteReadingError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }

    @inlinable
    mutating func readNumber(width: Int) throws(ByteReadingError) -> UInt64 {
        guard remaining >= width else { throw .truncated }
        var number: UInt64 = 0
        for place in 0..<width { number |= UInt64(bytes[position + place]) << UInt64(8 * place) }
        position += width
        return number
    }
}

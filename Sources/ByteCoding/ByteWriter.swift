/// Builds a row of bytes from numbers and other rows. Numbers of fixed width are little-endian; counts are written in
/// as few bytes as they need (LEB128).
public struct ByteWriter: Sendable {
    /// What was written so far.
    public var bytes: [UInt8] = []

    /// A writer with nothing written.
    @inlinable
    public init() {}

    /// A writer that goes on after `bytes`, and keeps their memory.
    @inlinable
    public init(reusing bytes: [UInt8]) { self.bytes = bytes }

    /// Writes one byte.
    @inlinable
    public mutating func write(_ byte: UInt8) { bytes.append(byte) }

    /// Writes four bytes, the lowest first.
    @inlinable
    public mutating func write(_ number: UInt32) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes eight bytes, the lowest first.
    @inlinable
    public mutating func write(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a number in one to ten bytes: seven bits in each, the lowest first, the high bit set in all but the last.
    @inlinable
    public mutating func writeVarint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Writes how many bytes there are, then the bytes.
    @inlinable
    public mutating func writeCounted(_ row: [UInt8]) {
        writeVarint(UInt64(row.count))
        bytes.append(contentsOf: row)
    }

    /// Writes how many bytes there are, then the bytes.
    @inlinable
    public mutating func writeCounted(_ row: some Collection<UInt8>) {
        writeVarint(UInt64(row.count))
        bytes.append(contentsOf: row)
    }
}

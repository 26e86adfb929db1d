import CChecksum

/// CRC32C, the Castagnoli polynomial of RFC 3720 §12.1, by the processor's own instruction where it has one: every error of one or two bits, and every
/// burst of up to 32, changes it.
enum Checksum {
    /// The checksum of `bytes`, going on from `seed`, the checksum of what came before.
    static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        guard isInstructionThere else { return byTables(bytes, seed: seed) }
        return ~crc32c_advance(~seed, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    private static let isInstructionThere = crc32c_is_there()

    /// The same by tables, eight bytes at a time.
    static func byTables(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var crc = ~seed
            var place = 0
            while place + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                crc = step(word ^ UInt64(crc), table)
                place += 8
            }
            while place < bytes.count {
                crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[place])] ^ (crc >> 8)
                place += 1
            }
            return ~crc
        }
    }

    /// The checksum of `bytes`.
    static func of(_ bytes: some Collection<UInt8>, seed: UInt32 = 0) -> UInt32 {
        bytes.withContiguousStorageIfAvailable { of(UnsafeRawBufferPointer($0), seed: seed) }
            ?? Array(bytes).withUnsafeBytes { of($0, seed: seed) }
    }

    @inline(__always)
    private static func step(_ word: UInt64, _ table: UnsafeBufferPointer<UInt32>) -> UInt32 {
        // Table `k` holds what a byte does to the checksum when `k` more bytes follow it.
        var crc: UInt32 = 0
        for byte in 0..<8 {
            crc ^= table[(7 - byte) * 256 + Int(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte)))]
        }
        return crc
    }

    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0x82f6_3b78 }
            tables[byte] = crc
        }
        for place in 256..<tables.count {
            let shorter = tables[place - 256]
            tables[place] = (shorter >> 8) ^ tables[Int(shorter & 0xff)]
        }
        return tables
    }()
}

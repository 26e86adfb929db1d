extension Bytes {
    /// The longest key or value that is told as a whole to whoever listens from outside.
    public static let toldMax = 256

    /// The bytes as they are told: where they are many, the first of them, and then how many they are and a number made
    /// of all of them, as `aaa…[1048576 bytes, 9ce484222325cbf2]`.
    ///
    /// What was cut is longer than whatever is told as a whole. So it is taken for nothing else, and two values are the
    /// same where they are told the same, but for a chance of one in 2^64.
    public var abridged: Bytes {
        guard count > Bytes.toldMax else { return self }
        // Within a character nothing is cut: one has at most three bytes behind its first.
        var end = Bytes.toldMax
        while end > Bytes.toldMax - 3, self[end] & 0xc0 == 0x80 { end -= 1 }
        let digits = String(digest, radix: 16)
        let zeros = String(repeating: "0", count: 16 - digits.count)
        return prefix(end) + Bytes("…[\(count) bytes, \(zeros)\(digits)]".utf8)
    }

    /// A number made of all bytes, eight at a time: of two that differ in one place it is never the same (as FNV-1a has
    /// it, but for the width).
    private var digest: UInt64 {
        withUnsafeBytes { bytes in
            var hash = 0xcbf2_9ce4_8422_2325 ^ UInt64(bytes.count)
            func take(_ word: UInt64) { hash = ((hash << 23 | hash >> 41) ^ word) &* 0x0000_0100_0000_01b3 }
            let whole = bytes.count & ~7
            for offset in stride(from: 0, to: whole, by: 8) {
                take(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            }
            for byte in bytes[whole...] { take(UInt64(byte)) }
            return hash ^ hash >> 32
        }
    }
}

extension Operation {
    /// The operation as it is told: long keys and values are cut (``Swift/Array/abridged``).
    public var abridged: Operation {
        switch self {
        case .set(let key, let value): .set(key: key.abridged, value: value.abridged)
        case .delete(let key): .delete(key: key.abridged)
        case .increment(let key, let amount): .increment(key: key.abridged, by: amount)
        case .compareAndSet(let key, let old, let new):
            .compareAndSet(key: key.abridged, old: old.abridged, new: new.abridged)
        }
    }
}

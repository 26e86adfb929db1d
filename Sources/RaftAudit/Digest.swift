import KeyValue
import RaftCore
import RaftTrace

/// A number that stands for what an entry holds or does: of a long history only that can be kept. Two that differ have
/// the same one by a chance of one in 2^64.
struct Digest: Hashable, Sendable {
    private let value: UInt64

    private init(_ hasher: consuming Hasher) { value = UInt64(bitPattern: Int64(hasher.finalize())) }

    /// What an entry holds.
    static func of(_ payload: Payload) -> Digest {
        var hasher = Hasher()
        if case .command(let bytes) = payload { hasher.combine(bytesOf: bytes) } else { hasher.combine(payload) }
        return Digest(hasher)
    }

    /// What an entry did.
    static func of(_ applied: Applied) -> Digest {
        var hasher = Hasher()
        hasher.combine(bytesOf: applied.key)
        hasher.combine(bytesOf: applied.value)
        hasher.combine(applied.client)
        hasher.combine(applied.sequence)
        hasher.combine(applied.isDuplicate)
        return Digest(hasher)
    }
}

extension Hasher {
    /// All bytes at once: an array's own way takes them one by one.
    fileprivate mutating func combine(bytesOf bytes: Bytes?) {
        combine(bytes?.count)
        bytes?.withUnsafeBytes { combine(bytes: $0) }
    }
}

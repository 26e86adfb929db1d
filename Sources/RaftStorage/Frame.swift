import ByteCoding

/// A frame: what one sync makes certain, all of it or nothing.
///
/// ```
/// ┌──────────────┬──────────────┬───────────────┬──────────────┬─────────┬─────────┐
/// │ length  u32  │ number  u32  │ checksum u32  │ header's u32 │ payload │ padding │
/// └──────────────┴──────────────┴───────────────┴──────────────┴─────────┴─────────┘
///   of the payload  of the frame   of payload      checksum                 0xA5, 1 to 16 bytes
///                                  and padding
/// ```
///
/// Frames start at multiples of 16 bytes, so that a header never lies across two sectors, and end with a byte that isn't
/// zero. A disk writes a sector wholly or not at all; so a header that is there but wrong is damage, while a payload that
/// is wrong is the trace of a crash only where a sector of it is missing: beyond the end of the file, or all zeros. The
/// header's checksum covers the frame's place as well, so that an old frame that turns up elsewhere is no frame.
enum Frame {
    static let headerSize = 16
    static let alignment = 16
    static let sectorSize = 512
    static let padding: UInt8 = 0xa5
    /// The largest payload, in bytes. A reader takes nothing larger for a length.
    static let payloadMax = 1 << 30

    /// How many bytes a frame with a payload of `length` takes: at least one of them is padding.
    static func size(payload length: Int) -> Int { headerSize + (length / alignment + 1) * alignment }

    /// The frame of `payload`, to be written at `offset` of the file of this `segment`.
    static func encoded(_ payload: [UInt8], number: UInt64, segment: UInt64, offset: Int) -> [UInt8] {
        var writer = begun(reusing: [])
        writer.bytes.append(contentsOf: payload)
        finish(&writer, number: number, segment: segment, offset: offset)
        return writer.bytes
    }

    /// A writer that goes on with the payload of a frame, in the memory of `bytes`.
    static func begun(reusing bytes: [UInt8]) -> ByteWriter {
        var writer = ByteWriter(reusing: bytes)
        writer.bytes.removeAll(keepingCapacity: true)
        writer.bytes.append(contentsOf: repeatElement(0, count: headerSize))
        return writer
    }

    /// Makes a frame of what was written after ``begun(reusing:)``, to be written at `offset` of the file of this `segment`.
    static func finish(_ writer: inout ByteWriter, number: UInt64, segment: UInt64, offset: Int) {
        let length = writer.bytes.count - headerSize
        precondition(length <= payloadMax, "a frame holds at most \(payloadMax) bytes, not \(length)")
        let size = size(payload: length)
        writer.bytes.append(contentsOf: repeatElement(padding, count: size - writer.bytes.count))
        var header = ByteWriter()
        header.write(UInt32(length))
        header.write(UInt32(truncatingIfNeeded: number))
        header.write(Checksum.of(writer.bytes[headerSize...]))
        header.write(headerChecksum(header.bytes[...], segment: segment, offset: offset))
        writer.bytes.replaceSubrange(..<headerSize, with: header.bytes)
    }

    /// What stands at a place of a file.
    enum Reading: Equatable {
        /// A frame, and the place behind it.
        case frame(payload: ArraySlice<UInt8>, number: UInt32, next: Int)
        /// Nothing: the file ends here, or holds zeros from here on.
        case end
        /// A frame that a crash kept from being written whole, and why it is taken for one.
        case torn(reason: String)
        /// Bytes that no crash explains, and what is wrong with them.
        case damaged(reason: String)
    }

    /// Reads what stands at `offset` of a file.
    static func read(_ file: [UInt8], at offset: Int, segment: UInt64) -> Reading {
        let left = file.count - offset
        let header = file[offset..<offset + min(left, headerSize)]
        if header.allSatisfy({ $0 == 0 }) { return readZeros(file, at: offset, segment: segment) }
        guard left >= headerSize else { return .torn(reason: "the file ends within a header") }
        guard let (length, number, checksum) = parse(header, segment: segment, offset: offset) else {
            return .damaged(reason: "the header's checksum is wrong")
        }
        let size = size(payload: length)
        guard left >= size else { return .torn(reason: "the file ends within a frame") }
        let body = file[offset + headerSize..<offset + size]
        guard Checksum.of(body) == checksum else {
            return readWrongBody(file, offset..<offset + size, segment: segment)
        }
        return .frame(payload: body.prefix(length), number: number, next: offset + size)
    }

    /// Whether a whole, valid frame stands anywhere from `offset` on.
    static func isAnyFrame(in file: [UInt8], from offset: Int, segment: UInt64) -> Bool {
        var place = offset
        while place + headerSize <= file.count {
            if let (length, _, checksum) = parse(file[place..<place + headerSize], segment: segment, offset: place) {
                let end = place + size(payload: length)
                if end <= file.count, Checksum.of(file[place + headerSize..<end]) == checksum { return true }
            }
            place += alignment
        }
        return false
    }

    private static func readZeros(_ file: [UInt8], at offset: Int, segment: UInt64) -> Reading {
        guard file[offset...].contains(where: { $0 != 0 }) else { return .end }
        if isAnyFrame(in: file, from: offset, segment: segment) {
            return .damaged(reason: "zeros stand where a frame was, before frames that are whole")
        }
        return .torn(reason: "a frame's first sector is missing")
    }

    private static func readWrongBody(_ file: [UInt8], _ range: Range<Int>, segment: UInt64) -> Reading {
        if isAnyFrame(in: file, from: range.upperBound, segment: segment) {
            return .damaged(reason: "a frame's checksum is wrong, before frames that are whole")
        }
        // The header's own sector is there; the others are missing where they hold nothing but zeros.
        var sector = (range.lowerBound / sectorSize + 1) * sectorSize
        while sector < range.upperBound {
            let end = min(sector + sectorSize, range.upperBound)
            if file[sector..<end].allSatisfy({ $0 == 0 }) {
                return .torn(reason: "a sector of the last frame is missing")
            }
            sector = end
        }
        return .damaged(reason: "the last frame's checksum is wrong, though all of its sectors are there")
    }

    /// The fields of a header; `nil` where its checksum is wrong.
    private static func parse(
        _ header: ArraySlice<UInt8>, segment: UInt64, offset: Int
    ) -> (length: Int, number: UInt32, checksum: UInt32)? {
        var reader = ByteReader(header)
        guard let length = try? reader.readUInt32(), let number = try? reader.readUInt32(),
            let checksum = try? reader.readUInt32(), let own = try? reader.readUInt32(),
            own == headerChecksum(header.prefix(12), segment: segment, offset: offset), length <= payloadMax
        else { return nil }
        return (Int(length), number, checksum)
    }

    private static func headerChecksum(_ fields: ArraySlice<UInt8>, segment: UInt64, offset: Int) -> UInt32 {
        var place = ByteWriter()
        place.write(segment)
        place.write(UInt64(offset))
        return Checksum.of(fields, seed: Checksum.of(place.bytes))
    }
}

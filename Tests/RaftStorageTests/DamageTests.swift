import ByteCoding
import RaftCore
import Testing

@testable import RaftStorage

private typealias Log = WriteAheadLog<MemoryDisk>

private func write(_ first: UInt64, _ text: String) -> Write {
    Write(
        number: 1, hardState: nil, first: LogIndex(first),
        entries: [Entry(term: Term(1), payload: .command(Array(text.utf8)))])
}

/// What no crash explains, and what only a crash does.
struct DamageTests {
    /// A log whose first file ends at `length`, a multiple of 16.
    private func log(ofLength length: Int) throws -> (log: Log, recovered: Recovered) {
        var (log, _) = try Log.open(on: MemoryDisk())
        // A frame is 32 bytes with up to 15 of payload; of these, the record of an entry takes few.
        let begun = log.disk.files["log-00000001"]?.bytes.count ?? 0
        try log.append([write(1, String(repeating: "k", count: length - begun - 32))])
        try log.sync()
        #expect(log.disk.files["log-00000001"]?.bytes.count == length)
        log.disk.files["log-00000001"]?.zeros = 0
        return (log, try Log.open(on: log.disk).recovered)
    }

    @Test(
        "a batch that a crash tore is cut off, wherever in a sector it begins and whichever of its sectors are missing",
        arguments: (32..<64).map { $0 * 16 })
    func tornAnywhere(start: Int) throws {
        var (log, before) = try log(ofLength: start)
        try log.append([write(2, String(repeating: "v", count: 560))])
        let whole = log.disk.files["log-00000001"]?.bytes ?? []
        let sectors = Array(start / 512...(whole.count - 1) / 512)
        for missing in 1..<1 << sectors.count {
            for kept in 1...sectors.count {
                // The file may end with any of its sectors, too.
                var bytes = Array(whole.prefix((sectors[0] + kept) * 512))
                for (place, sector) in sectors.enumerated() where missing & 1 << place != 0 {
                    let first = max(start, sector * 512)
                    for byte in first..<max(first, min(sector * 512 + 512, bytes.count)) { bytes[byte] = 0 }
                }
                guard bytes != whole else { continue }
                log.disk.files["log-00000001"]?.bytes = bytes
                let (_, recovered) = try Log.open(on: log.disk)
                #expect(recovered.entries == before.entries, "sectors \(missing) missing of \(kept)")
                #expect(recovered.repairs.allSatisfy { $0.offset == start && !$0.reason.isEmpty })
            }
        }
    }

    @Test("with any bit of any file flipped, the log is whole or refused with file, offset and reason")
    func flipAnywhere() throws {
        var (log, _) = try Log.open(on: MemoryDisk(), segmentBytesMax: 100)
        for number in 1...6 as ClosedRange<UInt64> {
            try log.append([write(number, "value \(number)")])
            try log.sync()
        }
        let whole = try Log.open(on: log.disk).recovered.entries
        #expect(log.disk.files.count >= 3)
        for (name, file) in log.disk.files {
            for bit in 0..<file.bytes.count * 8 {
                var flipped = log.disk
                flipped.files[name]?.bytes[bit / 8] ^= 1 << (bit % 8)
                do {
                    let (_, recovered) = try Log.open(on: flipped)
                    #expect(recovered.entries == whole, "bit \(bit) of \(name)")
                } catch StorageError.damaged(let path, let offset, let reason) {
                    #expect(path == "disk/" + name)
                    #expect(offset <= bit / 8)
                    #expect(!reason.isEmpty)
                }
            }
        }
    }

    @Test(
        "a damaged length makes no frame of what isn't there, and takes no more memory than the file holds",
        arguments: [0, 15, 48, 64, 1 << 20, 1 << 30, 1 << 30 + 1, .max] as [UInt32], [false, true])
    func damagedLength(length: UInt32, hasRightChecksum: Bool) throws {
        var file = Frame.encoded([UInt8](repeating: 7, count: 40), number: 1, segment: 1, offset: 0)
        var fields = ByteWriter()
        fields.write(length)
        file.replaceSubrange(0..<4, with: fields.bytes)
        if hasRightChecksum {
            // No disk does this by chance; it shows that the length isn't believed for its checksum alone.
            var place = ByteWriter()
            place.write(UInt64(1))
            place.write(UInt64(0))
            var checksum = ByteWriter()
            checksum.write(Checksum.of(file[0..<12], seed: Checksum.of(place.bytes)))
            file.replaceSubrange(12..<16, with: checksum.bytes)
        }
        switch Frame.read(file, at: 0, segment: 1) {
        case .damaged: break
        case .torn: #expect(hasRightChecksum)
        case .frame, .end: Issue.record("a frame of \(length) bytes")
        }
    }

    @Test(
        "a damaged count or length within a record takes no more memory than the frame holds",
        arguments: [3, 1 << 20, 1 << 40, .max] as [UInt64])
    func damagedCounts(count: UInt64) {
        var entries = ByteWriter()
        entries.write(UInt8(3))
        entries.writeVarint(1)
        entries.writeVarint(count)
        entries.bytes += [1, 0]
        #expect(throws: ByteReadingError.truncated) { try Record.all(in: entries.bytes[...]) }
        var command = ByteWriter()
        command.write(UInt8(3))
        command.bytes += [1, 1, 1, 1]
        command.writeVarint(count)
        command.bytes += [7]
        #expect(throws: ByteReadingError.truncated) { try Record.all(in: command.bytes[...]) }
        var disk = MemoryDisk()
        disk.files["log-00000001"] = .init(bytes: Frame.encoded(entries.bytes, number: 1, segment: 1, offset: 0))
        #expect(throws: StorageError.self) { try Log.open(on: disk) }
    }

    @Test("a file that doesn't begin where the one before it ends is refused: no gap, no overlap, no other's file")
    func gapsAndOverlaps() throws {
        let (log, recovered) = try log(ofLength: 512)
        let state = recovered.hardState
        let last = LogIndex(1)
        let right = SegmentStart(segment: 2, frame: 3, hardState: state, base: .zero, last: last)
        func open(_ start: SegmentStart) throws -> [Entry] {
            var writer = ByteWriter()
            Record.start(start).encode(into: &writer)
            var disk = log.disk
            disk.files["log-00000002"] = .init(
                bytes: Frame.encoded(writer.bytes, number: start.frame, segment: 2, offset: 0))
            return try Log.open(on: disk).recovered.entries
        }
        #expect(try open(right) == recovered.entries)
        var wrong = [right, right, right, right, right, right]
        wrong[0].last = last.next
        wrong[1].last = .zero
        wrong[2].frame = 4
        wrong[3].frame = 2
        wrong[4].segment = 3
        wrong[5].hardState = HardState(term: state.term.next)
        for start in wrong {
            do {
                _ = try open(start)
                Issue.record("opened: \(start)")
            } catch StorageError.damaged(let file, let offset, let reason) {
                #expect(file == "disk/log-00000002")
                #expect(offset == 0)
                #expect(!reason.isEmpty)
            }
        }
        var copied = log.disk
        copied.files["log-00000002"] = copied.files["log-00000001"]
        #expect(throws: StorageError.self) { try Log.open(on: copied) }
    }

    @Test("an identity of a later format is refused by its number")
    func laterIdentity() {
        var disk = MemoryDisk()
        disk.files["identity"] = .init(bytes: Frame.encoded([9, 0, 0], number: 0, segment: 0, offset: 0))
        #expect(throws: StorageError.unknownVersion(file: "disk/identity", version: 9)) {
            try Identity.read(from: disk)
        }
    }
}

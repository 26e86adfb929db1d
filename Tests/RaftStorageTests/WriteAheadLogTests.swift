import RaftCore
import Testing

@testable import RaftStorage

private typealias Log = WriteAheadLog<MemoryDisk>

private func entry(_ term: UInt64, _ text: String = "") -> Entry {
    Entry(term: Term(term), payload: text.isEmpty ? .noop : .command(Array(text.utf8)))
}

private func write(
    term: UInt64? = nil, vote: NodeID? = nil, first: UInt64 = 1, _ entries: [Entry] = [], number: WriteNumber = 1
) -> Write {
    let state = term.map { HardState(term: Term($0), vote: vote) }
    return Write(number: number, hardState: state, first: LogIndex(first), entries: entries)
}

extension MemoryDisk {
    fileprivate var firstFile: [UInt8] {
        get { files["log-00000001"]?.bytes ?? [] }
        set { files["log-00000001"] = File(bytes: newValue, synced: newValue.count) }
    }
}

struct WriteAheadLogTests {
    /// A small log: each batch was acknowledged before the next was written.
    private static let batches: [[Write]] = [
        [write(term: 1, vote: NodeID(2))],
        [write(first: 1, [entry(1), entry(1, "set x 1")]), write(first: 3, [entry(1, "set y 2")])],
        [write(term: 3, first: 3, [entry(3, "set y 3"), entry(3, "a somewhat longer command that fills the frame")])],
    ]

    private static func smallLog() throws -> (disk: MemoryDisk, states: [(length: Int, recovered: Recovered)]) {
        var (log, _) = try Log.open(on: MemoryDisk())
        try log.sync()
        var states = [(log.disk.firstFile.count, try Log.open(on: log.disk).recovered)]
        for batch in batches {
            try log.append(batch)
            try log.sync()
            states.append((log.disk.firstFile.count, try Log.open(on: log.disk).recovered))
        }
        return (log.disk, states)
    }

    @Test("what was synced is there when the log is opened again, the last word on each index")
    func reopen() throws {
        let (disk, _) = try Self.smallLog()
        let (_, recovered) = try Log.open(on: disk)
        #expect(recovered.hardState == HardState(term: Term(3)))
        #expect(
            recovered.entries == [
                entry(1), entry(1, "set x 1"), entry(3, "set y 3"),
                entry(3, "a somewhat longer command that fills the frame"),
            ])
        #expect(recovered.repairs.isEmpty)
    }

    @Test("a write that removes entries without adding any is remembered")
    func truncation() throws {
        var (log, _) = try Log.open(on: MemoryDisk())
        try log.append([write(first: 1, [entry(1), entry(1), entry(1)])])
        try log.append([write(first: 2, [])])
        try log.append([write(term: 4, first: 2, [])])
        try log.sync()
        let (_, recovered) = try Log.open(on: log.disk)
        #expect(recovered.entries == [entry(1)])
        #expect(recovered.hardState.term == Term(4))
    }

    @Test("cut at any byte, the log opens with every batch that is still whole, and says where it was cut")
    func cutAnywhere() throws {
        let (disk, states) = try Self.smallLog()
        for length in 0..<disk.firstFile.count {
            var cut = disk
            cut.firstFile = Array(disk.firstFile.prefix(length))
            let (_, recovered) = try Log.open(on: cut)
            let whole = states.last { $0.length <= length }
            #expect(recovered.entries == whole?.recovered.entries ?? [])
            #expect(recovered.hardState == whole?.recovered.hardState ?? HardState())
            #expect(recovered.repairs.isEmpty == (length == 0 || states.contains { $0.length == length }))
        }
    }

    @Test("with any bit flipped, the log is refused with file, offset and reason: nothing acknowledged is lost")
    func flipAnyBit() throws {
        let (disk, states) = try Self.smallLog()
        let whole = try #require(states.last).recovered
        for bit in 0..<disk.firstFile.count * 8 {
            var flipped = disk
            flipped.firstFile[bit / 8] ^= 1 << (bit % 8)
            do {
                let (_, recovered) = try Log.open(on: flipped)
                #expect(recovered.entries == whole.entries && recovered.hardState == whole.hardState, "bit \(bit)")
            } catch StorageError.damaged(let file, let offset, let reason) {
                #expect(file == "disk/log-00000001")
                #expect(offset <= bit / 8)
                #expect(!reason.isEmpty)
            }
        }
    }

    @Test("with any byte zeroed the log is refused or whole, too")
    func zeroAnyByte() throws {
        let (disk, states) = try Self.smallLog()
        let whole = try #require(states.last).recovered
        for place in disk.firstFile.indices {
            var zeroed = disk
            zeroed.firstFile[place] = 0
            if let (_, recovered) = try? Log.open(on: zeroed) {
                #expect(recovered.entries == whole.entries, "byte \(place)")
            }
        }
    }

    @Test(
        "a batch of which some sectors are missing is cut off, whichever they are, at the end of a file and before zeros",
        arguments: 1..<8, [false, true])
    func tornSectors(missing: Int, isBeforeZeros: Bool) throws {
        var (log, _) = try Log.open(on: MemoryDisk())
        try log.append([write(term: 1, first: 1, [entry(1, "kept")])])
        try log.sync()
        let synced = log.disk.firstFile.count
        try log.append([write(first: 2, [entry(1, String(repeating: "v", count: 1_200))])])
        var torn = log.disk
        let sectors = (synced / 512 + 1)...(torn.firstFile.count / 512)
        #expect(sectors.count >= 2)
        for (place, sector) in sectors.enumerated() where missing & (1 << place) != 0 {
            for byte in sector * 512..<min(sector * 512 + 512, torn.firstFile.count) { torn.firstFile[byte] = 0 }
        }
        guard torn.firstFile != log.disk.firstFile else { return }
        if isBeforeZeros { torn.files["log-00000001"]?.zeros = 10_000 }
        let (_, recovered) = try Log.open(on: torn)
        #expect(recovered.entries == [entry(1, "kept")])
        #expect(recovered.repairs.map(\.offset) == [synced])
    }

    @Test("a batch whose first sector is missing is cut off")
    func tornFirstSector() throws {
        var (log, _) = try Log.open(on: MemoryDisk())
        try log.append([write(first: 1, [entry(1, String(repeating: "v", count: 512 - 60 - 128))])])
        try log.sync()
        while log.disk.firstFile.count % 512 != 0 {
            try log.append([write(term: 1, first: 2)])
            try log.sync()
        }
        let before = try Log.open(on: log.disk).recovered
        let synced = log.disk.firstFile.count
        try log.append([write(first: 2, [entry(1, String(repeating: "v", count: 900))])])
        var torn = log.disk
        for byte in synced..<synced + 512 { torn.firstFile[byte] = 0 }
        let (_, recovered) = try Log.open(on: torn)
        #expect(recovered.entries == before.entries)
        #expect(recovered.repairs.count == 1)
    }

    @Test("a tail that is filled with zeros is nothing")
    func zeroTail() throws {
        var (disk, _) = try Self.smallLog()
        let whole = try Log.open(on: disk).recovered.entries
        for count in [1, 15, 16, 17, 512, 5_000] {
            disk.firstFile += [UInt8](repeating: 0, count: count)
            var (log, recovered) = try Log.open(on: disk)
            #expect(recovered.entries == whole)
            try log.append([write(first: 5, [entry(3, "more")])])
            try log.sync()
            #expect(try Log.open(on: log.disk).recovered.entries == whole + [entry(3, "more")])
        }
    }

    @Test("zeros stand ahead of small batches, and are gone when the log is opened again")
    func preallocated() throws {
        let (disk, _) = try Self.smallLog()
        let file = try #require(disk.files["log-00000001"])
        #expect(file.zeros > 100_000)
        var (log, recovered) = try Log.open(on: disk)
        #expect(recovered.entries.count == 4 && recovered.repairs.isEmpty)
        #expect(log.disk.files["log-00000001"]?.zeros == 0)
        for number in 5...3_000 as ClosedRange<UInt64> {
            try log.append([write(first: number, [entry(3, "more than is set aside at once, in the end")])])
            try log.sync()
            let zeros = try #require(log.disk.files["log-00000001"]?.zeros)
            #expect(zeros >= 65_000 && zeros < 300_000)
        }
        #expect(try Log.open(on: log.disk).recovered.entries.count == 3_000)
    }

    @Test("no zeros are written ahead of large batches, which take as long as their bytes do")
    func largeBatches() throws {
        var (log, _) = try Log.open(on: MemoryDisk())
        try log.append([write(first: 1, [entry(1, String(repeating: "v", count: 20_000))])])
        try log.sync()
        #expect(log.disk.files["log-00000001"]?.zeros == 0)
    }

    @Test("a disk that has no room for zeros takes what there is to write all the same")
    func noRoomForZeros() throws {
        var disk = MemoryDisk()
        disk.refused = "allocate"
        var (log, _) = try Log.open(on: disk)
        for number in 1...10 as ClosedRange<UInt64> {
            try log.append([write(first: number, [entry(1)])])
            try log.sync()
        }
        #expect(log.disk.files["log-00000001"]?.zeros == 0)
        #expect(try Log.open(on: log.disk).recovered.entries.count == 10)
    }

    @Test("a log whose end was cut off goes on as if the lost batch had never been written")
    func goesOn() throws {
        let (disk, _) = try Self.smallLog()
        var cut = disk
        cut.firstFile.removeLast(20)
        var (log, before) = try Log.open(on: cut)
        #expect(before.repairs.count == 1)
        try log.append([write(term: 5, first: 4, [entry(5, "again")])])
        try log.sync()
        let (_, recovered) = try Log.open(on: log.disk)
        #expect(recovered.entries == before.entries + [entry(5, "again")])
        #expect(recovered.hardState.term == Term(5))
        #expect(recovered.repairs.isEmpty)
    }

    @Test("a long log is kept in several files, which are read as one")
    func files() throws {
        let (log, entries) = try manyFiles()
        #expect(log.disk.files.count > 5)
        #expect(try Log.open(on: log.disk).recovered.entries == entries)
    }

    private func manyFiles() throws -> (Log, [Entry]) {
        var (log, _) = try Log.open(on: MemoryDisk(), segmentBytesMax: 300)
        var entries: [Entry] = []
        for number in 1...40 as ClosedRange<UInt64> {
            entries.append(entry(number, "value \(number)"))
            try log.append([write(term: number, first: number, [entry(number, "value \(number)")])])
            try log.sync()
        }
        return (log, entries)
    }

    @Test("a file that is missing is named, and the log refused")
    func missingFile() throws {
        let (log, _) = try manyFiles()
        for name in ["log-00000001", "log-00000003"] {
            var disk = log.disk
            disk.files[name] = nil
            #expect(
                throws: StorageError.damaged(file: "disk/" + name, offset: 0, reason: "the file is missing")
            ) { try Log.open(on: disk) }
        }
    }

    @Test("a file that is torn or empty is refused anywhere but at the end")
    func tornInTheMiddle() throws {
        let (log, _) = try manyFiles()
        let whole = log.disk.files["log-00000003"]?.bytes ?? []
        for bytes in [Array(whole.dropLast(5)), []] {
            var disk = log.disk
            disk.files["log-00000003"]?.bytes = bytes
            let error = #expect(throws: StorageError.self) { try Log.open(on: disk) }
            #expect(error?.description.hasPrefix("disk/log-00000003 is damaged at byte ") == true)
        }
    }

    @Test("a batch that is missing between two others is refused")
    func gap() throws {
        let (disk, states) = try Self.smallLog()
        var gap = disk
        gap.firstFile.removeSubrange(states[1].length..<states[2].length)
        #expect(throws: StorageError.self) { try Log.open(on: gap) }
    }

    @Test("files that are none of the log's are left alone")
    func strangers() throws {
        var (disk, _) = try Self.smallLog()
        for name in ["log-1", "log-00000001.old", "log-", "identity.new", "notes"] {
            disk.files[name] = .init(bytes: [1])
        }
        #expect(try Log.open(on: disk).recovered.entries.count == 4)
    }

    @Test("a file of a later format is refused by its number")
    func laterFormat() throws {
        let frame = Frame.encoded([1, 99, 0], number: 1, segment: 1, offset: 0)
        var disk = MemoryDisk()
        disk.firstFile = frame
        #expect(throws: StorageError.unknownVersion(file: "disk/log-00000001", version: 99)) { try Log.open(on: disk) }
    }

    @Test("an empty file at the end, as a crash after its making leaves it, loses nothing")
    func emptyNewFile() throws {
        var (disk, _) = try Self.smallLog()
        disk.files["log-00000002"] = .init()
        var (log, recovered) = try Log.open(on: disk)
        #expect(recovered.entries.count == 4)
        try log.append([write(first: 5, [entry(3, "more")])])
        try log.sync()
        #expect(try Log.open(on: log.disk).recovered.entries.count == 5)
        #expect(log.disk.files["log-00000002"]?.bytes.isEmpty == false)
    }

    @Test("wherever the disk fails, every batch that was synced is there afterwards, whatever of the last was written")
    func failsAnywhere() throws {
        for failsAfter in 0..<120 {
            var disk = MemoryDisk()
            disk.failsAfter = failsAfter
            disk.writtenOfFailed = failsAfter * 5 % 49
            var certain: [Entry] = []
            var survivor = disk
            do {
                var (log, _) = try Log.open(on: disk, segmentBytesMax: 200)
                survivor = log.disk
                for number in 1...20 as ClosedRange<UInt64> {
                    defer { survivor = log.disk }
                    try log.append([write(first: number, [entry(1, "\(number)")])])
                    try log.sync()
                    certain.append(entry(1, "\(number)"))
                }
            } catch {}
            survivor.failsAfter = nil
            let (_, recovered) = try Log.open(on: survivor)
            #expect(recovered.entries.starts(with: certain), "after \(failsAfter) operations")
        }
    }

    @Test("what an opened log says it holds is certain, though a process ended between a write and its sync")
    func openedIsCertain() throws {
        for segmentBytesMax in [1, 1 << 20] {
            var (log, _) = try Log.open(on: MemoryDisk(), segmentBytesMax: segmentBytesMax)
            try log.append([write(first: 1, [entry(1, "certain")])])
            try log.sync()
            try log.append([write(term: 7, first: 2, [entry(7, "written")])])
            var (again, recovered) = try Log.open(on: log.disk, segmentBytesMax: segmentBytesMax)
            #expect(recovered.entries.count == 2)
            #expect(again.disk.files.allSatisfy { $0.value.synced == $0.value.bytes.count })
            #expect(again.disk.syncedNames == Set(again.disk.files.keys))
            try again.losePower()
            let after = try Log.open(on: again.disk).recovered
            #expect(after.entries == recovered.entries)
            #expect(after.hardState == recovered.hardState)
        }
    }

    @Test("a power cut takes what was not synced, and nothing else")
    func powerCut() throws {
        var (log, _) = try Log.open(on: MemoryDisk())
        try log.append([write(first: 1, [entry(1, "certain")])])
        try log.sync()
        try log.append([write(first: 2, [entry(1, "written")])])
        #expect(try Log.open(on: log.disk).recovered.entries.count == 2, "a killed process leaves it to the kernel")
        try log.losePower()
        #expect(try Log.open(on: log.disk).recovered.entries == [entry(1, "certain")])
    }
}

struct ChecksumTests {
    @Test("the checksum is CRC32C: RFC 3720 §B.4")
    func knownValues() {
        #expect(Checksum.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(Checksum.of([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(Checksum.of(Array(0..<32 as Range<UInt8>)) == 0x46dd_794e)
        #expect(Checksum.of(Array("123456789".utf8)) == 0xe306_9283)
    }

    @Test("the processor's instruction and the tables agree, for every length and place")
    func tables() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 151 ^ $0 >> 3) }
        for start in 0..<9 {
            for end in start..<bytes.count {
                let piece = bytes[start..<end]
                #expect(Checksum.of(piece, seed: 7) == piece.withUnsafeBytes { Checksum.byTables($0, seed: 7) })
            }
        }
    }

    @Test("it can be taken in pieces")
    func pieces() {
        let bytes = Array(0...255 as ClosedRange<UInt8>)
        for split in [0, 1, 7, 8, 9, 100, 256] {
            let seed = Checksum.of(bytes.prefix(split))
            #expect(Checksum.of(bytes.dropFirst(split), seed: seed) == Checksum.of(bytes))
        }
    }
}

import RaftCore
import Testing

@testable import RaftStorage

/// Snapshots on disk, and logs whose beginning they stand for: every point at which a crash can come.
struct SnapshotFileTests {
    private typealias Wal = WriteAheadLog<SharedDisk>

    private func entry(_ term: UInt64, _ byte: UInt8) -> Entry {
        Entry(term: Term(term), payload: .command([byte, byte, byte, byte]))
    }

    private func snapshot(_ term: UInt64, _ index: UInt64) -> Snapshot {
        let last = LogPosition(term: Term(term), index: LogIndex(index))
        return Snapshot(
            mark: SnapshotMark(last: last, configuration: Configuration(count: 3)), bytes: [UInt8(index)])
    }

    private func entries(_ range: ClosedRange<UInt64>, number: WriteNumber = 1) -> Write {
        Write(
            number: number, hardState: HardState(term: Term(1)), first: LogIndex(range.lowerBound),
            entries: range.map { entry(1, UInt8($0)) })
    }

    private func base(_ index: UInt64, last: UInt64, number: WriteNumber = 2) -> Write {
        Write(
            number: number, hardState: nil, base: LogPosition(term: Term(1), index: LogIndex(index)),
            first: LogIndex(last + 1), entries: [])
    }

    /// Takes a snapshot up to `index` of a log that ends at `last`, as a server does.
    private func compact(_ log: inout Wal, to index: UInt64, last: UInt64) throws {
        try log.beginDraft(snapshot(1, index))
        try log.syncDraft()
        #expect(try log.adoptDraft(upTo: snapshot(1, index).mark.last))
        try log.disk.syncNames()
        try log.append([base(index, last: last)])
        try log.sync()
    }

    @Test("a log is opened with its snapshot, after which it begins")
    func opens() throws {
        let disk = SharedDisk()
        var (log, _) = try Wal.open(on: disk)
        try log.append([entries(1...5)])
        try log.sync()
        try compact(&log, to: 3, last: 5)
        try log.append([Write(number: 3, hardState: nil, first: LogIndex(6), entries: [entry(1, 6)])])
        try log.sync()
        let recovered = try Wal.open(on: disk).recovered
        #expect(recovered.snapshot == snapshot(1, 3))
        #expect(recovered.base.index == LogIndex(3))
        #expect(recovered.entries.map(\.payload) == (4...6).map { entry(1, $0).payload })
    }

    @Test("a crash at any operation while a snapshot is taken leaves the whole log, or the snapshot and the rest of it")
    func takingCrashes() throws {
        for failing in 0... {
            let disk = SharedDisk()
            var (log, _) = try Wal.open(on: disk, segmentBytesMax: 64)
            for number in 1...5 as ClosedRange<UInt64> {
                try log.append([entries(number...number, number: number)])
                try log.sync()
            }
            disk.memory.failsAfter = failing
            let isOver = (try? compact(&log, to: 3, last: 5)) != nil
            disk.memory.failsAfter = nil
            for crashed in [disk.memory, disk.memory.afterPowerCut()] {
                let reborn = SharedDisk()
                reborn.memory = crashed
                let recovered = try Wal.open(on: reborn, segmentBytesMax: 64).recovered
                #expect(recovered.log.lastIndex == LogIndex(5), "failing at \(failing)")
                #expect(recovered.hardState.term == Term(1))
                let base = recovered.base.index
                #expect(base == .zero || base == LogIndex(3) && recovered.snapshot == snapshot(1, 3))
            }
            if isOver { break }
        }
    }

    @Test("a crash at any operation while a leader's snapshot is installed leaves the old log, or the snapshot")
    func installingCrashes() throws {
        for failing in 0... {
            let disk = SharedDisk()
            var (log, _) = try Wal.open(on: disk)
            try log.append([entries(1...5)])
            try log.sync()
            disk.memory.failsAfter = failing
            let install = Write(
                number: 2, hardState: HardState(term: Term(4)), snapshot: snapshot(3, 4),
                base: snapshot(3, 4).mark.last, first: LogIndex(5), entries: [])
            var isOver = false
            do {
                try log.append([install])
                try log.sync()
                isOver = true
            } catch {}
            disk.memory.failsAfter = nil
            for crashed in [disk.memory, disk.memory.afterPowerCut()] {
                let reborn = SharedDisk()
                reborn.memory = crashed
                var recovered = try Wal.open(on: reborn).recovered
                if recovered.snapshot == nil {
                    #expect(recovered.log.lastIndex == LogIndex(5), "failing at \(failing)")
                    #expect(!isOver)
                    continue
                }
                // Twice: what the first opening has put right, the second finds so.
                for _ in 1...2 {
                    #expect(recovered.base == snapshot(3, 4).mark.last, "failing at \(failing)")
                    #expect(recovered.entries.isEmpty)
                    #expect(recovered.hardState.term >= Term(3))
                    recovered = try Wal.open(on: reborn).recovered
                }
            }
            if isOver { break }
        }
    }

    @Test("files at the head go once a snapshot stands for all that is in them, and the rest opens by itself")
    func dropsHead() throws {
        let disk = SharedDisk()
        var (log, _) = try Wal.open(on: disk, segmentBytesMax: 64)
        for number in 1...9 as ClosedRange<UInt64> {
            try log.append([entries(number...number, number: number)])
            try log.sync()
        }
        let before = try Segment.numbers(on: disk).count
        try compact(&log, to: 7, last: 9)
        let numbers = try Segment.numbers(on: disk)
        #expect(numbers.count < before)
        #expect(numbers.first ?? 0 > 1)
        let recovered = try Wal.open(on: disk, segmentBytesMax: 64).recovered
        #expect(recovered.base.index == LogIndex(7))
        #expect(recovered.log.lastIndex == LogIndex(9))
    }

    /// A disk of several files, with a snapshot up to 7 that has made the first ones superfluous.
    private func compacted() throws -> SharedDisk {
        let disk = SharedDisk()
        var (log, _) = try Wal.open(on: disk, segmentBytesMax: 64)
        for number in 1...9 as ClosedRange<UInt64> {
            try log.append([entries(number...number, number: number)])
            try log.sync()
        }
        try compact(&log, to: 7, last: 9)
        return disk
    }

    @Test("a log without the snapshot that stands for its beginning is refused, and so is one with an older one")
    func missingSnapshot() throws {
        let disk = try compacted()
        let whole = disk.memory
        try disk.remove(SnapshotFile.name)
        #expect(throws: StorageError.self) { try Wal.open(on: disk) }
        disk.memory = whole
        try disk.remove(SnapshotFile.name)
        try SnapshotFile.write(snapshot(1, 2), to: &disk.memory, as: SnapshotFile.name)
        #expect(throws: StorageError.self) { try Wal.open(on: disk) }
    }

    @Test("a damaged snapshot is refused with its file, whichever bit is wrong")
    func damagedSnapshot() throws {
        let disk = try compacted()
        let whole = disk.memory
        for bit in 0..<(whole.files[SnapshotFile.name]?.bytes.count ?? 0) * 8 {
            disk.memory = whole
            disk.memory.files[SnapshotFile.name]?.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let error = #expect(throws: StorageError.self) { try Wal.open(on: disk) }
            #expect(error?.description.contains("snapshot") == true)
        }
    }

    @Test("what a crash has left of a snapshot that was being written is ignored and taken away")
    func orphans() throws {
        let disk = try compacted()
        disk.memory.files[SnapshotFile.draft] = .init(bytes: [1, 2, 3])
        disk.memory.files[SnapshotFile.received] = .init(bytes: [])
        #expect(try Wal.open(on: disk).recovered.snapshot == snapshot(1, 7))
        #expect(disk.memory.files[SnapshotFile.draft] == nil)
        #expect(disk.memory.files[SnapshotFile.received] == nil)
    }

    @Test("a file that is missing in the middle is missed, unless the snapshot stands for all before it")
    func gap() throws {
        let disk = SharedDisk()
        var (log, _) = try Wal.open(on: disk, segmentBytesMax: 64)
        for number in 1...9 as ClosedRange<UInt64> {
            try log.append([entries(number...number, number: number)])
            try log.sync()
        }
        let whole = disk.memory
        let numbers = try Segment.numbers(on: disk)
        for missing in numbers.dropLast() {
            disk.memory = whole
            try disk.remove(Segment.name(missing))
            #expect(throws: StorageError.self) { try Wal.open(on: disk) }
        }
        // A snapshot was taken, and a crash came while files were taken away, of which a later one went first.
        disk.memory = whole
        try compact(&log, to: 7, last: 9)
        let left = try Segment.numbers(on: disk)
        disk.memory.files[Segment.name(1)] = whole.files[Segment.name(1)]
        let recovered = try Wal.open(on: disk).recovered
        #expect(recovered.log.lastIndex == LogIndex(9))
        #expect(try Segment.numbers(on: disk) == left)
    }

    @Test("a snapshot of the server's own that is older than a leader's doesn't take its place")
    func olderDraft() throws {
        let disk = SharedDisk()
        var (log, _) = try Wal.open(on: disk)
        try log.append([entries(1...5)])
        try log.sync()
        try log.beginDraft(snapshot(1, 4))
        try log.syncDraft()
        try log.append([
            Write(
                number: 2, hardState: nil, snapshot: snapshot(1, 8), base: snapshot(1, 8).mark.last,
                first: LogIndex(9), entries: [])
        ])
        try log.sync()
        #expect(try !log.adoptDraft(upTo: snapshot(1, 4).mark.last))
        #expect(try Wal.open(on: disk).recovered.snapshot == snapshot(1, 8))
    }
}

import ByteCoding
import RaftCore

/// A server's log on disk: term, vote and entries in one row of frames, in the order in which they became true.
///
/// Everything that is waiting to be written goes into one frame and is made certain by one sync (group commit). The log
/// is kept in files of a bounded size; each begins with what the ones before it amount to.
///
/// A server calls ``append(_:)`` and ``sync()`` in turn. Once either fails, the log is of no further use: what is on the
/// disk is then unknown, and only opening it again tells.
public struct WriteAheadLog<D: Disk> {
    /// Where the files are.
    public var disk: D
    private let segmentBytesMax: Int
    private var segment: UInt64
    private var length: Int
    private var syncedLength: Int
    /// Where the zeros end that were put at the end of the present file.
    private var allocatedLength: Int
    private var nextFrame: UInt64
    private var hardState: HardState
    private var base: LogPosition
    private var last: LogIndex
    /// The last entry that the snapshot on disk stands for.
    private var snapshotLast: LogPosition
    /// The files there are, each with the index of the last entry where it begins; in ascending order.
    private var files: [(number: UInt64, last: LogIndex)]
    private var isNewFile = false
    private var hasFailed = false
    /// The memory of the last frame.
    private var frame: [UInt8] = []

    /// How many zeros are put ahead of what is written, in bytes.
    private static var allocatedMax: Int { 256 << 10 }
    /// The largest batch, in bytes, that is thought to be followed by others that are small.
    private static var smallBatchMax: Int { 16 << 10 }
    /// How much memory is kept for the next frame, in bytes.
    private static var frameKeptMax: Int { 4 << 20 }
    /// How large a file may grow before the next is begun, in bytes.
    public static var segmentBytesMax: Int { 64 << 20 }

    /// Opens the log on `disk` and says what it holds. The torn end that a crash may have left is cut off, for nobody was
    /// told of it. What is said to be there is certain from then on, though the process before may have ended between
    /// a write and its sync.
    ///
    /// - Throws: ``StorageError/damaged(file:offset:reason:)`` where something that was certain is missing or wrong.
    public static func open(
        on disk: D, segmentBytesMax: Int = WriteAheadLog.segmentBytesMax
    ) throws(StorageError) -> (log: WriteAheadLog, recovered: Recovered) {
        var disk = disk
        let recovery = try Recovery(from: &disk)
        var log = WriteAheadLog(disk: disk, recovery: recovery, segmentBytesMax: segmentBytesMax)
        if log.length == 0 { try log.beginFile() }
        if recovery.isResetBySnapshot {
            // The crash came between the snapshot and the record that it takes the place of the log.
            try log.appendRecords([.hardState(log.hardState), .base(log.base, isReset: true)])
        }
        try log.disk.sync(Segment.name(log.segment))
        try log.disk.syncNames()
        log.syncedLength = log.length
        log.isNewFile = false
        return (log, recovery.recovered)
    }

    private init(disk: D, recovery: Recovery, segmentBytesMax: Int) {
        self.disk = disk
        self.segmentBytesMax = segmentBytesMax
        segment = recovery.lastSegment
        length = recovery.end
        syncedLength = recovery.end
        allocatedLength = recovery.end
        nextFrame = recovery.nextFrame
        hardState = recovery.recovered.hardState
        base = recovery.recovered.base
        last = base.index.advanced(by: recovery.recovered.entries.count)
        snapshotLast = recovery.recovered.snapshot?.mark.last ?? .zero
        files = recovery.files
    }

    /// Writes `writes`, in order, as one frame. They are certain after the next ``sync()``.
    public mutating func append(_ writes: some Sequence<Write>) throws(StorageError) {
        try refuseAfterFailure()
        hasFailed = true
        var writer = beginFrame()
        for write in writes {
            if let snapshot = write.snapshot { try install(snapshot) }
            if let position = write.base {
                let isReset = write.snapshot != nil
                Record.base(position, isReset: isReset).encode(into: &writer)
                base = position
                if isReset { last = position.index }
            }
            precondition(write.first <= last.next, "entry \(write.first) would follow entry \(last)")
            if let state = write.hardState {
                Record.hardState(state).encode(into: &writer)
                hardState = state
            }
            if !write.entries.isEmpty || write.first <= last {
                Record.entries(first: write.first, write.entries).encode(into: &writer)
                last = write.first.previous.advanced(by: write.entries.count)
            }
        }
        try appendFrame(&writer)
        hasFailed = false
    }

    /// A leader's snapshot is on disk before any record speaks of it.
    private mutating func install(_ snapshot: Snapshot) throws(StorageError) {
        try SnapshotFile.write(snapshot, to: &disk, as: SnapshotFile.received)
        try disk.rename(SnapshotFile.received, to: SnapshotFile.name)
        try disk.syncNames()
        snapshotLast = snapshot.mark.last
    }

    /// Writes a snapshot of the server's own beside the one there is; nothing of it is certain yet.
    public mutating func beginDraft(_ snapshot: Snapshot) throws(StorageError) {
        try refuseAfterFailure()
        try SnapshotFile.begin(snapshot, on: &disk)
    }

    /// Returns when the snapshot that was begun is certain.
    public mutating func syncDraft() throws(StorageError) {
        try refuseAfterFailure()
        try disk.sync(SnapshotFile.draft)
    }

    /// Makes what was written and synced as ``SnapshotFile/draft`` the server's snapshot, up to `last`. Until the disk's
    /// names are synced a crash may bring the one before it back, so that the log has to keep what it holds until then.
    ///
    /// - Returns: Whether it is; not where the present one stands for more.
    public mutating func adoptDraft(upTo last: LogPosition) throws(StorageError) -> Bool {
        try refuseAfterFailure()
        guard last.index > snapshotLast.index else {
            try disk.remove(SnapshotFile.draft)
            return false
        }
        hasFailed = true
        try disk.rename(SnapshotFile.draft, to: SnapshotFile.name)
        snapshotLast = last
        hasFailed = false
        return true
    }

    private mutating func appendRecords(_ records: [Record]) throws(StorageError) {
        var writer = beginFrame()
        for record in records { record.encode(into: &writer) }
        try appendFrame(&writer)
    }

    /// After a failure nobody knows what is on the disk; writing on would make matters worse.
    private func refuseAfterFailure() throws(StorageError) {
        guard hasFailed else { return }
        throw .system(operation: "write", path: disk.path, reason: "writing to it has failed before")
    }

    /// Returns when everything that was written is certain to survive.
    public mutating func sync() throws(StorageError) {
        try refuseAfterFailure()
        hasFailed = true
        try disk.sync(Segment.name(segment))
        if isNewFile {
            try disk.syncNames()
            isNewFile = false
        }
        let batch = length - syncedLength
        syncedLength = length
        try dropHead()
        if length >= segmentBytesMax { try beginNextFile() }
        if batch <= WriteAheadLog.smallBatchMax { preallocate() }
        hasFailed = false
    }

    /// Puts zeros at the end of the file before the ones that are there are used up: a sync of what is written over them
    /// takes half the time of one that has to make the file longer. Where much is written at once, that is what takes the
    /// time, and to write it twice would take more. That the disk has no room for the zeros is no failure, for what is to
    /// be written may still fit.
    private mutating func preallocate() {
        let bytes = min(WriteAheadLog.allocatedMax, segmentBytesMax)
        guard allocatedLength < length + bytes / 4 else { return }
        let end = length + bytes
        try? disk.preallocate(max(length, allocatedLength)..<end, of: Segment.name(segment))
        allocatedLength = end
    }

    /// Takes away the files at the head of which a snapshot stands for every entry. Should a crash come in between, those
    /// that are left are found to be of no use when the log is opened.
    private mutating func dropHead() throws(StorageError) {
        while files.count > 1, files[1].last <= base.index {
            try disk.remove(Segment.name(files[0].number))
            files.removeFirst()
        }
    }

    /// Takes back what was written and not synced, as a power cut may.
    public mutating func losePower() throws(StorageError) {
        guard syncedLength < length else { return }
        try disk.truncate(Segment.name(segment), to: syncedLength)
        length = syncedLength
        allocatedLength = syncedLength
    }

    private mutating func beginNextFile() throws(StorageError) {
        segment += 1
        length = 0
        syncedLength = 0
        allocatedLength = 0
        try beginFile()
    }

    /// Begins the file `segment`, which may be there already, empty, where a crash came between its making and its first
    /// frame.
    private mutating func beginFile() throws(StorageError) {
        segment = max(segment, 1)
        let name = Segment.name(segment)
        if try !disk.names().contains(name) { try disk.create(name) }
        isNewFile = true
        files.removeAll { $0.number == segment }
        files.append((segment, last))
        try appendRecords([
            .start(SegmentStart(segment: segment, frame: nextFrame, hardState: hardState, base: base, last: last))
        ])
    }

    /// A writer for the payload of the next frame, in the memory that the last one had.
    private mutating func beginFrame() -> ByteWriter {
        defer { frame = [] }
        return Frame.begun(reusing: frame)
    }

    private mutating func appendFrame(_ writer: inout ByteWriter) throws(StorageError) {
        Frame.finish(&writer, number: nextFrame, segment: segment, offset: length)
        try disk.write(writer.bytes, to: Segment.name(segment), at: length)
        nextFrame += 1
        length += writer.bytes.count
        if writer.bytes.count <= WriteAheadLog.frameKeptMax { swap(&frame, &writer.bytes) }
    }
}

extension WriteAheadLog: Sendable where D: Sendable {}

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
    private var nextFrame: UInt64
    private var hardState: HardState
    private var last: LogIndex
    private var isNewFile = false
    private var hasFailed = false

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
        nextFrame = recovery.nextFrame
        hardState = recovery.recovered.hardState
        last = LogIndex(UInt64(recovery.recovered.entries.count))
    }

    /// Writes `writes`, in order, as one frame. They are certain after the next ``sync()``.
    public mutating func append(_ writes: some Sequence<Write>) throws(StorageError) {
        try refuseAfterFailure()
        var writer = ByteWriter()
        for write in writes {
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
        hasFailed = true
        try appendFrame(writer.bytes)
        hasFailed = false
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
        syncedLength = length
        if length >= segmentBytesMax { try beginNextFile() }
        hasFailed = false
    }

    /// Takes back what was written and not synced, as a power cut may.
    public mutating func losePower() throws(StorageError) {
        guard syncedLength < length else { return }
        try disk.truncate(Segment.name(segment), to: syncedLength)
        length = syncedLength
    }

    private mutating func beginNextFile() throws(StorageError) {
        segment += 1
        length = 0
        syncedLength = 0
        try beginFile()
    }

    /// Begins the file `segment`, which may be there already, empty, where a crash came between its making and its first
    /// frame.
    private mutating func beginFile() throws(StorageError) {
        segment = max(segment, 1)
        let name = Segment.name(segment)
        if try !disk.names().contains(name) { try disk.create(name) }
        isNewFile = true
        var writer = ByteWriter()
        let start = SegmentStart(segment: segment, frame: nextFrame, hardState: hardState, last: last)
        Record.start(start).encode(into: &writer)
        try appendFrame(writer.bytes)
    }

    private mutating func appendFrame(_ payload: [UInt8]) throws(StorageError) {
        let frame = Frame.encoded(payload, number: nextFrame, segment: segment, offset: length)
        try disk.append(frame, to: Segment.name(segment))
        nextFrame += 1
        length += frame.count
    }
}

extension WriteAheadLog: Sendable where D: Sendable {}

import ByteCoding
import RaftCore

/// A server's snapshot on disk: one file, replaced as a whole. It is written under another name, made certain, and then
/// given its own, so that there is always the old one or the new one (paper §7).
public enum SnapshotFile {
    /// The file's name.
    public static let name = "snapshot"
    /// The name under which a server writes one of its own.
    public static let draft = "snapshot.taken"
    /// The name under which a leader's is written.
    static let received = "snapshot.received"
    private static let version: UInt8 = 1

    /// Writes `snapshot` to `disk` as `name`, and returns when it is certain to survive under that name, once the names
    /// are.
    ///
    /// - Parameter pause: Called after every 64 KiB, which are then on their way to the device: a log on the same device
    ///   would wait for all of it otherwise.
    public static func write(
        _ snapshot: Snapshot, to disk: inout some Disk, as name: String = draft, pausing pause: () -> Void = {}
    ) throws(StorageError) {
        let bytes = try frame(of: snapshot, on: &disk, as: name)
        var start = 0
        while start < bytes.count {
            let end = min(start + bytesPerPause, bytes.count)
            try disk.write(Array(bytes[start..<end]), to: name, at: start)
            try disk.beginSync(name)
            pause()
            start = end
        }
        try disk.sync(name)
    }

    private static let bytesPerPause = 64 << 10

    /// Writes `snapshot` to `disk` as `name`, of which nothing is certain before that is synced.
    public static func begin(
        _ snapshot: Snapshot, on disk: inout some Disk, as name: String = draft
    ) throws(StorageError) {
        try disk.write(try frame(of: snapshot, on: &disk, as: name), to: name, at: 0)
    }

    /// The bytes of `snapshot`, for a new file called `name`.
    private static func frame(
        of snapshot: Snapshot, on disk: inout some Disk, as name: String
    ) throws(StorageError) -> [UInt8] {
        if try disk.names().contains(name) { try disk.remove(name) }
        try disk.create(name)
        return Frame.encoded(encoded(snapshot), number: 0, segment: 0, offset: 0)
    }

    /// Takes away what a crash has left of a snapshot that was being written.
    static func removeDrafts(from disk: inout some Disk) throws(StorageError) {
        for name in try disk.names() where name == draft || name == received { try disk.remove(name) }
    }

    /// The snapshot on `disk`; `nil` where there is none.
    ///
    /// - Throws: ``StorageError/damaged(file:offset:reason:)`` where it can't be read.
    public static func read(from disk: some Disk) throws(StorageError) -> Snapshot? {
        guard try disk.names().contains(name) else { return nil }
        let file = disk.path + "/" + name
        guard case .frame(let payload, _, _) = Frame.read(try disk.contents(of: name), at: 0, segment: 0) else {
            throw .damaged(file: file, offset: 0, reason: "the snapshot is not whole")
        }
        do {
            return try decoded(payload)
        } catch .unknownVersion(let version) {
            throw .unknownVersion(file: file, version: version)
        } catch {
            throw .damaged(file: file, offset: 0, reason: "the snapshot can't be read: \(error)")
        }
    }

    /// The snapshot on `disk`, which must hold one.
    ///
    /// - Throws: ``StorageError/damaged(file:offset:reason:)`` where there is none, or it can't be read.
    public static func require(from disk: some Disk) throws(StorageError) -> Snapshot {
        if let snapshot = try read(from: disk) { return snapshot }
        throw .damaged(file: disk.path + "/" + name, offset: 0, reason: "the snapshot is missing")
    }

    private static func encoded(_ snapshot: Snapshot) -> [UInt8] {
        var writer = ByteWriter()
        writer.bytes.reserveCapacity(snapshot.bytes.count + 64)
        writer.write(version)
        writer.write(snapshot.mark.last)
        writer.write(snapshot.mark.configuration)
        writer.bytes.append(contentsOf: snapshot.bytes)
        return writer.bytes
    }

    private static func decoded(_ payload: ArraySlice<UInt8>) throws(ByteReadingError) -> Snapshot {
        var reader = ByteReader(payload)
        let version = try reader.readByte()
        guard version == SnapshotFile.version else { throw .unknownVersion(version) }
        let last = try reader.readPosition()
        let configuration = try reader.readConfiguration()
        let bytes = Array(try reader.read(reader.remaining))
        return Snapshot(mark: SnapshotMark(last: last, configuration: configuration), bytes: bytes)
    }
}

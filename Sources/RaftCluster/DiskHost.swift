import Glibc
import NIOCore
import RaftCore
import RaftStorage
import RaftTrace
import Synchronization

/// A server's disk, on a thread of its own: a sync takes as long as the device likes, and stops nothing else.
final class DiskHost {
    private let directory: NodeDirectory
    private var log: WriteAheadLog<DirectoryDisk>?
    /// The number of the write that comes next.
    private var nextWrite: WriteNumber = 1
    private let power: PowerSwitch
    /// How often the disk was opened or closed: what belongs to an earlier time is nothing to the present.
    private(set) var openings = 0
    /// How the disk works; one that stalls is not asked.
    var condition = DiskChanged.Condition.ok
    /// Whether nothing is kept but the latest snapshot, in memory: a server that stops has forgotten everything.
    private let isInMemory: Bool
    private var snapshot: Snapshot?

    init(directory: NodeDirectory, power: PowerSwitch, isInMemory: Bool = false) {
        self.directory = directory
        self.power = power
        self.isInMemory = isInMemory
    }

    /// Opens the disk, makes sure that it is this server's, and says what it holds. A new disk gets `identity`.
    func open(
        _ identity: Identity
    ) throws(StorageError) -> (identity: Identity, recovered: Recovered, opening: Int) {
        log = nil
        openings += 1
        power.isOn = true
        nextWrite = 1
        snapshot = nil
        if isInMemory { return (identity, Recovered(), openings) }
        let (found, log, recovered) = try identity.open(try DirectoryDisk(path: directory.path))
        self.log = log
        return (found, recovered, openings)
    }

    /// Makes a new disk that holds what `write` brings.
    func prepare(_ identity: Identity, _ write: Write) throws(StorageError) {
        var (_, log, _) = try identity.open(try DirectoryDisk(path: directory.path))
        try log.append([write])
        try log.sync()
    }

    /// Returns when everything in `writes` is certain to survive.
    func write(_ writes: [Write]) throws(StorageError) {
        for write in writes {
            // One that went missing would be taken for certain with the next.
            precondition(write.number == nextWrite, "write \(write.number) comes where \(nextWrite) is missing")
            nextWrite += 1
        }
        if let reason = condition.writeFailure {
            throw .system(operation: "write", path: directory.path, reason: reason)
        }
        if isInMemory { return keepSnapshots(of: writes) }
        try log?.append(writes)
        guard power.isOn else { throw .system(operation: "sync", path: directory.path, reason: "the power is cut") }
        try log?.sync()
    }

    private func keepSnapshots(of writes: [Write]) {
        for write in writes { snapshot = write.snapshot ?? snapshot }
    }

    /// Keeps a snapshot in memory, if the disk was not opened anew since. Answers whether it does.
    func keep(_ taken: Snapshot, opening: Int) -> Bool {
        guard opening == openings, taken.mark.last.index > snapshot?.mark.last.index ?? .zero else { return false }
        snapshot = taken
        return true
    }

    /// The snapshot that is kept in memory.
    func keptSnapshot() throws(StorageError) -> Snapshot {
        guard let snapshot else {
            throw .system(operation: "read", path: directory.path, reason: "no snapshot is kept in memory")
        }
        return snapshot
    }

    /// Makes the snapshot that was written as a draft the server's own, if the disk was not opened anew since.
    ///
    /// - Returns: Whether it is; not where a leader's came meanwhile.
    func adoptDraft(upTo last: LogPosition, opening: Int) throws(StorageError) -> Bool {
        guard opening == openings, power.isOn else { return false }
        return try log?.adoptDraft(upTo: last) ?? false
    }

    /// Leaves the disk as a crash of this kind does.
    func close(_ how: CrashKind) throws(StorageError) {
        if how == .power { try log?.losePower() }
        openings += 1
        log = nil
        snapshot = nil
        if how == .wipe { try directory.wipe() }
    }

    /// Brings back the disk that was wiped last.
    func unwipe() throws(StorageError) { try directory.unwipe() }
}

/// Where one server's files are.
struct NodeDirectory: Sendable {
    /// The directory.
    let path: String

    /// Takes the files out of the way: the directory gets another name, so that a wrong key can be undone.
    func wipe() throws(StorageError) {
        guard access(path, F_OK) == 0 else { return }
        if rename(path, backup(number: lastBackup + 1)) != 0 { throw failure("move", path) }
    }

    /// Brings back what was wiped last.
    func unwipe() throws(StorageError) {
        let number = lastBackup
        guard number > 0 else { return }
        guard access(path, F_OK) != 0 else { throw failure("bring back", path) }
        if rename(backup(number: number), path) != 0 { throw failure("bring back", path) }
    }

    private var lastBackup: Int {
        var number = 0
        while access(backup(number: number + 1), F_OK) == 0 { number += 1 }
        return number
    }

    private func backup(number: Int) -> String { "\(path).wiped-\(number)" }

    private func failure(_ operation: String, _ path: String) -> StorageError {
        .system(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}

/// A disk's power. It is cut at once, whatever the disk's thread is doing: what was written then, but not yet synced, is
/// lost.
final class PowerSwitch: Sendable {
    private let state = Atomic<Bool>(true)

    var isOn: Bool {
        get { state.load(ordering: .acquiring) }
        set { state.store(newValue, ordering: .releasing) }
    }
}

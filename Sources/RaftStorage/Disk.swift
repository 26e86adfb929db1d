/// A directory of files, as the log sees it: the seam between what is stored and where. A real one is ``DirectoryDisk``;
/// a simulated one can lose what was not synced.
public protocol Disk {
    /// Where it is, for messages to people.
    var path: String { get }

    /// The names of the files that are there, in no particular order.
    func names() throws(StorageError) -> [String]

    /// All bytes of a file.
    func contents(of name: String) throws(StorageError) -> [UInt8]

    /// Makes an empty file, which must not be there yet.
    mutating func create(_ name: String) throws(StorageError)

    /// Writes `bytes` at `offset` of a file: at its end, or over the zeros that were put there. They may be lost until the
    /// file is synced.
    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws(StorageError)

    /// Puts zeros at the end of a file, which is at `range.lowerBound`, so that it ends at `range.upperBound`. To sync what
    /// is written over them is cheaper than to sync a file that has grown. They may be lost until the file is synced.
    mutating func preallocate(_ range: Range<Int>, of name: String) throws(StorageError)

    /// Begins to bring to the device what was written to a file, without waiting for it and without promising anything:
    /// a sync later has less left to do.
    mutating func beginSync(_ name: String) throws(StorageError)

    /// Returns when all that was written to a file is certain to survive.
    mutating func sync(_ name: String) throws(StorageError)

    /// Returns when the names of all files are certain to survive.
    mutating func syncNames() throws(StorageError)

    /// Gives a file another name, and takes away the file that had it.
    mutating func rename(_ name: String, to newName: String) throws(StorageError)

    /// Takes a file away.
    mutating func remove(_ name: String) throws(StorageError)

    /// Cuts a file to its first `length` bytes.
    mutating func truncate(_ name: String, to length: Int) throws(StorageError)
}

extension Disk {
    /// A disk that has nothing to do ahead of a sync.
    public mutating func beginSync(_ name: String) throws(StorageError) {}
}

/// Why a disk or what is on it can't be used, in words for the person who has to do something about it.
public enum StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refused an operation.
    case system(operation: String, path: String, reason: String)
    /// Another process has the directory open.
    case inUse(path: String)
    /// Bytes that were certain to survive are not what was written.
    case damaged(file: String, offset: Int, reason: String)
    /// The directory belongs to another server or cluster.
    case foreign(path: String, reason: String)
    /// The files are of a format that this program doesn't know.
    case unknownVersion(file: String, version: UInt8)

    /// One sentence: what, where, what to do.
    public var description: String {
        switch self {
        case .system(let operation, let path, let reason):
            "can't \(operation) \(path): \(reason)"
        case .inUse(let path):
            "\(path) is in use by another raft-tui: quit that one, or choose another directory"
        case .damaged(let file, let offset, let reason):
            """
            \(file) is damaged at byte \(offset): \(reason); restore the file from a copy, or take its directory away and \
            start the server as one that has forgotten its promises (raft-tui node --replaces): it has no vote until it \
            was removed and added again
            """
        case .foreign(let path, let reason):
            "\(path) \(reason): choose another directory"
        case .unknownVersion(let file, let version):
            "\(file) has format \(version), which this raft-tui doesn't know: use the one that wrote it"
        }
    }
}

import RaftStorage

/// Files in memory, which remember what was synced: their bytes, and their names.
struct MemoryDisk: Disk {
    struct File: Equatable {
        var bytes: [UInt8] = []
        var synced = 0
        /// How many zeros stand behind ``bytes``.
        var zeros = 0
    }

    var files: [String: File] = [:]
    /// The names that were there when names were synced last, each with the name that its file has now.
    private var certainNames: [String: String] = [:]
    /// Files that were taken away since then, by the names that they had.
    private var lost: [String: File] = [:]
    var path: String { "disk" }
    /// The operation that fails next, counted down with every one.
    var failsAfter: Int?
    /// The kind of operation that always fails: nothing more fits.
    var refused: String?
    /// How much of a write that fails is written all the same.
    var writtenOfFailed = 0

    /// The names that were there when names were synced last.
    var syncedNames: Set<String> { Set(certainNames.keys) }

    /// What is left when the power is cut: what was synced, under the names that were synced.
    func afterPowerCut() -> MemoryDisk {
        var disk = MemoryDisk()
        for (name, present) in certainNames {
            guard let file = lost[name] ?? files[present] else { continue }
            disk.files[name] = File(bytes: Array(file.bytes.prefix(file.synced)), synced: file.synced)
            disk.certainNames[name] = name
        }
        return disk
    }

    func names() throws(StorageError) -> [String] { Array(files.keys) }

    func contents(of name: String) throws(StorageError) -> [UInt8] {
        guard let file = files[name] else { throw failure("read", name) }
        return file.bytes + repeatElement(0, count: file.zeros)
    }

    mutating func create(_ name: String) throws(StorageError) {
        try count("make", name)
        files[name] = File()
    }

    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws(StorageError) {
        precondition(offset == files[name]?.bytes.count, "the log is written in order")
        do throws(StorageError) {
            try count("write", name)
        } catch {
            put(bytes.prefix(beginningOfFailed(offset, name)), in: name)
            throw error
        }
        put(bytes[...], in: name)
    }

    /// How much of a write that fails is written. Over zeros the system writes page by page, and a disk sector by sector;
    /// where the file grows, it may end anywhere.
    private func beginningOfFailed(_ offset: Int, _ name: String) -> Int {
        let end = offset + writtenOfFailed
        return files[name]?.zeros == 0 ? writtenOfFailed : max(0, end / 512 * 512 - offset)
    }

    private mutating func put(_ bytes: ArraySlice<UInt8>, in name: String) {
        guard var file = files.removeValue(forKey: name) else { return }
        file.bytes += bytes
        file.zeros = max(0, file.zeros - bytes.count)
        files[name] = file
    }

    mutating func preallocate(_ range: Range<Int>, of name: String) throws(StorageError) {
        try count("allocate", name)
        files[name]?.zeros += range.count
    }

    mutating func sync(_ name: String) throws(StorageError) {
        try count("sync", name)
        let length = files[name]?.bytes.count ?? 0
        files[name]?.synced = length
    }

    mutating func syncNames() throws(StorageError) {
        try count("sync", path)
        certainNames = Dictionary(uniqueKeysWithValues: files.keys.map { ($0, $0) })
        lost = [:]
    }

    mutating func rename(_ name: String, to newName: String) throws(StorageError) {
        try count("rename", name)
        lose(newName)
        files[newName] = files.removeValue(forKey: name)
        for (certain, present) in certainNames where present == name { certainNames[certain] = newName }
    }

    mutating func remove(_ name: String) throws(StorageError) {
        try count("remove", name)
        lose(name)
        files[name] = nil
    }

    /// The file of this name goes; its name may be certain still.
    private mutating func lose(_ name: String) {
        for (certain, present) in certainNames where present == name && lost[certain] == nil {
            lost[certain] = files[name]
        }
    }

    mutating func truncate(_ name: String, to length: Int) throws(StorageError) {
        try count("cut", name)
        guard var file = files[name] else { return }
        file.zeros = max(0, length - file.bytes.count)
        file.bytes.removeSubrange(min(length, file.bytes.count)...)
        file.synced = min(file.synced, length)
        files[name] = file
    }

    private mutating func count(_ operation: String, _ name: String) throws(StorageError) {
        if operation == refused { throw failure(operation, name) }
        guard let left = failsAfter else { return }
        guard left > 0 else { throw failure(operation, name) }
        failsAfter = left - 1
    }

    private func failure(_ operation: String, _ name: String) -> StorageError {
        .system(operation: operation, path: name, reason: "No space left on device")
    }
}

/// A disk that is there still when what used it has failed.
final class SharedDisk: Disk {
    var memory = MemoryDisk()

    var path: String { memory.path }

    func names() throws(StorageError) -> [String] { try memory.names() }

    func contents(of name: String) throws(StorageError) -> [UInt8] { try memory.contents(of: name) }

    func create(_ name: String) throws(StorageError) { try memory.create(name) }

    func write(_ bytes: [UInt8], to name: String, at offset: Int) throws(StorageError) {
        try memory.write(bytes, to: name, at: offset)
    }

    func preallocate(_ range: Range<Int>, of name: String) throws(StorageError) {
        try memory.preallocate(range, of: name)
    }

    func sync(_ name: String) throws(StorageError) { try memory.sync(name) }

    func syncNames() throws(StorageError) { try memory.syncNames() }

    func rename(_ name: String, to newName: String) throws(StorageError) { try memory.rename(name, to: newName) }

    func remove(_ name: String) throws(StorageError) { try memory.remove(name) }

    func truncate(_ name: String, to length: Int) throws(StorageError) { try memory.truncate(name, to: length) }
}

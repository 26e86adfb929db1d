import RaftStorage

/// Files in memory, which remember what was synced.
struct MemoryDisk: Disk {
    struct File: Equatable {
        var bytes: [UInt8] = []
        var synced = 0
    }

    var files: [String: File] = [:]
    /// The names that were there when names were synced last.
    var syncedNames: Set<String> = []
    var path: String { "disk" }
    /// The operation that fails next, counted down with every one.
    var failsAfter: Int?

    func names() throws(StorageError) -> [String] { Array(files.keys) }

    func contents(of name: String) throws(StorageError) -> [UInt8] {
        guard let file = files[name] else { throw failure("read", name) }
        return file.bytes
    }

    mutating func create(_ name: String) throws(StorageError) {
        try count("make", name)
        files[name] = File()
    }

    mutating func append(_ bytes: [UInt8], to name: String) throws(StorageError) {
        try count("write", name)
        files[name]?.bytes += bytes
    }

    mutating func sync(_ name: String) throws(StorageError) {
        try count("sync", name)
        let length = files[name]?.bytes.count ?? 0
        files[name]?.synced = length
    }

    mutating func syncNames() throws(StorageError) {
        try count("sync", path)
        syncedNames = Set(files.keys)
    }

    mutating func rename(_ name: String, to newName: String) throws(StorageError) {
        try count("rename", name)
        files[newName] = files.removeValue(forKey: name)
    }

    mutating func remove(_ name: String) throws(StorageError) {
        try count("remove", name)
        files[name] = nil
    }

    mutating func truncate(_ name: String, to length: Int) throws(StorageError) {
        try count("cut", name)
        guard var file = files[name] else { return }
        file.bytes.removeSubrange(length...)
        file.synced = min(file.synced, length)
        files[name] = file
    }

    private mutating func count(_ operation: String, _ name: String) throws(StorageError) {
        guard let left = failsAfter else { return }
        guard left > 0 else { throw failure(operation, name) }
        failsAfter = left - 1
    }

    private func failure(_ operation: String, _ name: String) -> StorageError {
        .system(operation: operation, path: name, reason: "No space left on device")
    }
}

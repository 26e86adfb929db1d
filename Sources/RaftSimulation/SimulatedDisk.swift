import RaftCore
import RaftStorage

/// A disk as a value: files in memory, of which a power cut may lose, keep or tear what was not synced.
///
/// A sector is written wholly or not at all. What a torn write has left out is zeros, or beyond the end of the file.
struct SimulatedDisk: Disk, Sendable {
    /// Where it seems to be.
    let path: String
    /// What goes wrong with it now.
    var fault: Fault?
    /// Whether it says that it has synced what it has not. No disk should, and some do.
    var isLying = false
    private var files: [String: File] = [:]
    /// What stood under a name before something else was renamed to it, while that is not certain to survive.
    private var replaced: [String: File] = [:]

    /// What can go wrong with a disk.
    enum Fault: Sendable {
        /// Every write and sync fails.
        case fails
        /// Nothing more fits.
        case full
    }

    private struct File: Sendable {
        /// What was written.
        var bytes: [UInt8] = []
        /// How much of it is certain to survive.
        var synced = 0
        /// How many zeros stand behind ``bytes``.
        var zeros = 0
        /// How long the file is for certain, its zeros included.
        var syncedLength = 0
        var isNameSynced = false

        mutating func sync() {
            synced = bytes.count
            syncedLength = bytes.count + zeros
        }
    }

    private static let sector = 512

    /// An empty disk.
    init(path: String) { self.path = path }

    /// Loses, keeps or tears what was not synced, as `random` has it.
    mutating func losePower(_ random: inout Generator) {
        for name in replaced.keys.sorted() where random.chance(0.5) { files[name] = replaced[name] }
        replaced = [:]
        for name in files.keys.sorted() {
            guard var file = files[name] else { continue }
            if !file.isNameSynced, random.chance(0.5) {
                files[name] = nil
                continue
            }
            SimulatedDisk.tear(&file, &random)
            file.isNameSynced = true
            file.sync()
            files[name] = file
        }
    }

    private static func tear(_ file: inout File, _ random: inout Generator) {
        guard file.synced < file.bytes.count else { return }
        switch random.below(3) {
        case 0:
            file.bytes.removeSubrange(file.synced...)
            file.zeros = max(0, file.syncedLength - file.synced)
        case 1: break
        default:
            cut(&file, &random)
            var start = file.synced
            while start < file.bytes.count {
                let end = min(file.bytes.count, (start / sector + 1) * sector)
                if random.chance(0.5) { for place in start..<end { file.bytes[place] = 0 } }
                start = end
            }
        }
    }

    /// Takes a part of what the file has grown by since it was synced.
    private static func cut(_ file: inout File, _ random: inout Generator) {
        let certain = max(file.synced, file.syncedLength)
        guard certain < file.bytes.count else { return }
        file.bytes.removeSubrange((certain + Int(random.below(UInt64(file.bytes.count - certain))) + 1)...)
        file.zeros = 0
    }

    // MARK: - Disk

    func names() throws(StorageError) -> [String] { files.keys.sorted() }

    func contents(of name: String) throws(StorageError) -> [UInt8] {
        guard let file = files[name] else { throw failure("read", name, "No such file or directory") }
        return file.bytes + repeatElement(0, count: file.zeros)
    }

    mutating func create(_ name: String) throws(StorageError) {
        try check("make", name)
        guard files[name] == nil else { throw failure("make", name, "File exists") }
        files[name] = File()
    }

    mutating func write(_ bytes: [UInt8], to name: String, at offset: Int) throws(StorageError) {
        try check("write", name)
        guard var file = files.removeValue(forKey: name) else { return }
        precondition(offset == file.bytes.count, "\(name) is written at \(offset), not at \(file.bytes.count)")
        file.bytes.append(contentsOf: bytes)
        file.zeros = max(0, file.zeros - bytes.count)
        files[name] = file
    }

    mutating func preallocate(_ range: Range<Int>, of name: String) throws(StorageError) {
        try check("write", name)
        files[name]?.zeros += range.count
    }

    mutating func sync(_ name: String) throws(StorageError) {
        try check("sync", name)
        if !isLying { files[name]?.sync() }
    }

    mutating func syncNames() throws(StorageError) {
        try check("sync", "")
        for name in files.keys { files[name]?.isNameSynced = true }
        replaced = [:]
    }

    mutating func rename(_ name: String, to newName: String) throws(StorageError) {
        try check("rename", name)
        if let old = files[newName] { replaced[newName] = old }
        files[newName] = files.removeValue(forKey: name)
    }

    mutating func remove(_ name: String) throws(StorageError) { files[name] = nil }

    mutating func truncate(_ name: String, to length: Int) throws(StorageError) {
        guard var file = files[name] else { return }
        file.zeros = max(0, length - file.bytes.count)
        file.bytes.removeSubrange(min(length, file.bytes.count)...)
        file.synced = min(file.synced, length)
        file.syncedLength = min(file.syncedLength, length)
        files[name] = file
    }

    private func check(_ operation: String, _ name: String) throws(StorageError) {
        switch fault {
        case .fails: throw failure(operation, name, "Input/output error")
        case .full where operation != "sync": throw failure(operation, name, "No space left on device")
        case .full, nil: break
        }
    }

    private func failure(_ operation: String, _ name: String, _ reason: String) -> StorageError {
        .system(operation: operation, path: "\(path)/\(name)", reason: reason)
    }
}

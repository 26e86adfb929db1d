import Glibc

/// A directory of the file system, locked against other processes while it is open.
public final class DirectoryDisk: Disk {
    /// The directory.
    public let path: String
    private let lock: FileDescriptor?
    /// The file that was written last, kept open.
    private var open: (name: String, file: FileDescriptor)?

    /// Opens the directory at `path`, and makes it where it isn't there.
    ///
    /// - Throws: ``StorageError/inUse(path:)`` while another process has it open.
    public init(path: String) throws(StorageError) {
        self.path = path
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw .last("make the directory", path) }
        // Where it was there already, the process that made or renamed it may have ended before its name was certain.
        try DirectoryDisk.syncNames(in: path + "/..")
        let lock = try FileDescriptor(path: path + "/lock", flags: O_RDWR | O_CREAT)
        self.lock = lock
        if flock(lock.number, LOCK_EX | LOCK_NB) != 0 {
            throw errno == EWOULDBLOCK ? .inUse(path: path) : .last("lock", path)
        }
    }

    /// Gives the lock back by name: closing alone wouldn't while a process that is just being started holds a copy of
    /// every descriptor.
    deinit {
        if let lock { flock(lock.number, LOCK_UN) }
    }

    /// Opens the directory at `path` to look at it only, whoever may be writing to it.
    ///
    /// - Throws: ``StorageError`` where there is no such directory.
    public init(readingOnly path: String) throws(StorageError) {
        self.path = path
        lock = nil
        _ = try names()
    }

    /// The directory at `path`, which this process has open and locked already, for another thread to write a file of its own
    /// in it.
    public init(sharing path: String) {
        self.path = path
        lock = nil
    }

    /// The names of the files that are there, but for the lock.
    public func names() throws(StorageError) -> [String] {
        guard let directory = opendir(path) else { throw .last("read the directory", path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != "..", name != "lock" { names.append(name) }
        }
        return names
    }

    /// All bytes of a file.
    public func contents(of name: String) throws(StorageError) -> [UInt8] {
        let file = try FileDescriptor(path: full(name), flags: O_RDONLY)
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .last("read", full(name)) }
        let size = Int(status.st_size)
        guard size > 0 else { return [] }
        var failure: StorageError?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = retrying { read(file.number, buffer.baseAddress.map { $0 + count }, size - count) }
                if got < 0 { failure = .last("read", full(name)) }
                if got <= 0 { break }
                count += got
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Makes an empty file.
    public func create(_ name: String) throws(StorageError) {
        let file = try FileDescriptor(path: full(name), flags: O_WRONLY | O_CREAT | O_EXCL)
        open = (name, file)
    }

    /// Writes `bytes` at `offset` of a file.
    public func write(_ bytes: [UInt8], to name: String, at offset: Int) throws(StorageError) {
        let file = try writable(name)
        let isWritten = writeAll(bytes) { pwrite(file.number, $0, $1, offset + $2) }
        if !isWritten { throw .last("write", full(name)) }
    }

    /// Writes zeros at the end of a file. Blocks that are only set aside for it would not do: the first write to each
    /// changes what the file system has to remember of the file, which a sync then has to bring to its journal.
    public func preallocate(_ range: Range<Int>, of name: String) throws(StorageError) {
        try write([UInt8](repeating: 0, count: range.count), to: name, at: range.lowerBound)
    }

    /// Lets the device begin with a file's bytes. Unlike a sync this takes no part in the file system's journal, for which
    /// every other file's sync would have to wait.
    public func beginSync(_ name: String) throws(StorageError) {
        let file = try writable(name)
        // Advice that the pages won't be needed has the kernel write them out; that it can't take it is no failure.
        _ = posix_fadvise(file.number, 0, 0, POSIX_FADV_DONTNEED)
    }

    /// Waits until a file's bytes are on the device. A failure is final: what the kernel had of them may be gone, so
    /// that a second try that succeeds would say nothing.
    public func sync(_ name: String) throws(StorageError) {
        let file = try writable(name)
        if retrying({ Int(fdatasync(file.number)) }) != 0 { throw .last("sync", full(name)) }
    }

    /// Waits until the directory is on the device.
    public func syncNames() throws(StorageError) { try DirectoryDisk.syncNames(in: path) }

    /// Waits until the directory at `path` is on the device.
    public static func syncNames(in path: String) throws(StorageError) {
        let directory = try FileDescriptor(path: path, flags: O_RDONLY | O_DIRECTORY)
        if retrying({ Int(fsync(directory.number)) }) != 0 { throw .last("sync the directory", path) }
    }

    /// Gives a file another name.
    public func rename(_ name: String, to newName: String) throws(StorageError) {
        if Glibc.rename(full(name), full(newName)) != 0 { throw .last("rename", full(name)) }
        forget(name)
        forget(newName)
    }

    /// Takes a file away.
    public func remove(_ name: String) throws(StorageError) {
        if unlink(full(name)) != 0 { throw .last("remove", full(name)) }
        forget(name)
    }

    /// Whoever asks for a file of this name next means another one.
    private func forget(_ name: String) {
        if open?.name == name { open = nil }
    }

    /// Cuts a file.
    public func truncate(_ name: String, to length: Int) throws(StorageError) {
        let file = try writable(name)
        if ftruncate(file.number, length) != 0 { throw .last("cut", full(name)) }
    }

    private func writable(_ name: String) throws(StorageError) -> FileDescriptor {
        if let open, open.name == name { return open.file }
        let file = try FileDescriptor(path: full(name), flags: O_WRONLY)
        open = (name, file)
        return file
    }

    private func full(_ name: String) -> String { path + "/" + name }
}

/// An open file, closed when nobody holds it any more.
private final class FileDescriptor {
    let number: Int32

    init(path: String, flags: Int32) throws(StorageError) {
        number = Glibc.open(path, flags | O_CLOEXEC, 0o644)
        if number < 0 { throw .last("open", path) }
    }

    deinit { close(number) }
}

extension StorageError {
    /// What the system said last.
    fileprivate static func last(_ operation: String, _ path: String) -> StorageError {
        .system(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}

/// Writes all of `bytes` with a system call that may be interrupted, or write only a part.
///
/// - Parameter write: Writes that many bytes from there on, the first of which is at that place of `bytes`, and answers
///   what the system does.
/// - Returns: Whether all is written; otherwise `errno` says why.
func writeAll(_ bytes: [UInt8], _ write: (UnsafeRawPointer?, _ count: Int, _ place: Int) -> Int) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var place = 0
        while place < buffer.count {
            let written = retrying { write(buffer.baseAddress.map { $0 + place }, buffer.count - place, place) }
            guard written >= 0 else { return false }
            place += written
        }
        return true
    }
}

/// Calls `operation` again while a signal interrupts it.
private func retrying(_ operation: () -> Int) -> Int {
    while true {
        let result = operation()
        if result >= 0 || errno != EINTR { return result }
    }
}

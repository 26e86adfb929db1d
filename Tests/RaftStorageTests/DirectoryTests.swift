import Glibc
import RaftCore
import RaftStorage
import Testing

/// A directory that goes away with the test.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/raft-tui-tests-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        if let names = try? DirectoryDisk(path: path).names() {
            for name in names + ["lock"] { unlink(path + "/" + name) }
        }
        rmdir(path)
    }
}

private func identity(_ node: Int, cluster: UInt64 = 7, incarnation: Incarnation = .first) -> Identity {
    Identity(cluster: cluster, node: NodeID(node), incarnation: incarnation, configuration: Configuration(count: 3))
}

struct DirectoryTests {
    @Test("a log on a real directory is there when it is opened again")
    func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let entries = (1...100).map { Entry(term: Term(2), payload: .command(Array("value \($0)".utf8))) }
        do {
            var (log, _) = try WriteAheadLog.open(on: try DirectoryDisk(path: directory.path), segmentBytesMax: 1_000)
            for (place, entry) in entries.enumerated() {
                let first = LogIndex(UInt64(place + 1))
                try log.append([
                    Write(
                        number: 1, hardState: HardState(term: Term(2), vote: NodeID(1)), first: first, entries: [entry])
                ])
                try log.sync()
            }
        }
        let disk = try DirectoryDisk(path: directory.path)
        let (_, recovered) = try WriteAheadLog.open(on: disk)
        #expect(recovered.entries == entries)
        #expect(recovered.hardState == HardState(term: Term(2), vote: NodeID(1)))
        #expect(try disk.names().count > 3)
    }

    @Test("what is written over zeros is there, in a file that stays as long as it was")
    func preallocate() throws {
        let directory = try TemporaryDirectory()
        let disk = try DirectoryDisk(path: directory.path)
        try disk.create("file")
        try disk.write([1, 2, 3], to: "file", at: 0)
        try disk.preallocate(3..<10_000, of: "file")
        try disk.write([4, 5], to: "file", at: 3)
        try disk.sync("file")
        #expect(try disk.contents(of: "file") == [1, 2, 3, 4, 5] + [UInt8](repeating: 0, count: 9_995))
    }

    @Test("a directory that is open is refused to a second process, and free again afterwards")
    func locked() throws {
        let directory = try TemporaryDirectory()
        do {
            let disk = try DirectoryDisk(path: directory.path)
            #expect(throws: StorageError.inUse(path: directory.path)) { try DirectoryDisk(path: directory.path) }
            #expect(disk.path == directory.path)
        }
        #expect(throws: Never.self) { try DirectoryDisk(path: directory.path) }
    }

    @Test("a directory that can't be made is named, with the system's reason")
    func impossible() {
        #expect(
            throws: StorageError.system(
                operation: "make the directory", path: "/proc/none/n1", reason: "No such file or directory")
        ) { try DirectoryDisk(path: "/proc/none/n1") }
    }

    @Test("a device that is full is an error with the file and the reason, not a loss")
    func full() throws {
        guard access("/dev/full", W_OK) == 0 else { return }
        let directory = try TemporaryDirectory()
        symlink("/dev/full", directory.path + "/log-00000001")
        let path = directory.path + "/log-00000001"
        #expect(throws: StorageError.system(operation: "write", path: path, reason: "No space left on device")) {
            try WriteAheadLog.open(on: try DirectoryDisk(path: directory.path))
        }
    }
}

struct IdentityTests {
    @Test("a new disk takes its server's identity and keeps it")
    func claim() throws {
        var disk = MemoryDisk()
        #expect(try Identity.read(from: disk) == nil)
        try identity(2).claim(&disk)
        #expect(try Identity.read(from: disk) == identity(2))
        try identity(2).claim(&disk)
    }

    @Test("another server's disk is refused, and so is another cluster's")
    func foreign() throws {
        var disk = MemoryDisk()
        try identity(2).claim(&disk)
        #expect(throws: StorageError.foreign(path: "disk", reason: "belongs to n2, not to n1")) {
            try identity(1).claim(&disk)
        }
        #expect(throws: StorageError.foreign(path: "disk", reason: "belongs to another cluster")) {
            try identity(2, cluster: 8).claim(&disk)
        }
    }

    @Test("a log without an identity is refused: it could be anybody's")
    func missing() throws {
        var (log, _) = try WriteAheadLog.open(on: MemoryDisk())
        try log.sync()
        var disk = log.disk
        #expect(throws: StorageError.self) { try identity(1).claim(&disk) }
    }

    @Test("an identity that was never finished is none, and a damaged one is refused")
    func unfinished() throws {
        var disk = MemoryDisk()
        disk.files["identity.new"] = .init(bytes: [1, 2, 3])
        try identity(3).claim(&disk)
        #expect(try Identity.read(from: disk) == identity(3))
        for place in disk.files["identity"]?.bytes.indices ?? 0..<0 {
            var damaged = disk
            damaged.files["identity"]?.bytes[place] ^= 4
            #expect(throws: StorageError.self) { try Identity.read(from: damaged) }
        }
    }

    @Test("wherever its making fails, the disk is new or has its identity")
    func failsAnywhere() throws {
        for failsAfter in 0..<6 {
            var disk = MemoryDisk()
            disk.failsAfter = failsAfter
            _ = try? identity(1).claim(&disk)
            disk.failsAfter = nil
            try identity(1).claim(&disk)
            #expect(try Identity.read(from: disk) == identity(1))
        }
    }
}

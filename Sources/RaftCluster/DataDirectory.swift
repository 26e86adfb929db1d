import Glibc
import RaftCore
import RaftStorage

/// Where the servers' disks are: a directory of the user's that is kept, or one of our own that goes with the cluster.
struct DataDirectory: Sendable {
    /// The directory; each server has one of its own in it.
    let path: String
    /// Whether it is ours, and goes with the cluster.
    let isTemporary: Bool

    /// The directory at `path`; a fresh one of our own where that is `nil`, in `temporaryParent` if that is given.
    init(path: String?, temporaryParent: String? = nil) throws(StorageError) {
        if let path {
            self.path = path
            isTemporary = false
            if mkdir(path, 0o755) != 0, errno != EEXIST { throw Self.failure("make the directory", path) }
            // With its name everything in it would be lost.
            try DirectoryDisk.syncNames(in: path + "/..")
        } else {
            let parent = temporaryParent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
            var template = Array((parent + "/raft-tui-XXXXXX").utf8CString)
            guard let made = mkdtemp(&template) else { throw Self.failure("make a directory in", parent) }
            self.path = String(cString: made)
            isTemporary = true
        }
    }

    /// Where `node`'s files are.
    func directory(of node: NodeID) -> NodeDirectory { NodeDirectory(path: "\(path)/\(node)") }

    /// Whose disks are here, in ascending order of the servers' numbers.
    func identities() throws(StorageError) -> [Identity] {
        var identities: [Identity] = []
        for number in NodeID.range {
            let node = NodeID(Int(number))
            let path = directory(of: node).path
            guard access(path, F_OK) == 0 else { continue }
            guard let identity = try Identity.read(from: try DirectoryDisk(path: path)) else { continue }
            guard identity.node == node else {
                throw .foreign(path: path, reason: "belongs to \(identity.node), not to \(node)")
            }
            if let first = identities.first, first.cluster != identity.cluster {
                throw .foreign(path: path, reason: "belongs to another cluster than \(directory(of: first.node).path)")
            }
            identities.append(identity)
        }
        return identities
    }

    /// Takes the directory away, if it is ours.
    func removeIfTemporary() {
        if isTemporary { Self.removeTree(path) }
    }

    private static func removeTree(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard name != ".", name != ".." else { continue }
                if entry.pointee.d_type == DT_DIR { removeTree(path + "/" + name) } else { unlink(path + "/" + name) }
            }
            closedir(directory)
        }
        rmdir(path)
    }

    private static func failure(_ operation: String, _ path: String) -> StorageError {
        .system(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}

import ByteCoding
import RaftCore

/// Whose disk it is. A server that was given another's directory must not start from it, and one whose disk was wiped is
/// a new server (thesis §3.8).
public struct Identity: Hashable, Sendable {
    /// The cluster, by a number drawn when it was made.
    public var cluster: UInt64
    /// The server.
    public var node: NodeID
    /// The life of this disk.
    public var incarnation: Incarnation
    /// The members that the cluster started with.
    public var configuration: Configuration
    /// Whether the disk has had a log, so that one that is not there any more is missing.
    var hasLog = false

    /// The identity of a server's disk.
    public init(cluster: UInt64, node: NodeID, incarnation: Incarnation, configuration: Configuration) {
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.configuration = configuration
    }
}

extension Identity {
    private static let name = "identity"
    private static let draft = "identity.new"
    private static let version: UInt8 = 2

    /// Reads the identity of `disk`; `nil` where it is a new one. What is left of an identity that was never finished
    /// counts as none.
    public static func read(from disk: some Disk) throws(StorageError) -> Identity? {
        guard try disk.names().contains(name) else {
            guard let first = try Segment.numbers(on: disk).first else { return nil }
            let file = disk.path + "/" + Segment.name(first)
            throw .damaged(file: file, offset: 0, reason: "the file '\(name)' that says whose log it is is missing")
        }
        let file = disk.path + "/" + name
        guard case .frame(let payload, _, _) = Frame.read(try disk.contents(of: name), at: 0, segment: 0) else {
            throw .damaged(file: file, offset: 0, reason: "it doesn't say whose directory it is")
        }
        do {
            return try Identity(decoding: payload)
        } catch .unknownVersion(let version) {
            throw .unknownVersion(file: file, version: version)
        } catch {
            throw .damaged(file: file, offset: 0, reason: error.description)
        }
    }

    /// Writes the identity to `disk`, whole or not at all: a draft is made certain, then given its name.
    public func write(to disk: inout some Disk) throws(StorageError) {
        if try disk.names().contains(Identity.draft) { try disk.remove(Identity.draft) }
        try disk.create(Identity.draft)
        try disk.write(Frame.encoded(encoded(), number: 0, segment: 0, offset: 0), to: Identity.draft, at: 0)
        try disk.sync(Identity.draft)
        try disk.rename(Identity.draft, to: Identity.name)
        try disk.syncNames()
    }

    /// Makes sure that `disk` is this server's, and makes a new disk so.
    ///
    /// - Returns: The identity that the disk has: of a known disk its own, in whichever life.
    /// - Throws: ``StorageError/foreign(path:reason:)`` where it is another's.
    @discardableResult
    public func claim(_ disk: inout some Disk) throws(StorageError) -> Identity {
        guard let found = try Identity.read(from: disk) else {
            var fresh = self
            fresh.hasLog = false
            try fresh.write(to: &disk)
            return fresh
        }
        if found.cluster != cluster { throw .foreign(path: disk.path, reason: "belongs to another cluster") }
        if found.node != node {
            throw .foreign(path: disk.path, reason: "belongs to \(found.node), not to \(node)")
        }
        return found
    }

    /// Makes sure that `disk` is this server's, and opens its log.
    ///
    /// - Returns: The identity that the disk has, the log, and what it holds.
    /// - Throws: ``StorageError`` where the disk is another's, or something that was certain is missing or wrong.
    public func open<D: Disk>(
        _ disk: D, segmentBytesMax: Int = WriteAheadLog<D>.segmentBytesMax
    ) throws(StorageError) -> (identity: Identity, log: WriteAheadLog<D>, recovered: Recovered) {
        var disk = disk
        var found = try claim(&disk)
        try found.checkLogIsThere(on: disk)
        var (log, recovered) = try WriteAheadLog.open(on: disk, segmentBytesMax: segmentBytesMax)
        if !found.hasLog {
            found.hasLog = true
            try found.write(to: &log.disk)
        }
        return (found, log, recovered)
    }

    /// - Throws: ``StorageError/damaged(file:offset:reason:)`` where there was a log, and there is none.
    public func checkLogIsThere(on disk: some Disk) throws(StorageError) {
        guard hasLog, try Segment.numbers(on: disk).isEmpty else { return }
        throw .damaged(file: disk.path + "/" + Segment.name(1), offset: 0, reason: "the log's files are missing")
    }

    private func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Identity.version)
        writer.write(cluster)
        writer.write(node.rawValue)
        writer.write(incarnation.rawValue)
        writer.write(UInt8(hasLog ? 1 : 0))
        writer.write(configuration)
        return writer.bytes
    }

    private init(decoding payload: ArraySlice<UInt8>) throws(ByteReadingError) {
        var reader = ByteReader(payload)
        let version = try reader.readByte()
        guard version == Identity.version else { throw .unknownVersion(version) }
        cluster = try reader.readUInt64()
        node = try reader.readNodeID()
        incarnation = Incarnation(try reader.readUInt32())
        hasLog = try reader.readByte() != 0
        configuration = try reader.readConfiguration()
    }
}

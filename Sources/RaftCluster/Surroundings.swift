import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTransport
import Laboratory

/// What every server of this process is put into.
struct Surroundings {
    let directory: DataDirectory
    let snapshots: any EventLoop
    let events: EventQueue
    let numbers: Numbers
    let seed: UInt64
    /// Whether disks are none.
    var isInMemory = false
    /// What connections must prove to know.
    var secret: Secret?

    /// Makes a server with its disk; it waits to be started.
    func host(
        _ identity: Identity, on loop: any EventLoop, diskLoop: any EventLoop, at address: Address,
        _ settings: Settings, _ clock: ClusterClock
    ) throws -> HostReference {
        let (events, numbers, seed, secret) = (events, numbers, seed, secret)
        let disk = DiskReference(
            directory.directory(of: identity.node), loop: diskLoop, snapshots: snapshots, isInMemory: isInMemory)
        return try loop.submit {
            let host = NodeHost(
                id: identity.node, loop: loop, disk: disk, events: events, messageNumbers: numbers,
                identity: identity, settings: settings, clock: clock, address: address, secret: secret, seed: seed)
            return HostReference(NIOLoopBound(host, eventLoop: loop))
        }.wait()
    }
}

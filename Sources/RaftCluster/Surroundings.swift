import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTransport

/// What every server of this process is put into.
struct Surroundings {
    let directory: DataDirectory
    let snapshots: any EventLoop
    let events: EventQueue
    let numbers: Numbers
    let seed: UInt64
    /// What connections must prove to know.
    var secret: Secret?

    /// Makes a server with its disk; it waits to be started.
    func host(
        _ identity: Identity, on loop: any EventLoop, diskLoop: any EventLoop, at address: Address,
        _ settings: Settings, _ clock: ClusterClock
    ) throws -> HostReference {
        let (directory, snapshots, events, numbers, seed) = (directory, snapshots, events, numbers, seed)
        let secret = secret
        let disk = try diskLoop.submit {
            let power = PowerSwitch()
            let place = directory.directory(of: identity.node)
            let host = NIOLoopBound(DiskHost(directory: place, power: power), eventLoop: diskLoop)
            return DiskReference(host, power: power, snapshots: snapshots, path: place.path)
        }.wait()
        return try loop.submit {
            let host = NodeHost(
                id: identity.node, loop: loop, disk: disk, events: events, messageNumbers: numbers,
                identity: identity, settings: settings, clock: clock, address: address, secret: secret, seed: seed)
            return HostReference(NIOLoopBound(host, eventLoop: loop))
        }.wait()
    }
}

import NIOCore
import RaftCore
import RaftStorage
import Synchronization

/// A server's host, as other threads hold it: they can only ask its loop to do something with it.
struct HostReference: Sendable {
    private let host: NIOLoopBound<NodeHost>

    init(_ host: NIOLoopBound<NodeHost>) { self.host = host }

    /// The host's loop.
    var eventLoop: any EventLoop { host.eventLoop }

    /// Lets the host's loop do something with it.
    func execute(_ body: @escaping @Sendable (NodeHost) -> Void) {
        host.eventLoop.execute { [host] in body(host.value) }
    }

    /// Lets the host's loop do something with it, and answers what came of it.
    func submit<Value: Sendable>(_ body: @escaping @Sendable (NodeHost) -> Value) -> EventLoopFuture<Value> {
        host.eventLoop.submit { [host] in body(host.value) }
    }

    /// Lets the host's loop begin something with it, and answers when it is done.
    func flatSubmit(_ body: @escaping @Sendable (NodeHost) -> EventLoopFuture<Void>) -> EventLoopFuture<Void> {
        host.eventLoop.flatSubmit { [host] in body(host.value) }
    }
}

/// A server's disk, as its host holds it: what is asked of it happens on the disk's own thread, in order.
struct DiskReference: Sendable {
    private let disk: NIOLoopBound<DiskHost>
    private let power: PowerSwitch
    /// Where snapshots are written and read.
    let snapshots: any EventLoop
    /// The disk's directory.
    let path: String

    init(_ disk: NIOLoopBound<DiskHost>, power: PowerSwitch, snapshots: any EventLoop, path: String) {
        self.disk = disk
        self.power = power
        self.snapshots = snapshots
        self.path = path
    }

    /// Cuts the disk's power, now.
    func cutPower() { power.isOn = false }

    /// Lets the disk's thread do something.
    func execute(_ body: @escaping @Sendable (DiskHost) -> Void) {
        disk.eventLoop.execute { [disk] in body(disk.value) }
    }

    /// Lets the disk's thread do something, and answers on `loop` what came of it.
    func submit<Value: Sendable>(
        on loop: any EventLoop, _ body: @escaping @Sendable (DiskHost) throws -> Value
    ) -> EventLoopFuture<Value> {
        disk.eventLoop.submit { [disk] in try body(disk.value) }.hop(to: loop)
    }
}

/// Numbers messages, as the screen shows them, or calls, through the whole cluster.
final class Numbers: Sendable {
    private let next: Atomic<UInt64>

    init() { next = Atomic(1) }

    /// Numbers that no other server's process draws.
    init(of node: NodeID) { next = Atomic(UInt64(node.rawValue) << 48 | 1) }

    /// The next number.
    func draw() -> UInt64 { next.add(1, ordering: .relaxed).oldValue }
}

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

/// A server's disk, as its host holds it: what is asked of it happens on the disk's own thread, in order; or, where
/// nothing is asked of that, right here. One loop alone, the host's, asks for anything.
struct DiskReference: Sendable {
    private let shelf: Shelf
    private let loop: any EventLoop
    private let power: PowerSwitch
    /// Where snapshots are written and read.
    let snapshots: any EventLoop
    /// The disk's directory.
    let path: String
    /// Whether nothing of it is ever in a file.
    let isInMemory: Bool

    /// The disk, and how much of what its thread was asked for is still to be done.
    ///
    /// `@unchecked`, for what is asked on its thread is counted until it is done, and elsewhere the disk is used only while
    /// the count is zero, by the loop that alone adds to it.
    private final class Shelf: @unchecked Sendable {
        let disk: DiskHost
        let pending = Atomic<Int>(0)

        init(_ disk: DiskHost) { self.disk = disk }
    }

    init(_ directory: NodeDirectory, loop: any EventLoop, snapshots: any EventLoop, isInMemory: Bool) {
        power = PowerSwitch()
        shelf = Shelf(DiskHost(directory: directory, power: power, isInMemory: isInMemory))
        self.loop = loop
        self.snapshots = snapshots
        path = directory.path
        self.isInMemory = isInMemory
    }

    /// Cuts the disk's power, now.
    func cutPower() { power.isOn = false }

    /// Lets the disk's thread do something.
    func execute(_ body: @escaping @Sendable (DiskHost) -> Void) {
        shelf.pending.add(1, ordering: .relaxed)
        loop.execute { [shelf] in
            body(shelf.disk)
            shelf.pending.subtract(1, ordering: .releasing)
        }
    }

    /// Lets the disk's thread do something, and answers on `loop` what came of it.
    func submit<Value: Sendable>(
        on loop: any EventLoop, _ body: @escaping @Sendable (DiskHost) throws -> Value
    ) -> EventLoopFuture<Value> {
        shelf.pending.add(1, ordering: .relaxed)
        return self.loop.submit { [shelf] in
            defer { shelf.pending.subtract(1, ordering: .releasing) }
            return try body(shelf.disk)
        }.hop(to: loop)
    }

    /// The disk, for whoever wants to use it right here, on the loop that asks for everything; `nil` while its thread has
    /// something to do.
    var idleDisk: DiskHost? { shelf.pending.load(ordering: .acquiring) == 0 ? shelf.disk : nil }
}

/// Something that is held only as long as somebody else holds it.
struct Weak<Object: AnyObject> {
    private(set) weak var object: Object?

    init(_ object: Object) { self.object = object }
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

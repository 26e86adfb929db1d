import Laboratory
import NIOCore
import RaftCore
import RaftTrace
import Synchronization

/// What can be done to a server that is alone in its process: all that concerns it, and its ends of the links to others.
final class Faults: Sendable {
    private let id: NodeID
    private let host: HostReference
    /// What was ordered so far. Faults come over HTTP, on whatever thread.
    private let desk: Mutex<Desk>

    init(id: NodeID, others: [NodeID], settings: Settings, host: HostReference) {
        self.id = id
        self.host = host
        var desk = Desk(
            nodes: ([id] + others).sorted(), settings: settings, speed: 1, latency: .zero ... .zero)
        _ = desk.startAll()
        self.desk = Mutex(desk)
    }

    /// Carries out what of `command` concerns this server.
    func perform(_ command: Command) throws(Refusal) {
        switch command {
        case .transfer(.node(let target)): host.execute { $0.transfer(to: target) }
        case .members(let added, let removed):
            let removed = removed.compactMap { if case .node(let node) = $0 { node } else { nil } }
            host.execute { $0.changeMembers(adding: NodeSet(added), removing: NodeSet(removed)) }
        default:
            let result = desk.withLock { desk -> Result<[Order], Refusal> in
                do throws(Refusal) { return .success(try desk.orders(for: command, seeing: Picture())) } catch {
                    return .failure(error)
                }
            }
            let orders = try result.get()
            for order in orders { try carryOut(order) }
        }
    }

    private func carryOut(_ order: Order) throws(Refusal) {
        switch order {
        case .start(id): inOrder { $0.start() }
        case .stop(id, let how): inOrder { $0.stop(how) }
        case .unwipe(id): inOrder { $0.unwipe() }
        case .pause(id): inOrder { $0.pause() }
        case .resume(id): inOrder { $0.resume() }
        case .campaign(id): inOrder { $0.campaign() }
        case .snapshot(id): inOrder { $0.takeSnapshot() }
        case .holdTimer(id, let isHeld): inOrder { $0.holdTimer(isHeld) }
        case .disk(id, let condition): inOrder { $0.setDisk(condition) }
        case .link(let link, let change) where link.from == id: inOrder { $0.changeLink(to: link.to, change) }
        case .settings(let settings):
            inOrder { host -> Void in
                host.adopt(settings)
                host.noteSettings()
                host.endTurn()
            }
        case .start, .stop, .unwipe, .pause, .resume, .campaign, .snapshot, .holdTimer, .disk, .link: break
        case .create, .members, .transfer, .setTimer, .messages, .clock, .step, .load, .call, .restart:
            throw Refusal("that can't be done to a node that is alone in its process")
        }
    }

    private func inOrder(_ body: @escaping @Sendable (NodeHost) -> Void) {
        inOrder { host -> EventLoopFuture<Void> in
            body(host)
            return host.loop.makeSucceededVoidFuture()
        }
    }

    private func inOrder(_ body: @escaping @Sendable (NodeHost) -> EventLoopFuture<Void>) {
        _ = host.flatSubmit { $0.inOrder(body) }
    }
}

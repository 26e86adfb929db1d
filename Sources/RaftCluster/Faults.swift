import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftTrace
import Synchronization

/// What can be done to a server that is alone in its process: all that concerns it, and its ends of the links to others.
final class Faults: Sendable {
    private let id: NodeID
    private let others: [NodeID]
    private let host: HostReference
    /// What was ordered so far. Faults come over HTTP, on whatever thread.
    private let desk: Mutex<Desk>

    init(id: NodeID, others: [NodeID], settings: Settings, host: HostReference) {
        self.id = id
        self.others = others
        self.host = host
        var desk = Desk(
            nodes: ([id] + others).sorted(), settings: settings, speed: 1, latency: .zero ... .zero)
        _ = desk.startAll()
        self.desk = Mutex(desk)
    }

    /// Carries out what of `command` concerns this server.
    ///
    /// - Throws: ``Refusal`` where nothing of it does, or the server can't do it.
    func perform(_ command: Command) async throws(Refusal) {
        switch command {
        case .transfer(.node(let target)):
            try await lead { host in
                host.transfer(to: target)
                return nil
            }
        case .members(let added, let removed):
            if let stranger = added.first(where: { $0 != id && !others.contains($0) }) {
                throw Refusal("\(id) doesn't know where \(stranger) is: start all nodes with it among their --peers")
            }
            let removed = NodeSet(removed.compactMap { if case .node(let node) = $0 { node } else { nil } })
            try await lead { host in
                let reason = host.life?.node.raft.refusalOfChange(adding: NodeSet(added), removing: removed)
                host.changeMembers(adding: NodeSet(added), removing: removed)
                return reason.map { "\(host.id) doesn't change the members: \($0.sentence)" }
            }
        default:
            for order in try orders(for: command) { carryOut(order) }
        }
    }

    /// What this server has to do; the desk remembers it only if it can be done.
    private func orders(for command: Command) throws(Refusal) -> [Order] {
        let result = desk.withLock { desk -> Result<[Order], Refusal> in
            do throws(Refusal) {
                var next = desk
                let orders = try next.orders(for: command, seeing: Picture())
                try check(orders)
                desk = next
                return .success(orders)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func check(_ orders: [Order]) throws(Refusal) {
        var strangers: [NodeID] = []
        for order in orders {
            switch order {
            case .start(let node), .stop(let node, _), .unwipe(let node), .pause(let node), .resume(let node),
                .campaign(let node), .snapshot(let node), .holdTimer(let node, _), .disk(let node, _):
                if node != id { strangers.append(node) }
            case .link(let link, _): if link.from != id { strangers.append(link.from) }
            case .settings: break
            case .create, .members, .transfer, .setTimer, .messages, .clock, .step, .load, .call, .restart:
                throw Refusal("that can't be done to a node that is alone in its process")
            }
        }
        if let stranger = strangers.first, strangers.count == orders.count {
            throw Refusal("this is \(id), and nothing of that is for it to do: ask \(stranger)")
        }
    }

    /// Lets the server do what only a leader can.
    private func lead(_ body: @escaping @Sendable (NodeHost) -> String?) async throws(Refusal) {
        let refusal = try? await host.submit { [id] host -> String? in
            guard let raft = host.life?.node.raft else { return "\(id) is down: start it, or ask another" }
            guard raft.role.name == .leader else {
                return "\(id) doesn't lead: ask \(raft.leader.map { "\($0)" } ?? "again when somebody does")"
            }
            return body(host)
        }.get()
        if let refusal { throw Refusal(refusal) }
    }

    private func carryOut(_ order: Order) {
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
        // The others do their parts of what concerns more than one.
        default: break
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

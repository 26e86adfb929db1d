import Laboratory
import NIOCore
import RaftCore
import RaftStorage
import RaftTrace

// How commands are carried out: the desk makes orders of them, and the servers' hosts do what these say.

extension LiveCluster {
    /// Begins to carry out `command`.
    @discardableResult
    public func perform(_ command: Command, seeing picture: Picture) throws(Refusal) -> UInt64? {
        let orders = try desk.orders(for: command, seeing: picture)
        let done = CommandDone(text: command.description, takesBack: desk.takenBack)
        events.tell([.command(done)], at: clock.now)
        var call: UInt64?
        for order in orders {
            if case .call(let command, let via) = order { call = self.call(command, via: via) } else { carryOut(order) }
        }
        return call
    }

    /// Gives a server's disk its contents, before the servers start.
    public func prepare(_ boot: Boot) throws(Refusal) {
        guard !hasStarted else { throw Refusal("a disk can be prepared only before its server starts") }
        guard isNew else {
            throw Refusal("\(boot.node) has a disk in \(directory.path) already: choose another --data-dir, or none")
        }
        order(boot.node) { $0.prepare(boot) }
    }

    /// Lets the servers start.
    public func start() {
        guard !hasStarted else { return }
        hasStarted = true
        for order in desk.startAll() { carryOut(order) }
    }

    private func carryOut(_ order: Order) {
        switch order {
        case .start(let node): self.order(node) { $0.start() }
        case .stop(let node, let how): self.order(node) { $0.stop(how) }
        case .unwipe(let node): self.order(node) { $0.unwipe() }
        case .pause(let node): self.order(node) { $0.pause() }
        case .resume(let node): self.order(node) { $0.resume() }
        case .campaign(let node): self.order(node) { $0.campaign() }
        case .snapshot(let node): self.order(node) { $0.takeSnapshot() }
        case .create(let node): create(node)
        case .members(let leader, let added, let removed):
            self.order(leader) { $0.changeMembers(adding: added, removing: removed) }
        case .transfer(let node, let target): self.order(node) { $0.transfer(to: target) }
        case .holdTimer(let node, let isHeld): self.order(node) { $0.holdTimer(isHeld) }
        case .setTimer(let node, let moment): self.order(node) { $0.setTimer(moment) }
        case .disk(let node, let condition): self.order(node) { $0.setDisk(condition) }
        case .link(let id, let change): self.order(id.from) { $0.changeLink(to: id.to, change) }
        case .messages(let action, let id, let messages):
            self.order(id.from) { $0.handleMessages(to: id.to, action, messages) }
        case .clock(let rate): setClock(clock.changed(toRate: rate))
        case .step(let count): beginSteps(count)
        case .settings(let settings):
            events.tell([.settings(SettingsChanged(settings))], at: clock.now)
            for node in nodes { self.order(node) { $0.adopt(settings) } }
        case .load(let load): setLoad(load)
        case .call(let command, let via): _ = call(command, via: via)
        case .restart: restart()
        }
    }

    // MARK: - Orders to hosts

    /// Counts an order as outstanding until its host has carried it out.
    func order(_ node: NodeID, _ body: @escaping @Sendable (NodeHost) -> Void) {
        order(node) { host -> EventLoopFuture<Void> in
            body(host)
            return host.loop.makeSucceededVoidFuture()
        }
    }

    /// Counts an order as outstanding until what its host has begun is done.
    private func order(_ node: NodeID, _ body: @escaping @Sendable (NodeHost) -> EventLoopFuture<Void>) {
        guard let host = hosts[node] else { return }
        begin()
        host.flatSubmit { $0.inOrder(body) }.whenComplete { [open, events] _ in
            open.end()
            events.signal()
        }
    }

    private func setClock(_ clock: ClusterClock) {
        self.clock = clock
        stepping = nil
        events.tell([.clock(ClockRate(rate: clock.rate))], at: clock.now)
        for node in nodes { order(node) { $0.adopt(clock) } }
        for clients in allClients { clients.eventLoop.execute { clients.value.adopt(clock) } }
    }

    private func setLoad(_ load: Load?) {
        events.tell([.load(load)], at: clock.now)
        begin()
        clients.eventLoop.execute { [clients, open, events] in
            clients.value.setLoad(load)
            open.end()
            events.signal()
        }
    }

    private func call(_ command: ClientCommand, via: NodeID?) -> UInt64 {
        let call = ClientCall(
            client: command.client, call: callNumbers.draw(), request: command.request, via: via,
            isRetry: command.isRetry)
        begin()
        clients.eventLoop.execute { [clients, open, events] in
            clients.value.call(call)
            open.end()
            events.signal()
        }
        return call.call
    }

    /// Stops everything, takes all disks away, and starts the same cluster anew. Waits until all is stopped, so that
    /// nothing of the old cluster is told after the new one has begun.
    private func restart() {
        stepping = nil
        waitForAll { $0.stop(.wipe) }
        dropJoined()
        clock = ClusterClock(rate: desk.speed, from: clock.now)
        events.tell(beginning, at: clock.now)
        for (place, clients) in allClients.enumerated() {
            clients.eventLoop.execute { [clock] in
                clients.value.reset(sessionSuffix: place == 0 ? "" : LiveCluster.anySuffix)
                clients.value.adopt(clock)
            }
        }
        for identity in ClusterPlan.fresh(count: nodes.count) {
            order(identity.node) { [clock] host -> Void in host.begin(anew: identity, clock) }
            order(identity.node) { $0.start() }
        }
    }
}

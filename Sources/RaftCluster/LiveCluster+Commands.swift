import Laboratory
import RaftCore
import RaftTrace

// What each command does to the live cluster.

extension LiveCluster {
    /// Begins to carry out `command`.
    @discardableResult
    public func perform(_ command: Command, leader: NodeID?) throws(Refusal) -> UInt64? {
        let action = try plan(command, leader: leader)
        events.tell([.command(CommandDone(text: command.description))], at: clock.now)
        return action()
    }

    /// What taking back a fault does.
    enum Undo {
        case revive(NodeID)
        case unwipe(NodeID, revives: Bool)
        case resume(NodeID)
        case links([LinkState])
    }

    private typealias Change = () -> Void
    private typealias Action = () -> UInt64?

    /// Checks that `command` can be carried out, and answers how. Nothing is changed yet.
    private func plan(_ command: Command, leader: NodeID?) throws(Refusal) -> Action {
        if case .client(let client) = command { return try plan(client, leader: leader) }
        let change = try planChange(command, leader: leader)
        return {
            change()
            return nil
        }
    }

    private func planChange(_ command: Command, leader: NodeID?) throws(Refusal) -> Change {
        switch command {
        case .client: return {}
        case .nodes(let action, let references):
            var nodes: [NodeID] = []
            for reference in references { nodes.append(try node(reference, leader)) }
            for node in nodes { try check(action, on: node) }
            return { [self] in nodes.forEach { apply(action, to: $0) } }
        case .cut(let references):
            let links = try self.links(references, leader).filter { !link($0).isCut }
            guard !links.isEmpty else { throw Refusal("\(command) changes nothing: it is cut already") }
            return { [self] in changeAndRemember(links, .cut) }
        case .heal(let references):
            let named = references.isEmpty ? allLinks : try self.links(references, leader)
            let links = named.filter { link($0).isCut }
            guard !links.isEmpty else { throw Refusal("\(command) changes nothing: nothing is cut there") }
            return { [self] in changeLinks(links, .heal) }
        case .partition(let groups): return try planPartition(groups, leader: leader)
        case .isolate(let reference):
            let node = try node(reference, leader)
            let links = allLinks.filter { ($0.from == node || $0.to == node) && !link($0).isCut }
            guard !links.isEmpty else { throw Refusal("\(node) is isolated already") }
            return { [self] in changeAndRemember(links, .cut) }
        case .latency(let reference, let range):
            let links = try reference.map { (one) throws(Refusal) in try self.links([one], leader) } ?? allLinks
            return { [self] in changeAndRemember(links, .latency(range)) }
        case .loss(let reference, let share):
            let links = try reference.map { (one) throws(Refusal) in try self.links([one], leader) } ?? allLinks
            return { [self] in changeAndRemember(links, .loss(share)) }
        case .freeze:
            if clock.isFrozen { throw Refusal("the clock stands still already") }
            return { [self] in setClock(clock.changed(toRate: 0)) }
        case .thaw:
            if !clock.isFrozen { throw Refusal("the clock isn't frozen") }
            return { [self] in setClock(clock.changed(toRate: speed)) }
        case .speed(let rate):
            guard Command.speeds.contains(rate) else { throw Refusal("a speed is between 1/1000 and 4") }
            return { [self] in
                speed = rate
                if !clock.isFrozen { setClock(clock.changed(toRate: rate)) }
            }
        case .undo: return try planUndo()
        case .reset: return { [self] in restart() }
        }
    }

    // MARK: - Clients

    private func plan(_ command: ClientCommand, leader: NodeID?) throws(Refusal) -> Action {
        var via: NodeID?
        if let reference = command.via { via = try node(reference, leader) }
        if command.isRetry, lastWrites[command.client] != command.request {
            throw Refusal("that is not \(command.client)'s last write, so it can't be sent again")
        }
        return { [self] in call(command, via: via) }
    }

    // MARK: - Servers

    private func node(_ reference: NodeReference, _ leader: NodeID?) throws(Refusal) -> NodeID {
        try reference.resolved(leader: leader, nodes: nodes)
    }

    private func check(_ action: NodeAction, on node: NodeID) throws(Refusal) {
        switch (action, standing[node] ?? .down) {
        case (.kill, .down), (.power, .down): throw Refusal("\(node) is down already")
        case (.revive, .up), (.revive, .paused): throw Refusal("\(node) runs already")
        case (.pause, .paused): throw Refusal("\(node) is paused already")
        case (.resume, .up), (.resume, .down): throw Refusal("\(node) isn't paused")
        case (.pause, .down), (.timeout, .down): throw Refusal("\(node) is down")
        case (.timeout, .paused): throw Refusal("\(node) is paused")
        default: break
        }
    }

    private func apply(_ action: NodeAction, to node: NodeID) {
        switch action {
        case .kill: stop(node, .kill, undo: .revive(node))
        case .power: stop(node, .power, undo: .revive(node))
        case .wipe: stop(node, .wipe, undo: .unwipe(node, revives: standing[node] != .down))
        case .revive: start(node)
        case .pause:
            standing[node] = .paused
            remember(.resume(node))
            order(node) { $0.pause() }
        case .resume:
            standing[node] = .up
            order(node) { $0.resume() }
        case .timeout: order(node) { $0.campaign() }
        }
    }

    private func stop(_ node: NodeID, _ how: CrashKind, undo: Undo) {
        standing[node] = .down
        remember(undo)
        order(node) { $0.stop(how) }
    }

    // MARK: - Links

    private func links(_ references: [LinkReference], _ leader: NodeID?) throws(Refusal) -> [Picture.LinkID] {
        var links: [Picture.LinkID] = []
        for reference in references {
            for link in try reference.resolved(leader: leader, nodes: nodes) where !links.contains(link) {
                links.append(link)
            }
        }
        return links
    }

    private func changeAndRemember(_ ids: [Picture.LinkID], _ change: LinkChange) {
        remember(.links(ids.map { link($0) }))
        changeLinks(ids, change)
    }

    private func planPartition(_ groups: [[NodeReference]], leader: NodeID?) throws(Refusal) -> Change {
        var side: [NodeID: Int] = [:]
        for (number, group) in groups.enumerated() {
            for reference in group {
                let node = try node(reference, leader)
                guard side[node] == nil else { throw Refusal("\(node) can't be on two sides of a partition") }
                side[node] = number
            }
        }
        let cut = allLinks.filter { side[$0.from] != side[$0.to] && !link($0).isCut }
        let healed = allLinks.filter { side[$0.from] == side[$0.to] && link($0).isCut }
        guard !cut.isEmpty || !healed.isEmpty else { throw Refusal("the cluster is partitioned like that already") }
        return { [self] in
            remember(.links((cut + healed).map { link($0) }))
            changeLinks(cut, .cut)
            changeLinks(healed, .heal)
        }
    }

    // MARK: - Taking back

    private static let undoableMax = 100

    private func remember(_ undo: Undo) {
        undoable.append(undo)
        if undoable.count > LiveCluster.undoableMax { undoable.removeFirst() }
    }

    private func planUndo() throws(Refusal) -> Change {
        // What somebody has mended by hand since is no fault any more.
        while let last = undoable.last, !isStanding(last) { undoable.removeLast() }
        guard let last = undoable.popLast() else { throw Refusal("there is no fault to take back") }
        return { [self] in takeBack(last) }
    }

    private func isStanding(_ undo: Undo) -> Bool {
        switch undo {
        case .revive(let node), .unwipe(let node, _): standing[node] == .down
        case .resume(let node): standing[node] == .paused
        case .links(let states): states.contains { link(.init(from: $0.from, to: $0.to)) != $0 }
        }
    }

    private func takeBack(_ undo: Undo) {
        switch undo {
        case .revive(let node): start(node)
        case .unwipe(let node, let revives):
            order(node) { $0.unwipe() }
            if revives { start(node) }
        case .resume(let node):
            standing[node] = .up
            order(node) { $0.resume() }
        case .links(let states):
            for state in states {
                let id = Picture.LinkID(from: state.from, to: state.to)
                changeLinks([id], state.isCut ? .cut : .heal)
                changeLinks([id], .latency(state.latencyMin...state.latencyMax))
                changeLinks([id], .loss(state.loss))
            }
        }
    }
}

import RaftCore
import RaftTrace

// What is done to servers, and how the last fault is taken back.

extension Desk {
    mutating func start(_ node: NodeID) -> [Order] {
        standing[node] = .up
        wiped.remove(node)
        // Its disk is in use: one that was wiped before can't take its place any more.
        for place in undoable.indices {
            undoable[place].undos.removeAll { if case .unwipe(node, _) = $0 { true } else { false } }
        }
        return [.start(node)]
    }

    mutating func act(_ action: NodeAction, on node: NodeID, _ names: Names) throws(Refusal) -> [Order] {
        try check(action, on: node, leader: names.picture.leader?.id)
        switch action {
        case .kill: return stop(node, .kill, undo: .revive(node))
        case .power: return stop(node, .power, undo: .revive(node))
        case .wipe:
            wiped.insert(node)
            return stop(node, .wipe, undo: .unwipe(node, revives: standing[node, default: .down] != .down))
        case .revive: return start(node)
        case .pause:
            standing[node] = .paused
            remember(.resume(node))
            return [.pause(node)]
        case .resume:
            standing[node] = .up
            return [.resume(node)]
        case .timeout: return [.campaign(node)]
        case .snapshot: return try takeSnapshot(of: node, names.picture)
        case .holdTimer:
            heldTimers.insert(node)
            return [.holdTimer(node, true)]
        case .freeTimer:
            heldTimers.remove(node)
            return [.holdTimer(node, false)]
        }
    }

    private func check(_ action: NodeAction, on node: NodeID, leader: NodeID?) throws(Refusal) {
        switch (action, standing[node] ?? .down) {
        case (.kill, .down), (.power, .down): throw Refusal("\(node) is down already")
        case (.revive, .up), (.revive, .paused): throw Refusal("\(node) runs already")
        case (.pause, .paused): throw Refusal("\(node) is paused already")
        case (.resume, .up), (.resume, .down): throw Refusal("\(node) isn't paused")
        case (.pause, .down), (.timeout, .down), (.snapshot, .down): throw Refusal("\(node) is down")
        case (.timeout, .paused), (.snapshot, .paused): throw Refusal("\(node) is paused")
        case (.timeout, .up) where leader == node: throw Refusal("\(node) leads already")
        case (.wipe, _) where wiped.contains(node): throw Refusal("the disk of \(node) is taken away already")
        case (.holdTimer, _) where heldTimers.contains(node): throw Refusal("the timer of \(node) is held already")
        case (.freeTimer, _) where !heldTimers.contains(node): throw Refusal("the timer of \(node) isn't held")
        default: break
        }
    }

    private func takeSnapshot(of node: NodeID, _ picture: Picture) throws(Refusal) -> [Order] {
        if let known = picture[node] {
            if let last = known.isTakingSnapshot {
                throw Refusal("\(node) is writing a snapshot up to \(last.index) already")
            }
            if known.applied == .zero { throw Refusal("\(node) has applied nothing yet") }
            if let last = known.snapshot?.index, last >= known.applied {
                throw Refusal("\(node) has applied nothing since its snapshot up to \(last)")
            }
        }
        return [.snapshot(node)]
    }

    private mutating func stop(_ node: NodeID, _ how: CrashKind, undo: Undo) -> [Order] {
        standing[node] = .down
        remember(undo)
        return [.stop(node, how)]
    }

    /// The leader hands over to `target`.
    func transfer(to target: NodeID, _ names: Names) throws(Refusal) -> [Order] {
        let leader = try names.node(.leader)
        if leader == target { throw Refusal("\(target) leads already") }
        switch standing[target] ?? .down {
        case .down: throw Refusal("\(target) is down, and can't lead")
        case .paused: throw Refusal("\(target) is paused, and can't lead")
        case .up: break
        }
        if let other = names.picture[leader]?.handsOverTo { throw Refusal("\(leader) hands over to \(other) already") }
        if names.picture[leader]?.peers[target]?.isCounted == false {
            throw Refusal("\(target) has forgotten what it promised, and can't lead")
        }
        guard standing[leader] == .up else { throw Refusal("\(leader) is paused, and can't hand over") }
        return [.transfer(leader, to: target)]
    }

    /// The timers run out when the first of them would have.
    mutating func align(_ references: [NodeReference], _ names: Names) throws(Refusal) -> [Order] {
        var deadlines: [NodeID: Instant] = [:]
        for reference in references {
            let node = try names.node(reference)
            guard standing[node] == .up else { throw Refusal("\(node) doesn't run") }
            guard !heldTimers.contains(node) else {
                throw Refusal("the timer of \(node) is held: free-timer lets it go")
            }
            guard let timer = names.picture[node]?.timer else { throw Refusal("\(node) leads, and has no timer") }
            deadlines[node] = timer.deadline
        }
        guard let first = deadlines.values.min(), deadlines.count > 1 else {
            throw Refusal("two timers at least are aligned")
        }
        return deadlines.keys.sorted().map { .setTimer($0, first) }
    }

    mutating func setDisk(of node: NodeID, _ condition: DiskCondition) throws(Refusal) -> [Order] {
        guard disks[node, default: .ok] != condition else {
            throw Refusal("the disk of \(node) is \(condition.rawValue) already")
        }
        disks[node] = condition
        if condition != .ok { remember(.disk(node)) }
        return [.disk(node, condition)]
    }

    // MARK: - Taking back

    private static let undoableMax = 100

    mutating func remember(_ undo: Undo) { undoable.append(Fault(undos: [undo])) }

    /// Forgets the oldest faults where there are too many.
    mutating func forgetOldFaults() {
        if undoable.count > Desk.undoableMax { undoable.removeFirst(undoable.count - Desk.undoableMax) }
    }

    /// Makes the faults after the first `count` one: a command did them, and is taken back as a whole.
    mutating func joinUndos(after count: Int) {
        let last = undoable.dropFirst(count).flatMap(\.undos)
        guard !last.isEmpty else { return }
        undoable = undoable.prefix(count) + [Fault(undos: last)]
    }

    mutating func takeBack() throws(Refusal) -> [Order] {
        // What somebody has mended by hand since is no fault any more.
        while let last = undoable.last, !last.undos.contains(where: isStanding) { undoable.removeLast() }
        guard let last = undoable.popLast() else { throw Refusal("there is no fault to take back") }
        takenBack = last.text
        return last.undos.reversed().filter(isStanding).flatMap { takeBack($0) }
    }

    private mutating func takeBack(_ undo: Undo) -> [Order] {
        switch undo {
        case .revive(let node): return start(node)
        case .unwipe(let node, let revives):
            wiped.remove(node)
            return [.unwipe(node)] + (revives ? start(node) : [])
        case .resume(let node):
            standing[node] = .up
            return [.resume(node)]
        case .links(let changes): return changes.filter(isStanding).flatMap { change([$0.id], $0.inverse) }
        case .disk(let node):
            disks[node] = .ok
            return [.disk(node, .ok)]
        }
    }

    private func isStanding(_ undo: Undo) -> Bool {
        switch undo {
        case .revive(let node), .unwipe(let node, _): standing[node] == .down
        case .resume(let node): standing[node] == .paused
        case .links(let changes): changes.contains(where: isStanding)
        case .disk(let node): disks[node, default: .ok] != .ok
        }
    }

    /// Whether a link is still as it was changed then.
    private func isStanding(_ change: LinkUndo) -> Bool {
        var state = link(change.id)
        state.apply(change.done)
        return state == link(change.id)
    }
}

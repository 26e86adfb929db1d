import RaftCore
import RaftTrace

// What is done to links and to the messages on them.

extension Desk {
    mutating func changeLinks(_ command: Command, _ names: Names) throws(Refusal) -> [Order] {
        switch command {
        case .cut(let references):
            let open = try names.links(references).filter { !link($0).isCut }
            guard !open.isEmpty else { throw Refusal("\(command) changes nothing: it is cut already") }
            return changeAndRemember(open, .cut)
        case .heal(let references):
            let cut = try named(references, names).filter { link($0).isCut }
            guard !cut.isEmpty else { throw Refusal("\(command) changes nothing: nothing is cut there") }
            return change(cut, .heal)
        case .partition(let groups): return try partition(groups, names)
        case .isolate(let reference):
            let node = try names.node(reference)
            let open = allLinks.filter { ($0.from == node || $0.to == node) && !link($0).isCut }
            guard !open.isEmpty else { throw Refusal("\(node) is isolated already") }
            return changeAndRemember(open, .cut)
        case .latency(let reference, let range):
            return changeAndRemember(try named(reference.map { [$0] } ?? [], names), .latency(range))
        case .loss(let reference, let share):
            return changeAndRemember(try named(reference.map { [$0] } ?? [], names), .loss(share))
        case .hold(let references):
            let free = try names.links(references).filter { !link($0).isHeld }
            guard !free.isEmpty else { throw Refusal("\(command) changes nothing: it is held already") }
            return changeAndRemember(free, .hold)
        case .release(let references):
            let held = try named(references, names).filter { link($0).isHeld }
            guard !held.isEmpty else { throw Refusal("\(command) changes nothing: nothing is held there") }
            return change(held, .release)
        default: return []
        }
    }

    /// The links that are named; all, where none is.
    private func named(_ references: [LinkReference], _ names: Names) throws(Refusal) -> [Picture.LinkID] {
        references.isEmpty ? allLinks : try names.links(references)
    }

    mutating func change(_ ids: [Picture.LinkID], _ change: LinkChange) -> [Order] {
        ids.map { id in
            var state = link(id)
            state.apply(change)
            links[id] = state
            return .link(id, change)
        }
    }

    private mutating func changeAndRemember(_ ids: [Picture.LinkID], _ change: LinkChange) -> [Order] {
        remember(.links(ids.map { undo($0, change) }))
        return self.change(ids, change)
    }

    /// What takes back a change that is about to be made.
    private func undo(_ id: Picture.LinkID, _ change: LinkChange) -> LinkUndo {
        let before = link(id)
        let inverse: LinkChange =
            switch change {
            case .cut, .heal: before.isCut ? .cut : .heal
            case .latency: .latency(before.latencyMin...before.latencyMax)
            case .loss: .loss(before.loss)
            case .hold, .release: before.isHeld ? .hold : .release
            }
        return LinkUndo(id: id, done: change, inverse: inverse)
    }

    private mutating func partition(_ groups: [[NodeReference]], _ names: Names) throws(Refusal) -> [Order] {
        var side: [NodeID: Int] = [:]
        for (number, group) in groups.enumerated() {
            for reference in group {
                let node = try names.node(reference)
                guard side[node] == nil else { throw Refusal("\(node) can't be on two sides of a partition") }
                side[node] = number
            }
        }
        let cut = allLinks.filter { side[$0.from] != side[$0.to] && !link($0).isCut }
        let healed = allLinks.filter { side[$0.from] == side[$0.to] && link($0).isCut }
        guard !cut.isEmpty || !healed.isEmpty else { throw Refusal("the cluster is partitioned like that already") }
        remember(.links(cut.map { undo($0, .cut) } + healed.map { undo($0, .heal) }))
        return change(cut, .cut) + change(healed, .heal)
    }

    // MARK: - Messages

    func handleMessages(
        _ action: MessageAction, _ reference: MessageReference, _ names: Names
    ) throws(Refusal) -> [Order] {
        switch reference {
        case .numbered(let number):
            guard let message = names.picture.inFlight[number]?.sent.message else {
                throw Refusal("no message #\(number) is on its way")
            }
            return [.messages(action, Picture.LinkID(from: message.from, to: message.to), .numbered(number))]
        case .oldest(let reference, let count):
            let busy = Set(
                names.picture.inFlight.all.map {
                    Picture.LinkID(from: $0.sent.message.from, to: $0.sent.message.to)
                })
            let links = try names.links(reference).filter(busy.contains)
            guard !links.isEmpty else { throw Refusal("no message is on its way on \(reference)") }
            return links.map { .messages(action, $0, .oldest(count)) }
        }
    }
}

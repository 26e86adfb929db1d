import Laboratory
import RaftCore
import RaftTrace

/// A line that a node's process is told, so that it does its part of a command.
struct FaultLine: Hashable, Sendable {
    /// The node.
    var node: NodeID
    /// The line.
    var text: String

    /// The lines that carry out `orders`, which are what there is to do about `command`.
    ///
    /// - Parameter nodes: The nodes there are.
    /// - Throws: ``Refusal`` where processes can't do it.
    static func lines(
        for orders: [Order], of command: Command, among nodes: [NodeID]
    ) throws(Refusal) -> [FaultLine] {
        var lines: [FaultLine] = []
        var unwiped = NodeSet()
        for order in orders {
            switch order {
            case .settings: lines += nodes.map { FaultLine(node: $0, text: command.description) }
            case .unwipe(let node):
                // A process brings its disk back by taking back what it was told, and starts again if it ran.
                unwiped.insert(node)
                lines.append(FaultLine(node: node, text: Command.undo.description))
            case .start(let node) where unwiped.contains(node): break
            default: lines.append(try line(for: order))
            }
        }
        return lines
    }

    private static func line(for order: Order) throws(Refusal) -> FaultLine {
        switch order {
        case .start(let node): tell(node, .nodes(.revive, [.node(node)]))
        case .stop(let node, .kill): tell(node, .nodes(.kill, [.node(node)]))
        case .stop(let node, .power): tell(node, .nodes(.power, [.node(node)]))
        case .stop(let node, .wipe): tell(node, .nodes(.wipe, [.node(node)]))
        case .pause(let node): tell(node, .nodes(.pause, [.node(node)]))
        case .resume(let node): tell(node, .nodes(.resume, [.node(node)]))
        case .campaign(let node): tell(node, .nodes(.timeout, [.node(node)]))
        case .snapshot(let node): tell(node, .nodes(.snapshot, [.node(node)]))
        case .holdTimer(let node, let isHeld): tell(node, .nodes(isHeld ? .holdTimer : .freeTimer, [.node(node)]))
        case .disk(let node, let condition): tell(node, .disk(.node(node), condition))
        case .transfer(let node, let target): tell(node, .transfer(.node(target)))
        case .members(let node, let added, let removed):
            tell(node, .members(adding: Array(added), removing: removed.map { .node($0) }))
        case .link(let link, let change): tell(link.from, command(for: link, change))
        case .create(let node):
            throw Refusal("\(node) is no process yet: start it, and watch it by its address, too")
        case .unwipe, .setTimer, .messages, .clock, .step, .settings, .load, .call, .restart:
            throw FaultLine.impossible
        }
    }

    private static func tell(_ node: NodeID, _ command: Command) -> FaultLine {
        FaultLine(node: node, text: command.description)
    }

    private static func command(for link: Picture.LinkID, _ change: LinkChange) -> Command {
        let reference = LinkReference(from: .node(link.from), to: .node(link.to), isBothWays: false)
        return switch change {
        case .cut: .cut([reference])
        case .heal: .heal([reference])
        case .latency(let range): .latency(reference, range)
        case .loss(let share): .loss(reference, share)
        case .hold: .hold([reference])
        case .release: .release([reference])
        }
    }

    /// What no process can be told.
    static let impossible = Refusal("that can't be done to nodes that are processes of their own")

    /// Refuses what can't be done to processes, for each kind of command with what there is to know.
    static func check(_ command: Command) throws(Refusal) {
        switch command {
        case .freeze, .thaw, .step, .speed:
            throw Refusal("the time of real processes can't be stopped or slowed down")
        case .reset: throw Refusal("real processes can't be set back: start them on new directories")
        case .hold, .release, .messages:
            throw Refusal(
                "messages between real processes can't be held: cut, latency and loss work")
        case .align: throw Refusal("timers of real processes can't be aligned: hold-timer and timeout work")
        case .load: throw Refusal("a watched cluster takes no load from here: write to its nodes over HTTP")
        case .client, .nodes, .cut, .heal, .partition, .isolate, .latency, .loss, .members, .transfer, .disk, .rule,
            .option, .undo:
            break
        }
    }
}

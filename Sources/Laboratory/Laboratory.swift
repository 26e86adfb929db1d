import RaftCore
import RaftTrace

/// A cluster that can be handled: the live one over TCP and real files, and the simulated one. The screen, the prompt
/// and scripts know a cluster only by this.
///
/// A laboratory is used from one thread. What it does is told as events and in no other way.
public protocol Laboratory: AnyObject {
    /// The cluster's time.
    var now: Instant { get }

    /// The servers there are, in ascending order.
    var members: [NodeID] { get }

    /// Begins to carry out `command`; what comes of it is told as events, the first of which is the command itself.
    ///
    /// - Parameter leader: The server that `leader` stands for now.
    /// - Returns: The number of the call, where it is a client's.
    /// - Throws: ``Refusal`` where it can't be done; nothing is changed then.
    @discardableResult
    func perform(_ command: Command, leader: NodeID?) throws(Refusal) -> UInt64?

    /// Whether everything that was begun had taken effect when events were taken last, and is told by them.
    var isSettled: Bool { get }

    /// The events since this was called last, in order.
    func takeEvents() -> [Event]

    /// Returns when there are events to take, or something has settled, or it is `moment`, if there is one.
    func waitForEvents(until moment: Instant?)
}

/// Why a command is not carried out: one sentence for the person who gave it.
public struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// A refusal.
    public init(_ description: String) { self.description = description }
}

extension NodeReference {
    /// The server that is meant.
    ///
    /// - Throws: ``Refusal`` where it is the leader's and nobody leads, or where there is no such server.
    public func resolved(leader: NodeID?, nodes: [NodeID]) throws(Refusal) -> NodeID {
        switch self {
        case .leader:
            guard let leader else { throw Refusal("nobody leads now") }
            return leader
        case .node(let node):
            guard nodes.contains(node) else {
                throw Refusal("no node \(node.rawValue) in a cluster of \(nodes.count)")
            }
            return node
        }
    }
}

extension LinkReference {
    /// The directed links that are meant.
    ///
    /// - Throws: ``Refusal`` where an end is missing, or both are the same server.
    public func resolved(leader: NodeID?, nodes: [NodeID]) throws(Refusal) -> [Picture.LinkID] {
        let from = try from.resolved(leader: leader, nodes: nodes)
        let to = try to.resolved(leader: leader, nodes: nodes)
        guard from != to else { throw Refusal("a link has two ends, and both of \(self) are \(from)") }
        let there = Picture.LinkID(from: from, to: to)
        return isBothWays ? [there, Picture.LinkID(from: to, to: from)] : [there]
    }
}

import Hummingbird
import RaftCore
import RaftNode

/// The HTTP face of one server.
public struct KeyValueService<Node: ServedNode>: Sendable {
    private let node: Node

    /// The face of `node`.
    public init(node: Node) { self.node = node }
}

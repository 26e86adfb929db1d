import FoundationEssentials
import RaftCore

/// What a node says of itself at `/status`.
public struct NodeStatus: Hashable, Sendable {
    /// The node.
    public var node: NodeID
    /// Its role.
    public var role: RoleName
    /// Whether its vote counts; `nil` where it doesn't say.
    public var isVoter: Bool?
    /// Its term.
    public var term: UInt64
    /// The leader, as far as it knows.
    public var leader: NodeID?
    /// The last entry that is committed.
    public var commit: UInt64
    /// The last entry that was applied.
    public var applied: UInt64
    /// The members, as its log has them.
    public var members: [NodeID]
}

extension NodeStatus: Decodable {
    private enum CodingKeys: String, CodingKey {
        case node, role, term, leader, commit, applied, members
        case isVoter = "voter"
    }

    /// The status that the body of an answer tells; `nil` where it tells none.
    init?(_ body: [UInt8]) {
        guard let status = try? JSONDecoder().decode(NodeStatus.self, from: Data(body)) else { return nil }
        self = status
    }
}

extension NodeStatus {
    /// The highest term that any of these leads in, and who leads it.
    public static func leader(of all: [NodeStatus]) -> NodeStatus? {
        let latest = all.map(\.term).max()
        return all.first { $0.role == .leader && $0.term == latest }
    }
}

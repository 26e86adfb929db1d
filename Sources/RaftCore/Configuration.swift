/// The servers of a cluster: who votes, and which life of its disk each is known by (paper §6).
///
/// A server counts towards a majority only in the life that the configuration names (``Rule/rememberIdentity``).
public struct Configuration: Hashable, Sendable, Codable {
    /// A server and the life of its disk.
    public struct Member: Hashable, Sendable, Codable {
        /// The server.
        public var id: NodeID
        /// The life in which it was made a member.
        public var incarnation: Incarnation

        /// The server `id` in the life `incarnation`.
        public init(id: NodeID, incarnation: Incarnation = .first) {
            self.id = id
            self.incarnation = incarnation
        }
    }

    /// The members, in ascending order of their numbers.
    public let members: [Member]
    /// The members that vote and count towards a majority.
    public let voters: NodeSet

    /// The configuration of these voters, which must be different servers.
    public init(_ members: [Member]) {
        self.members = members.sorted { $0.id < $1.id }
        voters = NodeSet(members.map(\.id))
        precondition(voters.count == members.count, "a configuration names each server once")
    }

    /// The configuration of the voters 1…`count`, each in its first life.
    public init(count: Int) { self.init((1...count).map { Member(id: NodeID($0)) }) }

    /// The life in which `node` is a member; `nil` where it is none.
    public func incarnation(of node: NodeID) -> Incarnation? {
        for member in members where member.id == node { return member.incarnation }
        return nil
    }

    /// Whether `nodes` holds a majority of the voters (paper §5.2).
    public func isMajority(_ nodes: NodeSet) -> Bool { voters.intersection(nodes).count >= majority }

    /// How many voters make a majority.
    public var majority: Int { voters.count / 2 + 1 }

    /// The greatest index that at least `quorum` voters have reached, of those that `matched` answers for; zero where
    /// there are none. With a majority as the quorum, this is what paper §5.4.2 calls stored on a majority.
    ///
    /// The voters' indices are ranked by counting, without sorting or allocating: clusters are small.
    public func index(reachedBy quorum: Int, matched: (NodeID) -> LogIndex) -> LogIndex {
        var best = LogIndex.zero
        for candidate in voters {
            let index = matched(candidate)
            guard index > best else { continue }
            var reached = 0
            for voter in voters where matched(voter) >= index { reached += 1 }
            if reached >= quorum { best = index }
        }
        return best
    }

    private enum CodingKeys: String, CodingKey {
        case members
    }

    /// A configuration is written as its members.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let members = try container.decode([Member].self, forKey: .members)
        guard Set(members.map(\.id)).count == members.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .members, in: container, debugDescription: "a configuration names each server once")
        }
        self.init(members)
    }
}

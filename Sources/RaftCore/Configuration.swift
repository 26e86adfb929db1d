/// The servers of a cluster: who votes, who is still catching up, and which life of its disk each is known by (paper §6,
/// thesis §4).
///
/// A server counts towards a majority only in the life that the configuration names (``Rule/rememberIdentity``).
public struct Configuration: Hashable, Sendable {
    /// A server and the life of its disk.
    public struct Member: Hashable, Sendable, Codable {
        /// The server.
        public var id: NodeID
        /// The life in which it was made a member; of a learner nobody knows it before it is made a voter.
        public var incarnation: Incarnation

        /// The server `id` in the life `incarnation`.
        public init(id: NodeID, incarnation: Incarnation = .first) {
            self.id = id
            self.incarnation = incarnation
        }
    }

    /// The members, learners too, in ascending order of their numbers.
    public let members: [Member]
    /// The members that vote and count towards a majority.
    public let voters: NodeSet
    /// While the members change from one set to another: the voters there were before, a majority of whom is needed as
    /// well (joint consensus, paper §6). Empty at other times.
    public let outgoing: NodeSet
    /// The voters that there are to be: more or fewer than ``voters`` while learners catch up.
    public let target: NodeSet

    /// The configuration of these voters, which must be different servers.
    public init(_ members: [Member]) {
        self.init(members, voters: NodeSet(members.map(\.id)))
    }

    /// The configuration of these members, of whom `voters` vote, with those in `outgoing` if there are any.
    public init(_ members: [Member], voters: NodeSet, outgoing: NodeSet = [], target: NodeSet? = nil) {
        self.members = members.sorted { $0.id < $1.id }
        self.voters = voters
        self.outgoing = outgoing
        self.target = target ?? voters
        let all = NodeSet(members.map(\.id))
        precondition(all.count == members.count, "a configuration names each server once")
        precondition(
            voters.union(outgoing).union(self.target).subtracting(all).isEmpty, "whoever votes is a member")
    }

    /// The configuration of the voters 1…`count`, each in its first life.
    public init(count: Int) { self.init((1...count).map { Member(id: NodeID($0)) }) }

    /// Everybody who votes, before and after.
    public var electorate: NodeSet { voters.union(outgoing) }

    /// The members that don't vote yet.
    public var learners: NodeSet { NodeSet(members.lazy.map(\.id)).subtracting(electorate) }

    /// Whether two majorities are needed.
    public var isJoint: Bool { !outgoing.isEmpty }

    /// Whether the change that led to it is over.
    public var isSettled: Bool { !isJoint && target == voters }

    /// The voters that there would be to be, if `added` joined and `removed` left.
    public func target(adding added: NodeSet, removing removed: NodeSet) -> NodeSet {
        target.union(added).subtracting(removed)
    }

    /// Whether such a change only gives learners up: the way out where one of them never catches up.
    public func givesUp(adding added: NodeSet, removing removed: NodeSet) -> Bool {
        added.isEmpty && removed.subtracting(learners).isEmpty && !isJoint
    }

    /// Whether `node` is one of the members.
    public func contains(_ node: NodeID) -> Bool { incarnation(of: node) != nil }

    /// The life in which `node` is a member; `nil` where it is none.
    public func incarnation(of node: NodeID) -> Incarnation? {
        for member in members where member.id == node { return member.incarnation }
        return nil
    }

    /// Whether `nodes` holds a majority of the voters (paper §5.2); while two sets of them decide, of each (§6).
    public func isMajority(_ nodes: NodeSet) -> Bool { isQuorum(nodes, Configuration.majority(of:)) }

    /// Whether `nodes` holds as many of the voters as `size` says; while two sets of them decide, of each.
    func isQuorum(_ nodes: NodeSet, _ size: (NodeSet) -> Int) -> Bool {
        voters.intersection(nodes).count >= size(voters)
            && (outgoing.isEmpty || outgoing.intersection(nodes).count >= size(outgoing))
    }

    /// How many of `voters` make a majority.
    public static func majority(of voters: NodeSet) -> Int { voters.count / 2 + 1 }

    /// How many voters make a majority.
    public var majority: Int { Configuration.majority(of: voters) }

    /// The greatest index that a majority of the voters has reached, of those that `matched` answers for; while two sets of
    /// them decide, of each (paper §5.4.2: stored on a majority; §6). Zero where there are no voters.
    public func index(reachedByMajority matched: (NodeID) -> LogIndex) -> LogIndex {
        index(reachedBy: Configuration.majority(of:), matched)
    }

    /// The same for as many of the voters as `size` says.
    func index(reachedBy size: (NodeSet) -> Int, _ matched: (NodeID) -> LogIndex) -> LogIndex {
        let index = Configuration.index(reachedBy: size(voters), of: voters, matched)
        return outgoing.isEmpty
            ? index : min(index, Configuration.index(reachedBy: size(outgoing), of: outgoing, matched))
    }

    /// The voters' indices are ranked by counting, without sorting or allocating: clusters are small.
    private static func index(reachedBy quorum: Int, of voters: NodeSet, _ matched: (NodeID) -> LogIndex) -> LogIndex {
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
}

extension Configuration: Codable {
    private enum CodingKeys: String, CodingKey {
        case members
        case voters
        case outgoing
        case target
    }

    /// A configuration is written as its members, and beside them what differs from all of them voting.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(members, forKey: .members)
        if voters.count < members.count { try container.encode(voters, forKey: .voters) }
        if isJoint { try container.encode(outgoing, forKey: .outgoing) }
        if target != voters { try container.encode(target, forKey: .target) }
    }

    /// Reads what was written.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let members = try container.decode([Member].self, forKey: .members)
        let voters = try container.decodeIfPresent(NodeSet.self, forKey: .voters)
        let outgoing = try container.decodeIfPresent(NodeSet.self, forKey: .outgoing) ?? []
        let target = try container.decodeIfPresent(NodeSet.self, forKey: .target)
        let configuration = Configuration(
            checking: members, voters: voters ?? NodeSet(members.map(\.id)), outgoing: outgoing, target: target)
        guard let configuration else {
            throw DecodingError.dataCorruptedError(
                forKey: .members, in: container,
                debugDescription: "a configuration names each server once, and whoever votes is a member")
        }
        self = configuration
    }

    /// A configuration that came from outside: `nil` where it can't be one.
    public init?(checking members: [Member], voters: NodeSet, outgoing: NodeSet, target: NodeSet?) {
        let all = NodeSet(members.map(\.id))
        guard all.count == members.count,
            voters.union(outgoing).union(target ?? voters).subtracting(all).isEmpty
        else { return nil }
        self.init(members, voters: voters, outgoing: outgoing, target: target)
    }
}

extension Configuration: CustomStringConvertible {
    /// `n1,n2,n3`; with those who learn, `n1,n2,n3 +n4`; while two sets decide, `n2,n3,n4 with n1,n2,n3`.
    public var description: String {
        let learning = learners.isEmpty ? "" : learners.map { " +\($0)" }.joined()
        return "\(voters)" + (isJoint ? " with \(outgoing)" : "") + learning
    }
}

/// The configurations that a log holds: the one it begins with, and every later one with the index of its entry. A server
/// uses the latest, committed or not (thesis §4.1).
struct ConfigurationHistory: Hashable, Sendable {
    struct Change: Hashable, Sendable {
        var index: LogIndex
        var configuration: Configuration
    }

    /// The configuration as of the log's beginning, or of the snapshot.
    private(set) var base: Configuration
    /// The changes after it, in order.
    private(set) var changes: [Change] = []

    /// What `log` holds after `index`, as of which `base` is the configuration.
    init(base: Configuration, log: Log, after index: LogIndex) {
        self.base = base
        var index = max(index.next, log.firstIndex)
        while index <= log.lastIndex {
            if case .configuration(let configuration) = log[index].payload { append(configuration, at: index) }
            index = index.next
        }
    }

    /// The configuration in use.
    var latest: Configuration { changes.last?.configuration ?? base }

    /// The index of the entry that brought the latest; zero for the one that the log begins with.
    var latestIndex: LogIndex { changes.last?.index ?? .zero }

    /// The configuration as of `index`.
    func configuration(at index: LogIndex) -> Configuration {
        changes.last { $0.index <= index }?.configuration ?? base
    }

    /// The configuration as of `index`, and all that came after it.
    func inUse(since index: LogIndex) -> [Configuration] {
        [configuration(at: index)] + changes.filter { $0.index > index }.map(\.configuration)
    }

    mutating func append(_ configuration: Configuration, at index: LogIndex) {
        changes.append(Change(index: index, configuration: configuration))
    }

    /// The entry at `index` and all that follow are gone: the configuration before them counts again.
    mutating func truncate(from index: LogIndex) { changes.removeAll { $0.index >= index } }

    /// The log begins after `index`.
    mutating func compact(to index: LogIndex) {
        base = configuration(at: index)
        changes.removeAll { $0.index <= index }
    }
}

// A server as the protocol sees it, to be compared with others.

/// What a server is, apart from its clock and its random numbers: where no answer depends on the time, two servers with
/// the same protocol state do the same to every input (paper Figure 2, "State").
///
/// Time decides nothing but deadlines where neither PreVote nor CheckQuorum nor leases are on (``Options``). Reads that a
/// follower has its leader confirm are left out as well: nothing else depends on them.
public struct ProtocolState: Hashable, Sendable {
    /// The server.
    public private(set) var id: NodeID
    /// The latest term it has seen.
    public let currentTerm: Term
    /// The candidate that has its vote of that term.
    public private(set) var votedFor: NodeID?
    /// Its log.
    public let log: Log
    /// What its latest snapshot stands for.
    public private(set) var snapshot: SnapshotMark?
    /// The members, as its log has them.
    private var configurations: ConfigurationHistory
    /// The highest index that it knows to be committed.
    public let commitIndex: LogIndex
    /// Its role.
    public private(set) var role: Role
    /// The broken invariant that halted it.
    public let violation: Violation?
    /// What is on its way to its disk.
    private var durability: Durability

    fileprivate init(_ raft: Raft) {
        id = raft.id
        currentTerm = raft.currentTerm
        votedFor = raft.votedFor
        log = raft.log
        snapshot = raft.snapshot
        configurations = raft.configurations
        commitIndex = raft.commitIndex
        role = raft.role
        if case .leader(var leadership) = role {
            if !raft.settings.options.checkQuorum { leadership.heard = NodeSet() }
            leadership.heldBack = .zero
            leadership.lease = Lease()
            role = .leader(leadership)
        }
        violation = raft.violation
        durability = raft.durability.relative
    }

    /// The state that this server would be in had the servers other names.
    public func renamed(by renaming: Renaming) -> ProtocolState {
        var state = self
        state.id = renaming.name(of: id)
        state.votedFor = votedFor.map { renaming.name(of: $0) }
        state.role = role.renamed(by: renaming)
        state.durability = durability.renamed(by: renaming)
        return state
    }
}

extension Raft {
    /// This server as the protocol sees it.
    public var protocolState: ProtocolState { ProtocolState(self) }

    /// How far the leader's messages have proved a follower's log to match the leader's; zero for others.
    public var verifiedIndex: LogIndex { if case .follower(let following) = role { following.verified } else { .zero } }
}

/// Other names for the servers of a cluster, each of them used once. Raft treats all servers alike, so that a renamed
/// cluster behaves as the original does, under the other names.
public struct Renaming: Hashable, Sendable {
    private let names: [NodeID]

    /// Every renaming of the servers 1…`count`; the first leaves all names as they are.
    public static func all(count: Int) -> [Renaming] {
        var rows: [[NodeID]] = [[]]
        for _ in 0..<count {
            rows = rows.flatMap { row in
                (1...count).map { NodeID($0) }.filter { !row.contains($0) }.map { row + [$0] }
            }
        }
        return rows.map { Renaming(names: $0) }
    }

    /// The new name of `node`.
    public func name(of node: NodeID) -> NodeID { names[Int(node.rawValue) - 1] }

    func names(of nodes: NodeSet) -> NodeSet { NodeSet(nodes.lazy.map { name(of: $0) }) }
}

extension Message {
    /// The message that would have been sent had the servers other names.
    public func renamed(by renaming: Renaming) -> Message {
        var message = self
        message.from = renaming.name(of: from)
        message.to = renaming.name(of: to)
        return message
    }
}

extension Role {
    fileprivate func renamed(by renaming: Renaming) -> Role {
        switch self {
        case .follower(var following):
            following.leader = following.leader.map { renaming.name(of: $0) }
            return .follower(following)
        case .preCandidate(let ballot): return .preCandidate(ballot.renamed(by: renaming))
        case .candidate(let ballot): return .candidate(ballot.renamed(by: renaming))
        case .leader(var leadership):
            leadership.heard = renaming.names(of: leadership.heard)
            if let target = leadership.transfer?.target { leadership.transfer?.target = renaming.name(of: target) }
            for place in leadership.peers.indices {
                leadership.peers[place].peer = renaming.name(of: leadership.peers[place].peer)
            }
            leadership.peers.sort { $0.peer < $1.peer }
            return .leader(leadership)
        }
    }
}

extension Ballot {
    fileprivate func renamed(by renaming: Renaming) -> Ballot {
        Ballot(granted: renaming.names(of: granted), refused: renaming.names(of: refused))
    }
}

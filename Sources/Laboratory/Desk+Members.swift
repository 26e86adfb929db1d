import RaftCore
import RaftTrace

// Who is a member of the cluster (paper §6).

extension Desk {
    /// The largest number of servers.
    public static let nodesMax = 9

    mutating func changeMembers(
        adding added: [NodeID], removing references: [NodeReference], _ names: Names
    ) throws(Refusal) -> [Order] {
        let leader = try names.node(.leader)
        guard let picture = names.picture[leader] else { throw Refusal("nobody leads now") }
        let present = picture.members ?? Configuration(count: firstCount)
        var removed = NodeSet()
        for reference in references { removed.insert(try member(reference, of: present, names)) }
        var orders: [Order] = []
        for node in added { orders += try join(node, present, removed) }
        try checkChange(of: present, adding: NodeSet(added), removing: removed, on: picture)
        return orders + [.members(leader, adding: NodeSet(added), removing: removed)]
    }

    private func member(
        _ reference: NodeReference, of present: Configuration, _ names: Names
    ) throws(Refusal) -> NodeID {
        // A member whose server is gone for good has only its number left.
        if case .node(let node) = reference, present.contains(node) { return node }
        let node = try names.node(reference)
        guard present.contains(node) else { throw Refusal("\(node) is no member of the cluster") }
        return node
    }

    /// Makes sure that `node` can become a member, and makes it where it isn't there.
    private mutating func join(
        _ node: NodeID, _ present: Configuration, _ removed: NodeSet
    ) throws(Refusal) -> [Order] {
        if removed.contains(node) { throw Refusal("\(node) can't be added and removed at once") }
        if present.electorate.contains(node) { throw Refusal("\(node) is a member already") }
        if present.contains(node) { throw Refusal("\(node) is learning already, and will vote when it has caught up") }
        if nodes.contains(node) {
            guard standing[node] == .up else { throw Refusal("\(node) doesn't run, and can't catch up") }
            return []
        }
        let next = nodes.count + 1
        guard next <= Desk.nodesMax else { throw Refusal("a cluster has at most \(Desk.nodesMax) nodes") }
        guard Int(node.rawValue) == next else { throw Refusal("there is no \(node): the next new node is \(next)") }
        nodes.append(node)
        return [.create(node)] + start(node)
    }

    private func checkChange(
        of present: Configuration, adding added: NodeSet, removing removed: NodeSet, on leader: NodePicture
    ) throws(Refusal) {
        if let target = leader.handsOverTo {
            throw Refusal("\(leader.id) hands over to \(target), and changes nothing")
        }
        let target = present.target(adding: added, removing: removed)
        if target.isEmpty {
            throw Refusal(
                "\(present.target) \(present.target.count == 1 ? "is the last voter" : "are all voters"), and can't be removed"
            )
        }
        let forgetful = NodeSet(present.voters.filter { leader.peers[$0]?.isCounted == false })
        if target.subtracting(forgetful).count < Configuration.majority(of: target) {
            throw Refusal(
                "too few of \(target) could vote, for \(forgetful) lost what was promised with a disk: remove and add again first"
            )
        }
        if settings.rules[.oneChangeAtATime] {
            if leader.membersIndex > leader.commit {
                throw Refusal("a change of the members is under way: entry \(leader.membersIndex) is not committed yet")
            }
            if !present.isSettled, !present.givesUp(adding: added, removing: removed) {
                let what = present.isJoint ? "both majorities are needed now" : "\(present.learners) is still learning"
                throw Refusal("a change of the members is under way: \(what)")
            }
        }
        if settings.rules[.configurationAfterOwnCommit], leader.commitTerm != leader.term {
            throw Refusal("\(leader.id) has committed no entry of its own term yet, and can't change the members")
        }
    }
}

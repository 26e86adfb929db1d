import RaftCore

/// A cluster's status as a table, a line a node.
public struct StatusTable: Hashable, Sendable {
    private struct Row: Hashable, Sendable {
        var address: NodeAddress
        var finding: Survey.Finding
        /// The node, where it has told so itself or no other is left.
        var node: NodeID?
    }

    private var rows: [Row]

    /// What was found at each address.
    public init(_ findings: [(address: NodeAddress, finding: Survey.Finding)]) {
        rows = findings.map { Row(address: $0.address, finding: $0.finding, node: $0.finding.status?.node) }
        let nameless = rows.indices.filter { rows[$0].node == nil }
        let missing = members.subtracting(rows.compactMap(\.node))
        if nameless.count == 1, missing.count == 1 { rows[nameless[0]].node = missing.first }
        // Those that nobody can name come last, as they were listed.
        rows =
            rows.filter { $0.node != nil }.sorted { ($0.node?.rawValue ?? 0) < ($1.node?.rawValue ?? 0) }
            + rows.filter { $0.node == nil }
    }

    private var statuses: [NodeStatus] { rows.compactMap(\.finding.status) }

    /// The members, as the leader has them; without one, as anybody has them.
    private var members: Set<NodeID> {
        let statuses = statuses
        return Set((NodeStatus.leader(of: statuses) ?? statuses.first)?.members ?? [])
    }

    /// Why the cluster may serve nobody, in a sentence; `nil` where a majority of the members answers, and one of them
    /// leads.
    public var trouble: String? {
        let count = members.intersection(statuses.map(\.node)).count
        if count == 0 { return "no node answers: start the nodes, or give their addresses" }
        if 2 * count <= members.count {
            return "\(count) of \(members.count) members answer here: start the others, or give their addresses, too"
        }
        return NodeStatus.leader(of: statuses) == nil ? "nobody leads now: ask again in a moment" : nil
    }

    /// The lines, the heading first.
    public var lines: [String] {
        let heading = ["node", "role", "term", "commit", "applied", "leader", "address"]
        let cells = [heading] + rows.map(StatusTable.cells)
        let widths = heading.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            let padded = zip(row, widths).dropLast().map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return (padded + row.suffix(1)).joined(separator: "  ")
        }
    }

    private static func role(of status: NodeStatus) -> String {
        status.role.rawValue + (status.isVoter == false ? ", no vote" : "")
    }

    private static func cells(_ row: Row) -> [String] {
        let place = row.address.authority
        let name = row.node.map { "\($0)" } ?? "?"
        switch row.finding {
        case .up(let status):
            let leader = status.leader.map { "\($0)" } ?? "-"
            return [
                name, role(of: status), "\(status.term)", "\(status.commit)", "\(status.applied)", leader, place,
            ]
        case .stopped(let reason), .down(let reason):
            return [name, "down", "-", "-", "-", "-", "\(place): \(reason)"]
        }
    }
}

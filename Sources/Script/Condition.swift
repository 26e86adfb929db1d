import KeyValue
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

/// Something that can be true of a cluster at a moment.
public indirect enum Condition: Hashable, Sendable {
    /// Some running server leads in the highest term that any running server knows.
    case leader
    /// That server is this one.
    case leads(NodeID)
    /// The server is this, in one word.
    case role(NodeID, Standing)
    /// A number of a server compares so to another.
    case number(NodeNumber, NodeID, Comparison, UInt64)
    /// These vote, as the server's log has it, which is committed, and no change is open.
    case members(NodeID, isEqual: Bool, NodeSet)
    /// The server gave its vote of the term to this one; `nil` for nobody.
    case vote(NodeID, isEqual: Bool, NodeID?)
    /// The server's log has entries of these terms.
    case log(NodeID, isEqual: Bool, [Term])
    /// The key has this value at the leader, or on a server.
    case value(key: Bytes, isEqual: Bool, Bytes, on: NodeID?)
    /// The last answer to a client was this; without a value, any of its name.
    case result(isEqual: Bool, String, Bytes?)
    /// So many writes were acknowledged.
    case acknowledged(Comparison, UInt64)
    /// All running members have the same log, and have committed all of it.
    case converged
    /// The last read missed a write that was acknowledged before it began.
    case stale
    /// Nothing that the servers did has broken a property.
    case safe
    /// What clients were told can be explained by one store.
    case linearizable
    /// This property was broken.
    case violation(Property)
    /// The other is not true.
    case not(Condition)

    /// A number that every server has.
    public enum NodeNumber: String, Hashable, Sendable, CaseIterable {
        /// Its term.
        case term
        /// Its commit index.
        case commit
        /// The last entry it applied.
        case applied
        /// The first entry in its log, or the one that would be.
        case first
        /// Its last entry.
        case last
        /// The last entry that its snapshot stands for.
        case snapshot
    }

    /// How two numbers compare.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        /// The same.
        case equal = "="
        /// Not the same.
        case unequal = "!="
        /// Less.
        case less = "<"
        /// Less or the same.
        case atMost = "<="
        /// More.
        case more = ">"
        /// More or the same.
        case atLeast = ">="

        func holds(_ left: UInt64, _ right: UInt64) -> Bool {
            switch self {
            case .equal: left == right
            case .unequal: left != right
            case .less: left < right
            case .atMost: left <= right
            case .more: left > right
            case .atLeast: left >= right
            }
        }
    }
}

extension Condition {
    /// Whether it is true now, as far as `witness` has seen.
    public func holds(for witness: Witness) -> Bool {
        let picture = witness.picture
        switch self {
        case .leader: return picture.leader != nil
        case .leads(let node): return picture.leader?.id == node
        case .role(let node, let standing): return picture[node]?.standing == standing
        case .number(let number, let node, let comparison, let value):
            guard let picture = picture[node] else { return false }
            return comparison.holds(number.value(in: picture), value)
        case .members(let node, let isEqual, let voters):
            guard let server = picture[node], let members = server.members else { return !isEqual }
            let isOver = members.isSettled && server.membersIndex <= server.commit
            return (isOver && members.voters == voters) == isEqual
        case .vote(let node, let isEqual, let candidate): return (picture[node]?.vote == candidate) == isEqual
        case .log(let node, let isEqual, let terms): return (picture[node]?.log.terms == terms) == isEqual
        case .value(let key, let isEqual, let value, let node):
            guard let server = Condition.server(node, in: picture) else { return false }
            return (server.store[key] == value) == isEqual
        case .result(let isEqual, let name, let value):
            guard let result = picture.lastReturn?.result else { return !isEqual }
            return (result.name == name && (value == nil || value == result.told)) == isEqual
        case .acknowledged(let comparison, let count):
            return comparison.holds(UInt64(picture.acknowledgedWrites), count)
        case .converged: return picture.isConverged
        case .stale: return witness.audit.clients.isLastReadStale
        // What can't be checked is not called fine.
        case .safe: return witness.audit.safety.findings.isEmpty && !witness.audit.isMidway
        case .linearizable: return witness.audit.clients.finished.findings.isEmpty && !witness.audit.isMidway
        case .violation(.linearizability): return !witness.audit.clients.finished.findings.isEmpty
        case .violation(let property): return witness.audit.safety.findings.contains { $0.property == property }
        case .not(let condition): return !condition.holds(for: witness)
        }
    }

    /// Whether only answers to clients decide it, so that it need not be looked at in between.
    var isAboutAnswers: Bool {
        switch self {
        case .stale, .linearizable, .violation(.linearizability), .result, .acknowledged: true
        case .not(let condition): condition.isAboutAnswers
        default: false
        }
    }

    /// What is there instead, for a person to whom it matters that the condition isn't true.
    public func actual(for witness: Witness) -> String {
        let picture = witness.picture
        switch self {
        case .leader, .leads: return picture.leader.map { "\($0.id) leads" } ?? "nobody leads"
        case .role(let node, _): return "\(node) is \(picture[node]?.standing.rawValue ?? "not there")"
        case .number(let number, let node, _, _):
            guard let picture = picture[node] else { return "\(node) is not there" }
            return "\(number.rawValue) of \(node) is \(number.value(in: picture))"
        case .members(let node, _, _):
            return "the members of \(node) are \(picture[node]?.members?.description ?? "unknown")"
        case .vote(let node, _, _): return "the vote of \(node) is \(picture[node]?.vote?.description ?? "nobody's")"
        case .log(let node, _, _):
            return "the log of \(node) is \(Condition.text(of: picture[node]?.log.terms ?? []))"
        case .value(let key, _, _, let node):
            guard let server = Condition.server(node, in: picture) else { return "nobody leads" }
            let value = server.store[key].map { Word.quoted($0) } ?? "not there"
            return "\(Word.quoted(key)) on \(server.id) is \(value)"
        case .result: return "the last result is \(picture.lastReturn.map { "\($0.result)" } ?? "not there")"
        case .acknowledged: return "\(picture.acknowledgedWrites) writes are acknowledged"
        case .converged: return "the running nodes differ"
        case .stale: return "the last read \(witness.audit.clients.isLastReadStale ? "is" : "isn't") stale"
        case .safe, .linearizable, .violation:
            let findings = witness.audit.findingsSoFar
            if findings.isEmpty, witness.audit.isMidway {
                return "nobody can say: the cluster ran before it was watched"
            }
            return findings.isEmpty ? "no property was broken" : findings.map(\.description).joined(separator: "; ")
        case .not(let condition): return condition.actual(for: witness)
        }
    }

    /// The server that is named, or the one that leads.
    private static func server(_ node: NodeID?, in picture: Picture) -> NodePicture? {
        guard let node else { return picture.leader }
        return picture[node]
    }

    static func text(of terms: [Term]) -> String {
        terms.isEmpty ? "empty" : terms.map(\.description).joined(separator: ",")
    }
}

extension Condition.NodeNumber {
    fileprivate func value(in node: NodePicture) -> UInt64 {
        switch self {
        case .term: node.term.rawValue
        case .commit: node.commit.rawValue
        case .applied: node.applied.rawValue
        case .first: node.log.base.index.next.rawValue
        case .last: node.log.last.rawValue
        case .snapshot: node.snapshot?.index.rawValue ?? 0
        }
    }
}

extension Picture {
    /// Whether all running members have the same log, and have committed and applied all of it.
    public var isConverged: Bool {
        let members = leader?.members
        let running = nodes.filter { $0.isRunning && members?.contains($0.id) ?? true }
        guard let first = running.first else { return false }
        return running.allSatisfy {
            $0.halted == nil && $0.log.matches(first.log) && $0.commit == $0.log.last && $0.applied == $0.commit
        }
    }
}

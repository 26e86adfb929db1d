import RaftCore
import RaftTrace

// What snapshots must stand for (paper §7).

extension SafetyAudit {
    /// A snapshot takes the place of a log: what it stands for must be what was committed (paper §7).
    mutating func install(_ installed: SnapshotInstalled, on node: NodeID) {
        let place = Int(node.rawValue)
        let server = servers[place]
        if installed.last.index < server.commit {
            find(
                .monotone,
                "\(node) knows entry \(server.commit) to be committed, and goes back to a snapshot up to \(installed.last.index)"
            )
        }
        let next = installed.last.index.next
        if next <= server.promisedLog, let known = committed[next], known.entry == server.log.term(at: next) {
            find(.promise, "\(node) discards entry \(next), which it acknowledged and which is committed")
        }
        servers[place].log = TermLog(after: installed.last)
        servers[place].isLogKnown = true
        servers[place].commit = installed.last.index
        servers[place].applied = installed.last.index
        // The entries that it acknowledged and that are committed are in the snapshot; others are taken back.
        servers[place].promisedLog = min(server.promisedLog, installed.last.index)
        checkStandsFor(installed.last, on: node)
    }

    /// A snapshot up to an entry must stand for the entry that was committed there.
    mutating func checkStandsFor(_ last: LogPosition, on node: NodeID) {
        guard let known = committed[last.index], known.entry != .zero else { return unchecked += 1 }
        guard known.entry != last.term else { return }
        find(
            .stateMachineSafety,
            "\(node) has a snapshot up to an entry \(last.index) of term \(last.term), where one of term \(known.entry) was committed"
        )
    }

    /// Servers that have applied the same entries are in the same state (paper §5.4.3).
    mutating func take(_ step: SnapshotStep, of node: NodeID) {
        guard let digest = step.digest else { return }
        if let other = digests[step.last], other.digest != digest {
            find(
                .stateMachineSafety,
                "\(other.node) and \(node) both have a snapshot up to \(step.last), but not the same one")
        }
        if digests.count >= SafetyAudit.digestsMax { digests = [:] }
        digests[step.last] = (digest, node)
    }
}

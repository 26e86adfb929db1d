import RaftCore

/// Every entry that was in any log: what it held, and what it followed.
struct EntryHistory: Sendable {
    private struct Known: Sendable {
        var previous: Term
        var payload: Digest?
        var node: NodeID
    }

    private var known: [LogPosition: Known] = [:]
    private var older: [LogPosition: Known] = [:]
    private static let generationSize = 100_000

    /// Notes an entry. Answers a server that had another one of the same index and term, if there is one.
    mutating func conflict(at position: LogPosition, previous: Term, payload: Payload?, on node: NodeID) -> NodeID? {
        let payload = payload.map(Digest.of)
        guard let before = known[position] ?? older[position] else {
            // Two generations: when the younger is full, the older is forgotten.
            if known.count >= EntryHistory.generationSize {
                older = known
                known = [:]
            }
            known[position] = Known(previous: previous, payload: payload, node: node)
            return nil
        }
        if before.previous != previous { return before.node }
        guard let payload else { return nil }
        guard let other = before.payload else {
            known[position] = Known(previous: previous, payload: payload, node: before.node)
            return nil
        }
        return other == payload ? nil : before.node
    }
}

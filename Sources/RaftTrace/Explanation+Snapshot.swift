import RaftCore

// What happens to snapshots, in sentences (paper §7).

extension Compacted {
    func explanation(on node: NodeID) -> Explanation {
        let kept = base == snapshot ? "" : ", and keeps the entries after \(base.index)"
        return Explanation(
            [node], "lets its snapshot stand for the log up to \(snapshot.index)\(kept)", "§7", .important)
    }
}

extension SnapshotReceived {
    func explanation(on node: NodeID) -> Explanation {
        Explanation(
            [node, leader], "has \(received) of the \(size) bytes of \(leader)'s snapshot up to \(last.index)", "§7")
    }
}

extension SnapshotInstalled {
    func explanation(on node: NodeID) -> Explanation {
        let lost = discarded == .zero ? "" : " its log, which ended at \(discarded), is discarded"
        return Explanation(
            [node, leader],
            "goes on from \(leader)'s snapshot up to \(last):" + (lost.isEmpty ? " its log was empty" : lost),
            "§7", .important)
    }
}

extension SnapshotStep {
    func explanation(on node: NodeID) -> Explanation {
        let bytes = size.map { ", \($0) bytes" } ?? ""
        switch stage {
        case .began:
            return Explanation([node], "begins to write a snapshot up to \(last.index), and goes on meanwhile", "§7")
        case .taken:
            return Explanation([node], "has its snapshot up to \(last.index) on disk\(bytes)", "§7", .important)
        case .overtaken:
            return Explanation([node], "drops its snapshot up to \(last.index): the leader's is newer", "§7")
        case .tooLarge:
            return Explanation(
                [node],
                "can't take a snapshot up to \(last.index)\(bytes): that is too large, and its log goes on growing until "
                    + "keys are deleted", "§7", .important)
        case .restored:
            return Explanation([node], "has its store from the snapshot up to \(last.index)\(bytes)", "§7", .important)
        }
    }
}

extension SnapshotChunk {
    /// What it says, in a few words: `snapshot ≤40 t3, bytes 0–511 of 2048`.
    var summary: String {
        let whole = "snapshot ≤\(mark.last.index) t\(mark.last.term)"
        if bytes.isEmpty { return "\(whole), how much has arrived?" }
        return "\(whole), bytes \(offset)–\(offset + bytes.count - 1) of \(size)"
    }
}

import Canvas
import KeyValue
import RaftCore
import RaftTrace

// A server: all that Figure 2 of the paper gives it, its disk, its timer, and how far its followers are.

extension Model {
    func nodeLines(_ id: NodeID) -> [Page.Line] {
        guard let node = picture[id] else { return [] }
        return standingLines(node) + persistentLines(node) + volatileLines(node) + leaderLines(node) + storeLines(node)
    }

    private func standingLines(_ node: NodePicture) -> [Page.Line] {
        var lines = [
            Page.Line.fact(
                "role",
                "\(symbols.sign(of: node)) \(Symbols.word(for: node))"
                    + (node.isPaused ? ", paused" : ""), Symbols.style(of: node))
        ]
        if let halted = node.halted { lines.append(.fact("halted", halted, Style(.vermilion, isBold: true))) }
        if let failure = node.failure { lines.append(.fact("failed", failure, Style(.vermilion, isBold: true))) }
        lines.append(.fact("leader", node.leader?.description ?? "none known"))
        lines.append(.fact("members", node.members?.description ?? "as the cluster began"))
        if let port = node.port { lines.append(.fact("listens on", "127.0.0.1:\(port)")) }
        lines.append(.fact("election timer", timerText(node)))
        return lines
    }

    private func timerText(_ node: NodePicture) -> String {
        guard node.isRunning else { return "none while it is down" }
        if node.isTimerHeld { return "held: it doesn't run out" }
        guard let timer = node.timer else { return "none: it leads" }
        let left = max(0, (timer.deadline - now).nanoseconds / 1_000_000)
        return "\(left) of \(timer.timeout.nanoseconds / 1_000_000) ms left"
    }

    /// What is on its disk.
    private func persistentLines(_ node: NodePicture) -> [Page.Line] {
        var lines = [Page.Line.heading("Persistent, on disk before anything is answered (Figure 2)")]
        if node.isWiped {
            return lines + [.fact("disk", "empty: it remembers no term, no vote and no log", Style(.vermilion))]
        }
        lines.append(.fact("currentTerm", "\(node.term)", Style(Symbols.ink(of: node.term))))
        lines.append(.fact("votedFor", node.vote?.description ?? "nobody in this term"))
        lines.append(
            .fact(
                "log",
                node.log.last == node.log.base.index
                    ? "empty after \(node.log.base)"
                    : "\(node.log.base.index.next) to \(node.log.last), on disk up to \(node.durable)",
                action: .open(.entries)))
        if let snapshot = node.snapshot {
            lines.append(.fact("snapshot", "stands for entries up to \(snapshot.index), term \(snapshot.term)"))
        }
        if let taking = node.isTakingSnapshot { lines.append(.fact("", "writes one up to \(taking.index)")) }
        if let incoming = node.incoming {
            lines.append(.fact("", "gets the leader's: \(incoming.received) of \(incoming.size) bytes"))
        }
        lines.append(.fact("life of its disk", "\(node.incarnation)"))
        if node.disk != .ok { lines.append(.fact("disk", node.disk.rawValue, Style(.vermilion, isBold: true))) }
        return lines
    }

    private func volatileLines(_ node: NodePicture) -> [Page.Line] {
        guard node.isRunning else { return [.heading("Volatile: lost, for it is down")] }
        return [
            .heading("Volatile, in memory"), .fact("commitIndex", "\(node.commit)"),
            .fact("lastApplied", "\(node.applied)"),
        ]
            + (node.votes.map {
                [.fact($0.isPreVote ? "would get" : "votes", "\($0.votes) of the \($0.needed) that it needs")]
            } ?? [])
    }

    private func leaderLines(_ node: NodePicture) -> [Page.Line] {
        guard node.isRunning, node.standing == .leader else { return [] }
        var lines = [Page.Line.heading("Of a leader: nextIndex and matchIndex of each follower")]
        for peer in node.peers.values.sorted(by: { $0.peer < $1.peer }) {
            var text = "next \(peer.next), match \(peer.match)"
            if peer.isProbing { text += ", looking for where the logs agree" }
            if let transfer = peer.installing { text += ", snapshot \(transfer.received) of \(transfer.size) bytes" }
            if !peer.isCounted { text += ", not counted" }
            let lag = node.log.last.rawValue - min(node.log.last.rawValue, peer.match.rawValue)
            if lag > 0 { text += ", \(lag) behind" }
            lines.append(.fact("\(peer.peer)", text, action: .open(.node(peer.peer))))
        }
        if let lease = node.lease, let until = lease.until {
            let left = max(0, (until - now).nanoseconds / 1_000_000)
            lines.append(.fact("lease", "\(left) ms left"))
        }
        if let round = node.readRound {
            lines.append(
                .fact("reads wait for", "round \(round.round.rawValue): \(round.confirmedBy.count) of \(round.voters)"))
        }
        if let target = node.handsOverTo { lines.append(.fact("hands over to", "\(target)")) }
        return lines
    }

    private func storeLines(_ node: NodePicture) -> [Page.Line] {
        guard node.isRunning else { return [] }
        let count = max(node.store.count, node.storeCount)
        return [.heading("State machine: \(count.of("key", "keys"))")]
            + node.store.keys(limit: NodeState.storeMax).map {
                .fact(Word.quoted($0), Word.quoted(node.store[$0] ?? []))
            }
    }
}

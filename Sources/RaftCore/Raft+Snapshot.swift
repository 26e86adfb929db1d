// Log compaction and InstallSnapshot (paper §7, thesis §5).

// MARK: - Taking a snapshot

extension Raft {
    /// A snapshot of this server's own is on disk: the log forgets what it stands for, but for the last `count` entries of
    /// it; without a count, nothing stays. A snapshot that is older than the present one changes nothing.
    mutating func compact(to mark: SnapshotMark, keeping count: Int?) {
        guard mark.last.index > snapshot?.last.index ?? .zero, mark.last.index <= commitIndex else { return }
        snapshot = mark
        let last = mark.last.index.rawValue
        let before = log.base
        let wanted = LogIndex(last - min(last, UInt64(max(0, count ?? 0))))
        let limit = count == nil ? mark.last.index : transferLimit(upTo: mark.last.index)
        discarded = log.compact(to: min(wanted, limit))
        configurations.compact(to: mark.last.index)
        durability.cover(upTo: mark.last.index)
        if log.base != before { durability.isBaseChanged = true }
        observe(.compacted(Compacted(snapshot: mark.last, base: log.base)))
        switch role {
        case .leader: maybeCommit()
        case .follower: acknowledgeDurable()
        case .candidate, .preCandidate: break
        }
    }
}

extension Raft {
    /// How far the log may be forgotten while followers are sent an older snapshot: whoever has that must find the entries
    /// after it, or would have to begin anew each time. One that never ends doesn't hold the log for ever.
    private func transferLimit(upTo last: LogIndex) -> LogIndex {
        guard case .leader(let leadership) = role, let image = leadership.image?.mark.last,
            leadership.peers.contains(where: { $0.installing?.last == image })
        else { return last }
        let kept = image.index.distance(to: last)
        return kept <= Raft.intervalsKept * (settings.compaction.every ?? Compaction().every ?? 0) ? image.index : last
    }

    /// How many times the entries between two snapshots are kept for a transfer.
    private static let intervalsKept = 8

    /// Gives back some of the memory of what was forgotten. All at once it would keep a server with a long log from
    /// everything else for tens of milliseconds.
    mutating func giveBackMemory() {
        guard !discarded.isEmpty else { return }
        discarded.removeLast(min(discarded.count, Raft.givenBackPerStep))
        if discarded.isEmpty { discarded = [] }
    }

    private static let givenBackPerStep = 512
}

// MARK: - The leader's side

/// How far a leader is with sending its snapshot to a follower.
public struct SnapshotTransfer: Hashable, Sendable, Codable {
    /// The last entry that the snapshot stands for.
    public var last: LogPosition
    /// How many bytes the snapshot has.
    public var size: Int
    /// How many of them the follower is known to have.
    public var received = 0
    /// Whether the part that follows them is on its way.
    var isSent = false
    /// Whether the follower was asked how much it has, and has not answered yet.
    var isAsked = false

    private enum CodingKeys: String, CodingKey {
        case last
        case size
        case received
    }
}

extension Raft {
    /// Whether a follower needs entries that this log has forgotten.
    func needsSnapshot(_ progress: Progress) -> Bool { progress.next.previous < log.base.index }

    /// Sends a follower the next part of the snapshot. One part at a time is on its way; where the snapshot isn't at hand,
    /// the host is asked for it first.
    mutating func sendSnapshot(at place: Int) {
        guard let image = leadershipIfLeading?.image, image.mark.last.index >= log.base.index else {
            return askForSnapshot()
        }
        guard let leadership = leadershipIfLeading else { return }
        var transfer =
            leadership.peers[place].installing ?? SnapshotTransfer(last: image.mark.last, size: image.bytes.count)
        if transfer.last != image.mark.last {
            transfer = SnapshotTransfer(last: image.mark.last, size: image.bytes.count)
        }
        guard !transfer.isSent else { return }
        transfer.isSent = true
        let end = min(image.bytes.count, transfer.received + settings.limits.bytesPerChunkMax)
        let chunk = SnapshotChunk(
            mark: image.mark, size: image.bytes.count, offset: transfer.received,
            bytes: Array(image.bytes[transfer.received..<end]), round: leadership.reads.round, lease: wantedLease)
        send(.snapshot(chunk), to: leadership.peers[place].peer)
        leadershipIfLeading?.peers[place].installing = transfer
        if transfer.received == 0 { observeProgress(at: place) }
    }

    private mutating func askForSnapshot() {
        guard leadershipIfLeading?.isImageAwaited == false else { return }
        leadershipIfLeading?.isImageAwaited = true
        output.wantsSnapshot = true
    }

    /// The snapshot is at hand; the parts that are due leave at the end of the step.
    mutating func takeLoaded(_ image: Snapshot) {
        guard leadershipIfLeading != nil else { return }
        leadershipIfLeading?.isImageAwaited = false
        leadershipIfLeading?.image = image
    }

    /// Shows a follower that is sent a snapshot that this server leads, and asks how much has arrived: the answer sends
    /// again what was lost on the way.
    mutating func askHowMuchArrived(_ transfer: SnapshotTransfer, at place: Int) {
        guard let leadership = leadershipIfLeading, let image = leadership.image else { return }
        let question = SnapshotChunk(
            mark: image.mark, size: transfer.size, offset: transfer.received, bytes: [],
            round: leadership.reads.round, lease: wantedLease)
        send(.snapshot(question), to: leadership.peers[place].peer)
        leadershipIfLeading?.peers[place].installing?.isAsked = true
    }

    /// A follower says how much of the snapshot it has. An answer that is late or comes twice leads to nothing: only one
    /// that tells of more, or the first one after a question, sets the next part going.
    mutating func receive(_ response: SnapshotResponse, from message: Message) {
        guard case .leader(let leadership) = role, let place = leadership.index(of: message.from) else { return }
        if isCounted(message.from, message.incarnation) { leadershipIfLeading?.heard.insert(message.from) }
        if var transfer = leadership.peers[place].installing, transfer.last == response.last,
            response.received > transfer.received || transfer.isAsked, response.received <= transfer.size
        {
            transfer.received = response.received
            transfer.isSent = false
            transfer.isAsked = false
            leadershipIfLeading?.peers[place].installing = transfer
            if transfer.received > 0 { observeProgress(at: place) }
        }
        confirmRounds(upTo: response.round, at: place)
    }

    /// Forgets the snapshot once no follower needs it any more.
    mutating func dropImageIfUnneeded() {
        guard case .leader(let leadership) = role, leadership.image != nil else { return }
        if !leadership.peers.contains(where: needsSnapshot) { leadershipIfLeading?.image = nil }
    }
}

// MARK: - The follower's side

/// A snapshot of which a part has arrived.
struct IncomingSnapshot: Hashable, Sendable {
    var mark: SnapshotMark
    var size: Int
    var bytes: [UInt8] = []
}

extension Raft {
    /// Takes a part of the leader's snapshot. Once it is whole, it takes the place of the log; where the log has what it
    /// stands for, it is of no use, and the leader is told so (paper §7, Figure 13).
    mutating func receive(_ chunk: SnapshotChunk, from message: Message) {
        guard follow(message), case .follower(var following) = role else { return }
        following.round = max(following.round, chunk.round)
        let last = chunk.mark.last
        if last.index <= commitIndex || log.contains(last) && keeps(.keepMatchingSuffix) {
            following.incoming = nil
            following.verified = max(following.verified, last.index)
            role = .follower(following)
            advanceCommit(to: last.index, proven: last.index)
            return acknowledgeVerified(to: message.from)
        }
        var incoming = following.incoming ?? IncomingSnapshot(mark: chunk.mark, size: chunk.size)
        if incoming.mark != chunk.mark || incoming.size != chunk.size {
            incoming = IncomingSnapshot(mark: chunk.mark, size: chunk.size)
        }
        let isNext = chunk.offset == incoming.bytes.count && incoming.bytes.count + chunk.bytes.count <= chunk.size
        if isNext { incoming.bytes += chunk.bytes }
        following.incoming = incoming
        role = .follower(following)
        if isNext, !chunk.bytes.isEmpty { observeReceived(incoming, from: message.from) }
        guard incoming.bytes.count == incoming.size else {
            let response = SnapshotResponse(last: last, received: incoming.bytes.count, round: following.round)
            return promise(.snapshotResponse(response), to: message.from)
        }
        install(Snapshot(mark: chunk.mark, bytes: incoming.bytes), from: message.from)
    }

    /// A snapshot takes the place of the whole log. The leader learns of it when it is on disk.
    private mutating func install(_ snapshot: Snapshot, from leader: NodeID) {
        guard case .follower(var following) = role else { return }
        observe(
            .snapshotInstalled(
                SnapshotInstalled(
                    leader: leader, last: snapshot.mark.last, discarded: log.last, size: snapshot.bytes.count)))
        log = Log(after: snapshot.mark.last)
        commitIndex = snapshot.mark.last.index
        configurations = ConfigurationHistory(base: snapshot.mark.configuration, log: log, after: log.base.index)
        self.snapshot = snapshot.mark
        durability.install(snapshot)
        output.installed = snapshot
        observe(.configured(observedConfiguration()))
        following.incoming = nil
        following.verified = snapshot.mark.last.index
        following.acknowledged = .zero
        role = .follower(following)
    }

    /// Answers a leader of an earlier term with the present one, so that it steps down (paper §5.1).
    mutating func refuseEarlierTerm(_ chunk: SnapshotChunk, from leader: NodeID) {
        promise(.snapshotResponse(SnapshotResponse(last: chunk.mark.last, received: 0, round: .zero)), to: leader)
    }

    private mutating func observeReceived(_ incoming: IncomingSnapshot, from leader: NodeID) {
        observe(
            .snapshotReceived(
                SnapshotReceived(
                    leader: leader, last: incoming.mark.last, received: incoming.bytes.count, size: incoming.size)))
    }
}

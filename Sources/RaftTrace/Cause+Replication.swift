import KeyValue
import RaftCore

// What led to entries, to what is known of them, and to their commit.

extension CauseSearch {
    func cause(of appended: Appended, on node: NodeID, _ term: Term) -> Int? {
        let brings: (Message) -> Bool = { $0.term == term && $0.entryRange.contains(appended.first) }
        if let place = nearestInTurn({ isDelivery(at: $0, to: node, brings) }) { return place }
        guard isLeading(node) else { return delivery(to: node, brings) }
        for entry in appended.entries {
            switch entry.payload {
            case .noop: return election(of: node)
            case .configuration(let configuration): return cause(of: configuration, on: node)
            case .command(let bytes):
                guard let command = try? SessionCommand(decoding: bytes) else { continue }
                if let call = call(for: command) { return call }
            }
        }
        return nil
    }

    /// The call whose command stands in the log.
    private func call(for command: SessionCommand) -> Int? {
        nearest {
            guard case .called(let call) = row[$0].kind, call.request == .write(command.operation) else { return false }
            return command.isOf(call.client)
        }
    }

    /// Members change because somebody wants it, or because an earlier change goes on.
    private func cause(of configuration: Configuration, on leader: NodeID) -> Int? {
        let before = nearestObservation(on: leader) { if case .configured = $0 { true } else { false } }
        if let before, case .configured(let configured)? = observation(at: before, on: leader),
            configured.members.target == configuration.target, !configured.members.isSettled
        {
            return nearest(inLifeOf: leader) { place in
                switch observation(at: place, on: leader) {
                case .committed?: true
                case .progressed(let progressed)?: progressed.installing == nil && isTogether(place)
                case .transfer(let step)?: step.stage == .givenUp
                default: false
                }
            }
        }
        return nearestCommand(\.changesMembers)
    }

    func cause(of configured: Configured, on node: NodeID) -> Int? {
        nearest(inLifeOf: node) { place in
            switch observation(at: place, on: node) {
            case .appended?, .truncated?, .snapshotInstalled?: isTogether(place)
            default: isTogether(place) && isDelivery(at: place, to: node) { $0.isAppend }
            }
        }
    }

    /// A leader learns from an answer, or has sent what was appended.
    func cause(of progressed: Progressed, on node: NodeID) -> Int? {
        nearest(inLifeOf: node) { place in
            switch observation(at: place, on: node) {
            case .appended?: isTogether(place)
            case .roleChanged(let change)?: change.role == .leader
            default:
                isDelivery(at: place, to: node, from: progressed.peer) { $0.isAnswerToAppend || !isTogether(place) }
            }
        }
    }

    func cause(of committed: Committed, on node: NodeID, _ term: Term) -> Int? {
        guard committed.stored == nil else { return countingCause(on: node, reaching: committed.to) }
        return delivery(to: node) {
            guard $0.term == term else { return false }
            return switch $0.body {
            case .append(let append): append.commit >= committed.to
            case .snapshot(let chunk): chunk.mark.last.index >= committed.to
            default: false
            }
        }
    }

    /// What a leader has learned last before it counted: that one more stores the entry, or that others count now.
    func countingCause(on node: NodeID, reaching index: LogIndex) -> Int? {
        nearestObservation(on: node) {
            switch $0 {
            case .progressed(let progressed): progressed.match >= index
            case .persisted(let persisted): persisted.index >= index
            case .configured, .compacted: true
            // Without the disk, or without others, an entry counts as soon as it is appended.
            case .appended(let appended): (appended.first..<appended.end).contains(index)
            default: false
            }
        }
    }

    /// What was written: the entries up to there, or where those were on disk before, what else there was to write.
    func cause(of persisted: Persisted, on node: NodeID) -> Int? {
        var other: Int?
        var isOver = false
        let place = nearest(inLifeOf: node) { place in
            switch nodeEvent(at: place, on: node) {
            case .raft(.appended(let appended))?:
                if (appended.first..<appended.end).contains(persisted.index), !isOver { return true }
                other = other ?? place
            case .raft(.persisted(let earlier))?:
                if earlier.index >= persisted.index { isOver = true }
            case .raft(.termChanged)?, .raft(.truncated)?, .raft(.compacted)?, .raft(.snapshotInstalled)?:
                other = other ?? place
            case .raft(.voteCast(let cast))?:
                if cast.isGranted, !cast.isPreVote { other = other ?? place }
            default: break
            }
            return isOver && other != nil
        }
        guard let place, case .appended? = observation(at: place, on: node), !isOver else { return other }
        return place
    }

    // MARK: - Reads, leases, transfers

    func cause(of step: ReadRoundStep, on node: NodeID) -> Int? {
        if let peer = step.peer { return delivery(to: node, from: peer) { $0.isAnswerToAppend } }
        if step.isConfirmed {
            return nearestObservation(on: node) { if case .appended = $0 { true } else { false } }
        }
        return nearest { place in
            switch row[place].kind {
            case .called(let call):
                return call.request.readMode?.isLinearizable == true && (call.via == nil || call.via == node)
            // Reads that had to wait for this.
            case .node(node, _, .raft(.committed)): return isTogether(place)
            default:
                return isDelivery(at: place, to: node) {
                    if case .readIndexRequest = $0.body { true } else { false }
                }
            }
        }
    }

    func cause(of step: LeaseStep, on node: NodeID) -> Int? {
        guard step.until == nil else {
            return delivery(to: node) { $0.isAnswerToAppend }
        }
        // It was given up, switched off, or has run out.
        var extended: Int?
        let ended = nearest(inLifeOf: node) { place in
            switch row[place].kind {
            case .settings: return true
            case .node(node, _, .raft(.transfer(let transfer))): return transfer.stage != .givenUp
            case .node(node, _, .raft(.lease(let lease))):
                extended = lease.until == nil ? nil : place
                return true
            default: return false
            }
        }
        guard let extended, ended == extended else { return ended }
        return majorityCause(on: node).flatMap { $0 > extended ? $0 : nil } ?? extended
    }

    func cause(of step: TransferStep, on node: NodeID) -> Int? {
        if step.stage == .began { return nearestCommand { $0.verb == "transfer" && $0.hasNumber(of: step.target) } }
        return nearestObservation(on: node) {
            switch $0 {
            case .transfer(let earlier): earlier.target == step.target
            case .progressed(let progressed): progressed.peer == step.target && step.stage == .told
            default: false
            }
        }
    }
}

extension SessionCommand {
    /// Whether a client of this name sent it. One that was told to forget who sent it may be anybody's.
    func isOf(_ name: String) -> Bool { client.isEmpty || client.prefix { $0 != "~" } == name }
}

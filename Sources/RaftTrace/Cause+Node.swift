import RaftCore

// What led to something on a server.

extension CauseSearch {
    func cause(of event: NodeEvent, on node: NodeID, _ term: Term) -> Int? {
        switch event {
        case .raft(let observation): return cause(of: observation, on: node, term)
        case .started: return startCause(of: node)
        case .stopped(let stopped): return stopCause(of: node, stopped.how)
        case .paused: return order(["pause"], of: node)
        case .resumed: return order(["resume"], of: node, orAnyOf: ["undo"])
        case .timerHeld: return order(["hold-timer"], of: node)
        case .timerFreed: return order(["free-timer"], of: node)
        case .disk(let changed): return order(["disk"], of: node, orAnyOf: changed.condition == .ok ? ["undo"] : [])
        case .failed: return failureCause(of: node)
        case .hungUp: return nil
        case .applied(let applied):
            return nearestObservation(on: node) {
                guard case .committed(let committed) = $0 else { return false }
                return committed.from < applied.index && applied.index <= committed.to
            }
        case .snapshot(let step): return cause(of: step, on: node)
        case .state: return stateCause(of: node)
        }
    }

    private func cause(of observation: Observation, on node: NodeID, _ term: Term) -> Int? {
        switch observation {
        case .termChanged(let change):
            guard let peer = change.peer else { return campaignCause(on: node, term) }
            return delivery(to: node, from: peer) { $0.term == change.to }
        case .roleChanged(let change): return cause(of: change, on: node, term)
        case .voteCast(let cast):
            guard cast.candidate != node else { return order(["timeout"], of: node) }
            return delivery(to: node, from: cast.candidate) {
                guard case .voteRequest(let request) = $0.body else { return false }
                return $0.term == cast.forTerm && (request.poll == .preVote) == cast.isPreVote
            }
        case .voteCounted(let counted): return cause(of: counted, on: node)
        case .timerSet: return timerCause(of: node)
        case .appended(let appended): return cause(of: appended, on: node, term)
        case .truncated(let truncated):
            return delivery(to: node) {
                $0.isAppend && $0.term == term && $0.entryRange.lowerBound <= truncated.first
                    && ($0.entryRange.contains(truncated.first) || $0.entryRange.lowerBound == truncated.first)
            }
        case .appendRefused(let refused):
            return delivery(to: node, from: refused.leader) {
                if case .append(let append) = $0.body { append.previous == refused.previous } else { false }
            }
        case .progressed(let progressed): return cause(of: progressed, on: node)
        case .committed(let committed): return cause(of: committed, on: node, term)
        case .heldBack(let held): return countingCause(on: node, reaching: held.index)
        case .persisted(let persisted): return cause(of: persisted, on: node)
        case .readRound(let step): return cause(of: step, on: node)
        case .transfer(let step): return cause(of: step, on: node)
        case .configured(let configured): return cause(of: configured, on: node)
        case .changeRefused: return nearestCommand(\.changesMembers)
        case .compacted(let compacted): return snapshotStep(.taken, upTo: compacted.snapshot, on: node)
        case .snapshotReceived(let received):
            return delivery(to: node, from: received.leader) {
                guard case .snapshot(let chunk) = $0.body else { return false }
                return chunk.mark.last == received.last && chunk.offset + chunk.bytes.count == received.received
            }
        case .snapshotInstalled(let installed): return cause(of: installed, on: node)
        case .lease(let step): return cause(of: step, on: node)
        case .halted:
            return nearest(inLifeOf: node) { isTogether($0) && isDelivery(at: $0, to: node) { _ in true } }
                ?? nearest(inLifeOf: node) { nodeEvent(at: $0, on: node) != nil }
        }
    }

    // MARK: - Snapshots

    private func snapshotStep(_ stage: SnapshotStep.Stage, upTo last: LogPosition, on node: NodeID) -> Int? {
        nearest(inLifeOf: node) {
            if case .snapshot(let step)? = nodeEvent(at: $0, on: node) {
                step.stage == stage && step.last == last
            } else {
                false
            }
        }
    }

    private func cause(of step: SnapshotStep, on node: NodeID) -> Int? {
        switch step.stage {
        case .taken, .overtaken, .tooLarge: return snapshotStep(.began, upTo: step.last, on: node)
        case .restored:
            return nearestObservation(on: node) {
                if case .snapshotInstalled(let installed) = $0 { installed.last == step.last } else { false }
            }
        case .began:
            // One that was ordered, and not begun yet.
            var applied: Int?
            let place = nearest(inLifeOf: node) { place in
                switch nodeEvent(at: place, on: node) {
                case .applied(let entry)? where entry.index == step.last.index && applied == nil: applied = place
                case .snapshot(let earlier)?: return earlier.stage == .began
                default: break
                }
                guard let command = command(at: place), command.verb == "snapshot" else { return false }
                return isNamed(node, by: command, at: place)
            }
            guard let place, command(at: place) != nil else { return applied }
            return place
        }
    }

    private func cause(of installed: SnapshotInstalled, on node: NodeID) -> Int? {
        nearest(inLifeOf: node) { place in
            if case .snapshotReceived(let received)? = observation(at: place, on: node) {
                return received.last == installed.last && received.leader == installed.leader
            }
            return isDelivery(at: place, to: node, from: installed.leader) {
                if case .snapshot(let chunk) = $0.body { chunk.mark.last == installed.last } else { false }
            }
        }
    }

    /// A state is told when a server has started or has its store from a snapshot, and now and then without a reason.
    private func stateCause(of node: NodeID) -> Int? {
        let last = nearest { nodeEvent(at: $0, on: node) != nil }
        guard let last else { return nil }
        switch nodeEvent(at: last, on: node) {
        case .started?: return last
        case .snapshot(let step)?: return step.stage == .restored ? last : nil
        default: return nil
        }
    }
}

import RaftCore

// What led to a message, to its arrival and to its loss.

extension CauseSearch {
    /// The sending of the message of this number.
    func sending(of number: UInt64, before end: Int? = nil) -> Int? {
        nearest(before: end) { if case .sent(let sent) = row[$0].kind { sent.number == number } else { false } }
    }

    /// Whether a message that fits was handed to `node` here, from `peer` where one is named. One whose sending is no longer
    /// kept may have said anything.
    func isDelivery(at place: Int, to node: NodeID, from peer: NodeID? = nil, _ fits: (Message) -> Bool) -> Bool {
        guard case .delivered(let delivered) = row[place].kind, delivered.to == node,
            peer == nil || delivered.from == peer
        else { return false }
        guard let start = sending(of: delivered.number, before: place), case .sent(let sent) = row[start].kind else {
            return true
        }
        return fits(sent.message)
    }

    /// The nearest delivery of a message that fits to `node` in its present life.
    func delivery(
        to node: NodeID, from peer: NodeID? = nil, before end: Int? = nil, _ fits: (Message) -> Bool
    ) -> Int? {
        nearest(inLifeOf: node, before: end) { isDelivery(at: $0, to: node, from: peer, fits) }
    }

    // MARK: - Sent

    func cause(of sent: MessageSent) -> Int? {
        if sent.copyOf != nil { return nearestCommand { $0.verb == "duplicate" } }
        let message = sent.message
        let (node, peer) = (message.from, message.to)
        switch message.body {
        case .voteRequest(let request):
            return nearestObservation(on: node) {
                guard case .roleChanged(let change) = $0 else { return false }
                return change.role == (request.poll == .preVote ? .precandidate : .candidate)
            }
        case .voteResponse(let response):
            return nearestObservation(on: node) {
                guard case .voteCast(let cast) = $0 else { return false }
                return cast.candidate == peer && cast.isPreVote == (response.poll == .preVote)
                    && cast.isGranted == response.isGranted
            }
        case .append(let append) where append.entries.isEmpty: return heartbeatCause(message, append.round)
        case .append(let append): return appendCause(message, first: append.previous.index.next)
        case .appendResponse(let response): return acknowledgementCause(message, response.outcome)
        case .timeoutNow:
            return nearestObservation(on: node) {
                if case .transfer(let step) = $0 { step.target == peer && step.stage == .told } else { false }
            }
        case .snapshot(let chunk) where chunk.bytes.isEmpty && chunk.size > 0:
            return heartbeatCause(message, chunk.round)
        case .snapshot(let chunk):
            return nearestObservation(on: node) {
                guard case .progressed(let progressed) = $0, progressed.peer == peer else { return false }
                return progressed.installing?.last == chunk.mark.last
                    && progressed.installing?.received == chunk.offset
            }
        case .snapshotResponse(let response):
            return nearest(inLifeOf: node) {
                if case .snapshotReceived(let received)? = observation(at: $0, on: node) {
                    return received.leader == peer && received.last == response.last
                        && received.received == response.received
                }
                return isDelivery(at: $0, to: node, from: peer) { $0.isSnapshot }
            }
        case .readIndexRequest:
            return nearest { place in
                guard case .called(let call) = row[place].kind, call.request.readMode?.isLinearizable == true else {
                    return false
                }
                return call.via == nil || call.via == node
            }
        case .readIndexResponse(let response): return readAnswerCause(message, response)
        }
    }

    /// A heartbeat is sent for a round that reads wait for, and otherwise because its sender leads.
    private func heartbeatCause(_ message: Message, _ round: ReadRound) -> Int? {
        let asking = nearestInTurn {
            guard case .readRound(let step)? = observation(at: $0, on: message.from) else { return false }
            return step.round == round && step.peer == nil && !step.isConfirmed
        }
        return asking ?? election(of: message.from)
    }

    /// How `node` came to lead. That may be long ago.
    func election(of node: NodeID) -> Int? {
        nearest(inLifeOf: node) {
            guard case .node(node, _, .raft(.roleChanged(let change))) = row[$0].kind else { return false }
            return change.role == .leader
        }
    }

    /// Entries are sent because they were appended, or because of what is known of the one who gets them by now.
    private func appendCause(_ message: Message, first: LogIndex) -> Int? {
        let (node, peer) = (message.from, message.to)
        var progress: Int?
        let place = nearest(inLifeOf: node) { place in
            switch observation(at: place, on: node) {
            case .appended(let appended)?:
                return (appended.first..<appended.end).contains(first) && appended.entries.last?.term == message.term
            case .progressed(let progressed)? where progressed.peer == peer && isTogether(place):
                progress = place
                return false
            case .roleChanged(let change)?: return change.role == .leader
            default: return isDelivery(at: place, to: node, from: peer) { $0.isAnswerToAppend }
            }
        }
        guard let place, case .delivered = row[place].kind, let progress, progress > place else { return place }
        return progress
    }

    /// An acknowledgement follows what was sent, or the disk.
    private func acknowledgementCause(_ message: Message, _ outcome: AppendResponse.Outcome) -> Int? {
        let (node, peer) = (message.from, message.to)
        switch outcome {
        case .refused(let previous, _):
            return nearestObservation(on: node) {
                guard case .appendRefused(let refused) = $0 else { return false }
                return refused.leader == peer && refused.previous.index == previous
            }
        case .accepted(let match):
            return nearest(inLifeOf: node) { place in
                switch observation(at: place, on: node) {
                case .persisted(let persisted)?: persisted.index == match && isTogether(place)
                case .compacted?: isTogether(place)
                default:
                    isDelivery(at: place, to: node, from: peer) {
                        ($0.isAppend || $0.isSnapshot) && $0.term == message.term
                    }
                }
            }
        }
    }

    /// A leader answers a follower's question when it is confirmed, or can't be any more.
    private func readAnswerCause(_ message: Message, _ response: ReadIndexResponse) -> Int? {
        let (node, peer) = (message.from, message.to)
        return nearest(inLifeOf: node) { place in
            switch observation(at: place, on: node) {
            case .readRound(let step)?: step.isConfirmed && response.index != nil && isTogether(place)
            case .roleChanged(let change)?: change.role == .follower && response.index == nil && isTogether(place)
            default:
                isDelivery(at: place, to: node, from: peer) {
                    $0.body == .readIndexRequest(ReadIndexRequest(context: response.context))
                }
            }
        }
    }

    // MARK: - Lost

    func cause(of lost: MessageLost) -> Int? {
        switch lost.reason {
        case .cut: cutCause(of: lost) ?? sending(of: lost.number)
        case .chance:
            nearestLink(from: lost.from, to: lost.to).flatMap { $0.state.loss > 0 ? $0.place : nil }
                ?? sending(of: lost.number)
        case .unreachable: downCause(of: lost) ?? sending(of: lost.number)
        case .full: sending(of: lost.number)
        case .dropped: nearestCommand { $0.verb == "drop" }
        }
    }

    /// A cut tells what it takes off the link before it tells that the link is cut.
    private func cutCause(of lost: MessageLost) -> Int? {
        if let (place, state) = nearestLink(from: lost.from, to: lost.to), state.isCut { return place }
        return nearestCommand { $0.cuts && $0.names(from: lost.from, to: lost.to) }
    }

    /// Who can't be reached is down, or the sender is; a stop tells what it takes off the links before or after itself.
    private func downCause(of lost: MessageLost) -> Int? {
        var up: Set<NodeID> = []
        let ends = [lost.from, lost.to]
        var isFound = false
        let place = nearest { place in
            switch row[place].kind {
            case .began: return true
            case .node(let node, _, .started):
                if ends.contains(node) { up.insert(node) }
            case .node(let node, _, .stopped), .node(let node, _, .failed):
                isFound = ends.contains(node) && !up.contains(node)
            case .command(let command):
                isFound = command.stops && ends.contains { isNamed($0, by: command, at: place) && !up.contains($0) }
            default: break
            }
            return isFound || up.count == 2
        }
        return isFound ? place : nil
    }

    /// The link from one server to another, as it was told last.
    func nearestLink(from: NodeID, to: NodeID) -> (place: Int, state: LinkState)? {
        var found: LinkState?
        let place = nearest { place in
            if case .link(let state) = row[place].kind, state.from == from, state.to == to { found = state }
            return found != nil || isBeginning(place)
        }
        guard let place, let found else { return nil }
        return (place, found)
    }
}

extension Message {
    var isAppend: Bool { if case .append = body { true } else { false } }

    var isSnapshot: Bool { if case .snapshot = body { true } else { false } }

    /// Whether it tells a leader how far a follower is.
    var isAnswerToAppend: Bool {
        switch body {
        case .appendResponse, .snapshotResponse: true
        default: false
        }
    }

    /// The indices of the entries that it brings; empty where it brings none.
    var entryRange: Range<LogIndex> {
        guard case .append(let append) = body else { return LogIndex.zero..<LogIndex.zero }
        let first = append.previous.index.next
        return first..<first.advanced(by: append.entries.count)
    }
}

extension Appended {
    /// The index after the last of the entries.
    var end: LogIndex { first.advanced(by: entries.count) }
}

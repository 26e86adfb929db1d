import RaftCore

// What is read from a file may say anything. Numbers that no cluster reaches are refused, before somebody counts to them.

extension Event {
    /// The times that an event can have: about seventy years.
    static let times = Instant.zero...Instant(nanoseconds: 1 << 61)
    /// The largest index and term that an event can speak of.
    static let numberMax: UInt64 = 1 << 40
}

extension Event.Kind {
    /// Whether no number in it is larger than `max`.
    func isWithinBounds(_ max: UInt64) -> Bool {
        switch self {
        case .began(let began): (1...63).contains(began.nodes) && (began.running?.count ?? 0) <= 63
        case .node(_, let term, let event): term.rawValue <= max && event.isWithinBounds(max)
        case .sent(let sent): sent.message.isWithinBounds(max)
        case .load(let load):
            load.map { Load.rates.contains($0.rate) && Load.clientCounts.contains($0.clients) } ?? true
        case .delivered, .lost, .link, .clock, .stepped, .settings, .called, .returned, .command, .violation, .dropped:
            true
        }
    }
}

extension NodeEvent {
    fileprivate func isWithinBounds(_ max: UInt64) -> Bool {
        switch self {
        case .raft(let observation): observation.isWithinBounds(max)
        case .started(let started):
            started.log.areWithinBounds(max) && [started.base, started.snapshot].areWithinBounds(max)
        case .snapshot(let step): [step.last].areWithinBounds(max)
        case .applied(let applied): applied.index.rawValue <= max
        case .state(let state):
            state.log.areWithinBounds(max) && [state.base, state.snapshot].areWithinBounds(max)
                && Swift.max(state.commit, state.applied, state.durable).rawValue <= max
                && state.peers.allSatisfy { Swift.max($0.next, $0.match).rawValue <= max }
        case .stopped, .paused, .resumed, .timerHeld, .timerFreed, .disk, .failed, .hungUp: true
        }
    }
}

extension [TermRun] {
    fileprivate func areWithinBounds(_ max: UInt64) -> Bool {
        allSatisfy { $0.count >= 0 && UInt64($0.count) <= max && $0.term.rawValue <= max } && count < 1 << 20
    }
}

extension [LogPosition?] {
    fileprivate func areWithinBounds(_ max: UInt64) -> Bool {
        allSatisfy { $0.map { Swift.max($0.term.rawValue, $0.index.rawValue) <= max } ?? true }
    }
}

extension Observation {
    fileprivate func isWithinBounds(_ max: UInt64) -> Bool {
        switch self {
        case .termChanged(let change): Swift.max(change.from, change.to).rawValue <= max
        case .appended(let appended):
            appended.first.rawValue <= max && appended.entries.allSatisfy { $0.term.rawValue <= max }
        case .truncated(let truncated): truncated.first.rawValue <= max
        case .progressed(let progressed): Swift.max(progressed.next, progressed.match).rawValue <= max
        case .committed(let committed): Swift.max(committed.from, committed.to).rawValue <= max
        case .persisted(let persisted): persisted.index.rawValue <= max
        case .heldBack(let held): held.index.rawValue <= max
        case .appendRefused(let refused): Swift.max(refused.previous, refused.hint).index.rawValue <= max
        case .configured(let configured): configured.index.rawValue <= max
        case .changeRefused: true
        case .compacted(let compacted): [compacted.snapshot, compacted.base].areWithinBounds(max)
        case .snapshotReceived(let received): [received.last].areWithinBounds(max)
        case .snapshotInstalled(let installed): [installed.last, installed.discarded].areWithinBounds(max)
        case .lease(let step): step.until.map(Event.times.contains) ?? true
        case .roleChanged, .voteCast, .voteCounted, .timerSet, .readRound, .transfer, .halted: true
        }
    }
}

extension Message {
    fileprivate func isWithinBounds(_ max: UInt64) -> Bool {
        guard term.rawValue <= max else { return false }
        switch body {
        case .voteRequest(let request): return request.last.index.rawValue <= max && request.last.term.rawValue <= max
        case .voteResponse, .timeoutNow, .readIndexRequest: return true
        case .readIndexResponse(let response): return (response.index?.rawValue ?? 0) <= max
        case .append(let append):
            return append.previous.index.rawValue <= max && append.commit.rawValue <= max
                && append.entries.allSatisfy { $0.term.rawValue <= max }
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted(let match): return match.rawValue <= max
            case .refused(let previous, let hint): return Swift.max(previous, hint.index).rawValue <= max
            }
        case .snapshot(let chunk): return [chunk.mark.last].areWithinBounds(max)
        case .snapshotResponse(let response): return [response.last].areWithinBounds(max)
        }
    }
}

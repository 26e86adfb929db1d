import RaftCore

// What led to a campaign, to its end, and to the end of a leader.

extension CauseSearch {
    func cause(of change: RoleChange, on node: NodeID, _ term: Term) -> Int? {
        switch (change.role, change.reason) {
        case (.precandidate, _): return silenceCause(on: node)
        case (.candidate, .told): return tellingCause(on: node)
        case (.candidate, .preVoteWon):
            return nearestObservation(on: node) {
                switch $0 {
                case .voteCounted(let counted): counted.isPreVote && counted.isGranted
                case .roleChanged(let earlier): earlier.role == .precandidate
                default: false
                }
            }
        case (.candidate, _): return silenceCause(on: node)
        case (.leader, _):
            return nearestObservation(on: node) {
                if case .voteCounted(let counted) = $0 { !counted.isPreVote && counted.isGranted } else { false }
            }
        case (.follower, .laterTerm), (.follower, .leaderHeard), (.follower, .votedForAnother):
            return delivery(to: node, from: change.peer) { $0.fits(change.reason) && $0.term == term }
        case (.follower, .removed):
            return nearestObservation(on: node) { if case .committed = $0 { true } else { false } }
        case (.follower, .majorityLost): return majorityCause(on: node)
        case (.follower, .electionLost):
            return nearestObservation(on: node) {
                if case .voteCounted(let counted) = $0 { !counted.isGranted } else { false }
            }
        case (.follower, _): return nil
        }
    }

    func cause(of counted: VoteCounted, on node: NodeID) -> Int? {
        guard counted.voter == node else {
            return delivery(to: node, from: counted.voter) {
                guard case .voteResponse(let response) = $0.body else { return false }
                return response.isGranted == counted.isGranted && (response.poll == .preVote) == counted.isPreVote
            }
        }
        // His own vote counts when it is on disk.
        return nearestObservation(on: node) {
            switch $0 {
            case .persisted: true
            case .roleChanged(let change): change.role == .candidate
            default: false
            }
        }
    }

    // MARK: - Campaigns

    /// Who told a server to campaign: its leader, or somebody by hand.
    private func tellingCause(on node: NodeID) -> Int? {
        nearest(inLifeOf: node) { place in
            if let command = command(at: place) {
                return command.verb == "timeout" && isNamed(node, by: command, at: place)
            }
            return isDelivery(at: place, to: node) { $0.body == .timeoutNow }
        }
    }

    /// The beginning of a campaign, where the role that it leads to isn't told yet.
    func campaignCause(on node: NodeID, _ term: Term) -> Int? {
        let won = nearest(inLifeOf: node) { place in
            guard case .node(node, term, .raft(let observation)) = row[place].kind, isTogether(place) else {
                return false
            }
            switch observation {
            case .voteCounted(let counted): return counted.isPreVote && counted.isGranted
            case .roleChanged(let change): return change.role == .precandidate
            default: return false
            }
        }
        if let won { return won }
        guard let telling = tellingCause(on: node) else { return silenceCause(on: node) }
        guard let timer = timerThatRanOut(on: node) else { return telling }
        // What came before the timer was set, or well before it ran out, has had its effect already.
        guard case .timerSet(let set)? = observation(at: timer, on: node) else { return max(timer, telling) }
        let isTold = timer < telling && (set.deadline <= row[telling].at || isTogether(telling))
        return isTold ? telling : silenceCause(on: node)
    }

    // MARK: - Timers

    /// Why no leader was heard until the timer ran out: because the one that was followed is down, paused, cut off, held up,
    /// or leads no more, be it this server itself. Where nothing is known of that, the setting of the timer.
    func silenceCause(on node: NodeID) -> Int? {
        let timer = timerThatRanOut(on: node)
        if let timer, case .timerSet? = observation(at: timer, on: node) {} else { return timer }
        var leader: NodeID?
        let heard = nearestObservation(on: node) {
            guard case .roleChanged(let change) = $0 else { return false }
            leader = change.role == .leader ? node : change.reason == .leaderHeard ? change.peer : nil
            return leader != nil
        }
        guard let heard, let leader else { return timer }
        var isLeaderStill: Bool?
        var (hasLink, isAwake) = (false, false)
        var silence: Int?
        for place in (heard + 1..<row.count).reversed() {
            switch row[place].kind {
            case .link(let state) where state.from == leader && state.to == node && !hasLink:
                hasLink = true
                if state.isCut || state.isHeld { silence = place }
            case .node(leader, _, .raft(.roleChanged(let change))):
                isLeaderStill = isLeaderStill ?? (change.role == .leader)
                if isLeaderStill == false { silence = place }
            case _ where leader == node: break
            case .node(leader, _, .stopped), .node(leader, _, .failed), .node(leader, _, .raft(.halted)):
                silence = place
            case .node(leader, _, .resumed): isAwake = true
            case .node(leader, _, .paused) where !isAwake: silence = place
            default: break
            }
        }
        return silence ?? timer
    }

    /// The setting of the timer that has run out by now; where it was held or the server paused when it did, the end of
    /// that.
    func timerThatRanOut(on node: NodeID) -> Int? {
        var release: Int?
        let place = nearest(inLifeOf: node) { place in
            switch nodeEvent(at: place, on: node) {
            case .timerFreed?, .resumed?:
                release = release ?? place
                return false
            case .raft(.timerSet(let timer))?: return timer.deadline <= event.at || row[place].at < event.at
            default: return false
            }
        }
        guard let place, let release, case .timerSet(let timer)? = observation(at: place, on: node) else {
            return place
        }
        return timer.deadline < row[release].at ? release : place
    }

    /// What set the timer: a message, the disk, a start, a step down, a command, or the timer before it that has run out.
    func timerCause(of node: NodeID) -> Int? {
        let place = nearest(inLifeOf: node) { place in
            switch row[place].kind {
            case .delivered(let delivered): return delivered.to == node && isOfThisTurn(place, on: node)
            case .command(let command):
                return (command.verb == "align" || command.verb == "timeout")
                    && isNamed(node, by: command, at: place)
            case .node(node, _, .started): return true
            case .node(node, _, .raft(.persisted)), .node(node, _, .raft(.termChanged)): return isTogether(place)
            // A leader may be no member any more by that.
            case .node(node, _, .raft(.committed(let committed))): return committed.stored != nil && isTogether(place)
            case .node(node, _, .raft(.timerSet(let timer))): return timer.deadline <= event.at
            default: return false
            }
        }
        guard let place, !isTogether(place) else { return place }
        // A leader has no timer: it steps down, and says so next.
        if isLeading(node) { return majorityCause(on: node) }
        if case .timerSet? = observation(at: place, on: node) { return timerThatRanOut(on: node) }
        return place
    }

    /// Whether what was delivered at `place` was handled in the turn of the event: at once, or when a pause ended.
    private func isOfThisTurn(_ place: Int, on node: NodeID) -> Bool {
        if isTogether(place) { return true }
        return (place..<row.count).contains { later in
            guard case .node(node, _, .resumed) = row[later].kind else { return false }
            return isTogether(later)
        }
    }
}

extension Message {
    /// Whether it can have made a server a follower for this reason.
    fileprivate func fits(_ reason: RoleChange.Reason) -> Bool {
        switch reason {
        case .leaderHeard: isAppend || isSnapshot
        case .votedForAnother: if case .voteRequest = body { true } else { false }
        default: true
        }
    }
}

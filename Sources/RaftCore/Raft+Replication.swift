// The leader's side of log replication (paper §5.3).

extension Raft {
    /// Appends clients' entries, where this server leads.
    mutating func propose(_ payloads: [Payload]) {
        guard case .leader(let leadership) = role else {
            output.proposal = .refused(leader: leader)
            return
        }
        guard leadership.transfer == nil else {
            // Who is to lead doesn't yet, and whoever asked may as well wait (thesis §3.10).
            output.proposal = .refused(leader: nil)
            return
        }
        guard leadership.unfinishedBytes < settings.limits.unfinishedBytesMax else {
            output.proposal = .overloaded
            return
        }
        output.proposal = .appended(first: LogPosition(term: currentTerm, index: log.lastIndex.next))
        append(payloads.map { Entry(term: currentTerm, payload: $0) })
    }

    /// Appends `entries` to the leader's own log; they leave for the followers at the end of the step.
    mutating func append(_ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        let first = log.lastIndex.next
        log.append(contentsOf: entries[...])
        tail = Tail(first: first, entries: entries)
        durability.change(from: first)
        observe(.appended(Appended(first: first, entries: entries)))
        let (last, weight) = (log.lastIndex, entries.reduce(0) { $0 + $1.payload.weight })
        leadershipIfLeading?.unfinished.append(Progress.Flight(last: last, bytes: weight))
        leadershipIfLeading?.unfinishedBytes += weight
        noteConfigurations(in: entries, from: first)
        if !keeps(.persistBeforeReply) { maybeCommit() }
    }

    /// Shows every follower that this server leads (paper §5.2), and offers each the entry after the last one sent, so
    /// that one that missed something says so.
    mutating func sendHeartbeats() {
        timers.heartbeat = now + settings.timing.heartbeat
        beginRoundIfWanted()
        guard case .leader(let leadership) = role else { return }
        for (place, progress) in leadership.peers.enumerated() {
            if needsSnapshot(progress), let transfer = progress.installing,
                transfer.last == leadership.image?.mark.last
            {
                askHowMuchArrived(transfer, at: place)
            } else {
                sendAppend(to: progress, [], round: leadership.reads.round)
            }
        }
    }

    /// Sends to every follower what it lacks, as far as its window allows.
    mutating func sendEntries() {
        guard case .leader(let leadership) = role else { return }
        var batch: (first: LogIndex, entries: [Entry])?
        for place in leadership.peers.indices {
            if needsSnapshot(leadership.peers[place]) {
                sendSnapshot(at: place)
                continue
            }
            var isNew = false
            while let progress = leader(at: place), mayReceive(progress) {
                // Followers that are equally far share one copy of the entries.
                if batch?.first != progress.next {
                    batch = (progress.next, nextEntries(for: progress))
                }
                guard let entries = batch?.entries else { break }
                sendAppend(to: progress, entries, round: leadership.reads.round)
                leadershipIfLeading?.peers[place].noteSent(entries)
                isNew = true
            }
            if isNew { observeProgress(at: place) }
        }
    }

    /// What a follower lacks, as far as it goes into one message.
    private func nextEntries(for progress: Progress) -> [Entry] {
        let limits = settings.limits
        if let entries = tail.entries(from: progress.next, within: limits) { return entries }
        return log.entries(
            from: progress.next, maxCount: limits.entriesPerAppendMax, maxWeight: limits.bytesPerAppendMax)
    }

    /// Whether there is something to send to a follower, and room for it on the way.
    private func mayReceive(_ progress: Progress) -> Bool {
        guard progress.next <= log.lastIndex else { return false }
        if progress.isProbing { return !progress.isProbeSent }
        return progress.inflight.count < settings.limits.inflightMessagesMax
            && progress.inflightBytes < settings.limits.inflightBytesMax
    }

    /// Sends `entries`, which start at the follower's next index. Where what comes before that is forgotten, they are none,
    /// and only show that this server leads.
    private mutating func sendAppend(to progress: Progress, _ entries: [Entry], round: ReadRound) {
        let index = max(progress.next.previous, log.base.index)
        guard let term = log.term(at: index) else {
            return halt(
                .invariant(
                    "the next entry for \(progress.peer) is \(progress.next), but the log ends at \(log.lastIndex)"))
        }
        let previous = LogPosition(term: term, index: index)
        let append = Append(
            previous: previous, entries: entries, commit: commitIndex, round: round, lease: wantedLease)
        send(.append(append), to: progress.peer)
    }

    /// Learns from an answer how far a follower is (paper §5.3).
    mutating func receive(_ response: AppendResponse, from message: Message) {
        guard case .leader(let leadership) = role, let place = leadership.index(of: message.from) else { return }
        if isCounted(message.from, message.incarnation) { leadershipIfLeading?.heard.insert(message.from) }
        switch response.outcome {
        case .accepted(let match): accept(match, at: place)
        case .refused(let previous, let hint): retreat(at: place, from: previous, hint)
        }
        // By now others may be members.
        guard let place = leadershipIfLeading?.index(of: message.from) else { return }
        confirmRounds(upTo: response.round, at: place)
    }

    /// A follower holds everything up to `match` on its disk.
    private mutating func accept(_ match: LogIndex, at place: Int) {
        guard match <= log.lastIndex else {
            return halt(.invariant("a follower holds entry \(match), but the leader's log ends at \(log.lastIndex)"))
        }
        guard var progress = leader(at: place) else { return }
        let wasProbing = progress.isProbing
        let isNews = progress.maybeAdvance(to: match)
        // An answer that says nothing new is a late one, unless it is the probe's: it must not set the whole window going
        // again, or every late answer would lead to as many more.
        if isNews || match >= progress.next.previous {
            progress.isProbing = false
            progress.isProbeSent = false
        }
        if progress.next.previous >= log.base.index { progress.installing = nil }
        leadershipIfLeading?.peers[place] = progress
        if isNews || wasProbing != progress.isProbing { observeProgress(at: place) }
        dropImageIfUnneeded()
        if isNews {
            maybeCommit()
            advanceMembership()
        }
    }

    /// A follower doesn't hold the entry at `previous`: look for an earlier place where the logs agree. The hint spares
    /// a message for every entry: one a term is enough (paper §5.3).
    ///
    /// What was proved to match stays so: an answer that says less is a late one.
    private mutating func retreat(at place: Int, from previous: LogIndex, _ hint: LogPosition) {
        guard var progress = leader(at: place), previous > progress.match, previous < progress.next else { return }
        guard !progress.isProbing || previous == progress.next.previous else { return }
        let latest = min(hint.index, previous.previous)
        progress.probe(from: log.lastIndex(upTo: latest, withTermAtMost: hint.term).next)
        leadershipIfLeading?.peers[place] = progress
        observeProgress(at: place)
    }

    /// Steps down where no majority was heard for an election timeout, so that clients don't wait for a leader that
    /// can't commit (thesis §6.2).
    mutating func checkMajority() {
        guard case .leader(let leadership) = role else { return }
        timers.majority = now + settings.timing.electionTimeout.lowerBound
        if settings.options.checkQuorum, !isMajority(leadership.heard.with(id)) {
            return becomeFollower(leader: nil, .majorityLost, peer: nil)
        }
        leadershipIfLeading?.heard = NodeSet()
    }

    /// Takes notice of a server that came back with another disk: what was known of the old one no longer holds.
    /// Answers whether the message is of a life that is still known.
    mutating func isOfKnownLife(_ message: Message) -> Bool {
        guard case .leader(let leadership) = role, let place = leadership.index(of: message.from) else { return true }
        let known = leadership.peers[place].incarnation
        if message.incarnation > known {
            let unknown = Progress(peer: message.from, incarnation: message.incarnation, next: log.lastIndex.next)
            leadershipIfLeading?.peers[place] = unknown
            observeProgress(at: place)
        }
        return message.incarnation >= known
    }
}

// MARK: - The leader's own state

extension Raft {
    /// What belongs to the leader, changed in place: taking it out of the role first keeps its arrays from being
    /// copied.
    var leadershipIfLeading: Leadership? {
        get { if case .leader(let leadership) = role { leadership } else { nil } }
        _modify {
            var taken: Leadership?
            if case .leader(let leadership) = role {
                taken = leadership
                role = .follower(Following())
            }
            defer { if let taken { role = .leader(taken) } }
            yield &taken
        }
    }

    /// How far the follower at `place` is; `nil` for a server that doesn't lead.
    private func leader(at place: Int) -> Progress? {
        if case .leader(let leadership) = role { leadership.peers[place] } else { nil }
    }

    mutating func observeProgress(at place: Int) {
        guard output.isObserved, let progress = leader(at: place) else { return }
        observe(
            .progressed(
                Progressed(
                    peer: progress.peer, next: progress.next, match: progress.match, isProbing: progress.isProbing,
                    isCounted: isCounted(progress.peer, progress.incarnation), installing: progress.installing)))
    }
}

extension Progress {
    /// Takes note that `entries` are on their way. While probing, the next message waits for the answer to this one.
    fileprivate mutating func noteSent(_ entries: [Entry]) {
        guard !isProbing else {
            isProbeSent = true
            return
        }
        next = next.advanced(by: entries.count)
        let bytes = entries.reduce(0) { $0 + $1.payload.weight }
        inflight.append(Flight(last: next.previous, bytes: bytes))
        inflightBytes += bytes
    }
}

// Elections (paper §5.2, §5.4.1; PreVote: thesis §9.6).

// MARK: - Roles and terms

extension Raft {
    /// Starts or adopts a later term, in which no vote was given yet.
    mutating func changeTerm(to term: Term, heardFrom peer: NodeID?) {
        observe(.termChanged(TermChange(from: currentTerm, to: term, peer: peer)))
        currentTerm = term
        votedFor = nil
        timers.leaderHeard = nil
        durability.isHardStateChanged = true
    }

    /// Becomes a follower of `leader`, or of nobody yet. The vote of the term stays.
    mutating func becomeFollower(leader: NodeID?, _ reason: RoleChange.Reason, peer: NodeID?) {
        let previous = role.name
        if case .leader(let leadership) = role { refuseReads(of: leadership, leader: leader) }
        role = .follower(Following(leader: leader))
        if previous == .leader { restartElectionTimer() }
        if previous != .follower { observe(.roleChanged(RoleChange(role: .follower, reason: reason, peer: peer))) }
    }

    /// Asks all voters whether they would vote for this server in the next term (thesis §9.6).
    private mutating func becomePreCandidate() {
        role = .preCandidate(Ballot(granted: isVoter ? [id] : []))
        restartElectionTimer()
        observe(.roleChanged(RoleChange(role: .precandidate, reason: .electionTimeout)))
        guard !isElected else { return becomeCandidate(.preVoteWon) }
        let request = VoteRequest(poll: .preVote, last: log.last, isTold: false)
        for peer in configuration.electorate.without(id) {
            send(.voteRequest(request), to: peer, term: currentTerm.next)
        }
    }

    /// Starts a term, votes for itself and asks for votes (paper §5.2).
    ///
    /// Its own vote counts, and its requests leave, when term and vote are on disk, and with them all of the log that
    /// the requests speak of.
    private mutating func becomeCandidate(
        _ reason: RoleChange.Reason, isTold: Bool = false, isHandedOver: Bool = false
    ) {
        changeTerm(to: currentTerm.next, heardFrom: nil)
        votedFor = id
        role = .candidate(Ballot())
        restartElectionTimer()
        observe(.roleChanged(RoleChange(role: .candidate, reason: reason)))
        let request = VoteRequest(poll: .vote, last: log.last, isTold: isTold, isHandedOver: isHandedOver)
        for peer in configuration.electorate.without(id) { promise(.voteRequest(request), to: peer) }
        if !keeps(.persistBeforeReply) { countOwnVote() }
    }

    /// Leads the term: sends at once what shows it (paper §5.2), and appends an empty entry of the term (§8).
    private mutating func becomeLeader(votes: Int) {
        role = .leader(Leadership(peers: []))
        followMembers()
        timers.heartbeat = now + settings.timing.heartbeat
        timers.majority = now + settings.timing.electionTimeout.lowerBound
        let needed = votesNeeded
        observe(.roleChanged(RoleChange(role: .leader, reason: .electionWon, votes: votes, needed: needed)))
        if settings.options.noop {
            append([Entry(term: currentTerm, payload: .noop)])
        } else {
            sendHeartbeats()
        }
    }
}

// MARK: - Campaigns

extension Raft {
    /// No leader was heard for an election timeout (paper §5.2).
    mutating func electionTimeoutElapsed() {
        guard mayCampaign else {
            forgetLeader()
            return restartElectionTimer()
        }
        if let end = boundUntil { return setElectionTimer(end) }
        if settings.options.preVote {
            becomePreCandidate()
        } else {
            becomeCandidate(.electionTimeout)
        }
    }

    /// Who doesn't campaign still knows by now that his leader is silent, and doesn't send clients there.
    private mutating func forgetLeader() {
        guard case .follower(var following) = role else { return }
        following.leader = nil
        role = .follower(following)
    }

    /// Campaigns because the leader hands over (thesis §3.10). It has given its lease up.
    mutating func campaignAsTold() {
        guard mayCampaign else { return }
        if case .leader = role { return }
        becomeCandidate(.told, isTold: true, isHandedOver: true)
    }

    /// Campaigns because somebody wants it, of which no leader knows: where one may hold a lease, not before that is over.
    mutating func campaignByHand() {
        guard mayCampaign else { return }
        if case .leader = role { return }
        guard let end = boundUntil else { return becomeCandidate(.told, isTold: true) }
        let request = VoteRequest(poll: .vote, last: log.last, isTold: true)
        let question = Message(
            from: id, incarnation: incarnation, to: id, term: currentTerm.next, body: .voteRequest(request))
        if let refusal = refusalForLease { observeRefusal(of: request, from: question, refusal) }
        setElectionTimer(end)
    }

    /// The candidate's own vote is on disk and counts, if it is a voter. Its timer starts again, so that a slow disk doesn't
    /// eat the time in which the others can answer.
    mutating func countOwnVote() {
        guard case .candidate(var ballot) = role, !ballot.granted.contains(id) else { return }
        restartElectionTimer()
        guard isVoter else { return }
        ballot.granted.insert(id)
        role = .candidate(ballot)
        observeCount(of: VoteResponse(poll: .vote, isGranted: true), by: id, ballot)
        if isElected { becomeLeader(votes: ballot.granted.count) }
    }

    /// Counts an answer in the poll that it belongs to (paper §5.2; thesis §9.6).
    mutating func count(_ response: VoteResponse, from message: Message) {
        guard configuration.electorate.contains(message.from), isCounted(message.from, message.incarnation) else {
            return
        }
        switch (role, response.poll) {
        case (.preCandidate(var ballot), .preVote):
            // A grant names the term that was asked about; one for another term is late.
            guard message.term == (response.isGranted ? currentTerm.next : currentTerm) else { return }
            ballot.count(response, from: message.from)
            role = .preCandidate(ballot)
            observeCount(of: response, by: message.from, ballot)
            if isElected { becomeCandidate(.preVoteWon) } else { giveUpIfLost(ballot) }
        case (.candidate(var ballot), .vote):
            guard message.term == currentTerm else { return }
            ballot.count(response, from: message.from)
            role = .candidate(ballot)
            observeCount(of: response, by: message.from, ballot)
            if isElected { becomeLeader(votes: ballot.granted.count) } else { giveUpIfLost(ballot) }
        default: break
        }
    }

    /// Waits as a follower once a majority can't be had any more; the timer goes on.
    private mutating func giveUpIfLost(_ ballot: Ballot) {
        let open = configuration.electorate.subtracting(ballot.refused)
        guard !hasVotes(open) else { return }
        becomeFollower(leader: nil, .electionLost, peer: nil)
    }

    /// Whether this server has the votes it needs.
    private var isElected: Bool {
        switch role {
        case .candidate(let ballot), .preCandidate(let ballot):
            hasVotes(ballot.granted)
        case .follower, .leader: false
        }
    }

    /// The votes that make a candidate a leader: a majority (paper §5.2); without that rule, half of them do.
    private var votesNeeded: Int {
        keeps(.majorityElects) ? configuration.majority : Raft.half(of: configuration.voters)
    }

    /// Whether these votes are enough.
    private func hasVotes(_ nodes: NodeSet) -> Bool {
        decidingConfiguration.isQuorum(
            nodes, keeps(.majorityElects) ? Configuration.majority(of:) : Raft.half(of:))
    }

    /// What would do if no majority were needed: half of the voters.
    static func half(of voters: NodeSet) -> Int { max(1, voters.count / 2) }
}

extension Ballot {
    /// Takes an answer; a second answer of the same server changes nothing.
    fileprivate mutating func count(_ response: VoteResponse, from voter: NodeID) {
        guard !granted.contains(voter), !refused.contains(voter) else { return }
        if response.isGranted { granted.insert(voter) } else { refused.insert(voter) }
    }
}

// MARK: - Voting

extension Raft {
    /// Gives or refuses its vote (paper §5.2, §5.4.1, Figure 2), or says whether it would (thesis §9.6).
    mutating func answer(_ request: VoteRequest, from message: Message) {
        let refusal = refusal(of: request, from: message)
        let isGranted = refusal == nil
        if request.poll == .vote, isGranted { vote(for: message.from) }
        observeCast(request, from: message, refusal)
        let response = Message.Body.voteResponse(VoteResponse(poll: request.poll, isGranted: isGranted))
        // A granted pre-vote names the term that was asked about; every other answer names this server's own.
        let term = request.poll == .preVote && isGranted ? message.term : currentTerm
        promise(response, to: message.from, term: term)
    }

    /// Gives `candidate` the vote of this term and waits for it.
    private mutating func vote(for candidate: NodeID) {
        if votedFor != candidate {
            votedFor = candidate
            durability.isHardStateChanged = true
        }
        if case .follower = role {} else { becomeFollower(leader: nil, .votedForAnother, peer: candidate) }
        restartElectionTimer()
    }

    /// Why this server refuses its vote; `nil` where it gives it.
    private func refusal(of request: VoteRequest, from message: Message) -> VoteCast.Refusal? {
        if hasForgotten { return .notAVoter }
        if let known = configuration.incarnation(of: message.from), message.incarnation < known,
            keeps(.rememberIdentity)
        {
            return .notAMember
        }
        switch request.poll {
        case .preVote:
            if isLeaderAlive { return .leaderAlive }
            if let refusal = refusalForLease { return refusal }
            if message.term <= currentTerm, keeps(.refuseEarlierTerm) { return .earlierTerm }
        case .vote:
            if case .leader = role { return .alreadyVoted }
            if let votedFor, votedFor != message.from, keeps(.voteOncePerTerm) { return .alreadyVoted }
            if votedFor != message.from, !request.isHandedOver, let refusal = refusalForLease { return refusal }
        }
        if request.last < log.last, keeps(.electionRestriction) { return .newerLog }
        return nil
    }

    /// Whether a leader was heard within the shortest election timeout, or this server is one (thesis §4.2.3).
    var isLeaderAlive: Bool {
        if case .leader = role { return true }
        guard leader != nil, let heard = timers.leaderHeard else { return false }
        return now < heard + settings.timing.electionTimeout.lowerBound
    }

    /// Whether this server votes: it is a voter, in the life of its disk that the configuration names.
    public var isVoter: Bool { isVoter(in: configuration) }

    private func isVoter(in configuration: Configuration) -> Bool {
        configuration.electorate.contains(id) && isCounted(id, incarnation, in: configuration)
    }

    /// Whether this server starts elections: as a voter, and as one that its latest configuration leaves out, while that is
    /// not known to be committed. Until then nobody else may have the entries that are needed; its own vote doesn't count
    /// (thesis §4.2.2).
    private var mayCampaign: Bool {
        isVoter || configurations.inUse(since: commitIndex).contains(where: isVoter)
    }

    /// Whether this server has another life of its disk than the one that was made a member: what it promised in that, it
    /// doesn't know. Whoever is no voter as far as he knows may be one all the same, by a log that is longer than his.
    private var hasForgotten: Bool {
        keeps(.rememberIdentity) && configuration.electorate.contains(id) && !isCounted(id, incarnation)
    }

    /// Whether no other vote is needed.
    var isOnlyVoter: Bool { isVoter && configuration.electorate.count == 1 }

    /// Whether what `node` says in this life of its disk counts (thesis §3.8: a server that lost its disk is a new
    /// one).
    func isCounted(_ node: NodeID, _ incarnation: Incarnation) -> Bool {
        isCounted(node, incarnation, in: configuration)
    }

    private func isCounted(_ node: NodeID, _ incarnation: Incarnation, in configuration: Configuration) -> Bool {
        !keeps(.rememberIdentity) || configuration.incarnation(of: node) == incarnation
    }

    /// Draws a new election timeout, so that servers seldom run out together (paper §5.2), and starts it.
    mutating func restartElectionTimer() {
        timers.timeout = timers.generator.interval(in: settings.timing.electionTimeout)
        timers.election = now + timers.timeout
        observe(.timerSet(TimerSet(deadline: timers.election, timeout: timers.timeout)))
    }

    /// Lets the election timer run out at `moment`, so that servers can be made to campaign together. The next thing that
    /// restarts it draws anew.
    mutating func setElectionTimer(_ moment: Instant) {
        if case .leader = role { return }
        timers.election = max(now, moment)
        observe(.timerSet(TimerSet(deadline: timers.election, timeout: timers.timeout)))
    }
}

// MARK: - Observations

extension Raft {
    /// Notes that a candidate was refused before its request was looked at.
    mutating func observeRefusal(of request: VoteRequest, from message: Message, _ refusal: VoteCast.Refusal) {
        observeCast(request, from: message, refusal)
    }

    private mutating func observeCast(_ request: VoteRequest, from message: Message, _ refusal: VoteCast.Refusal?) {
        observe(
            .voteCast(
                VoteCast(
                    candidate: message.from, forTerm: message.term, isPreVote: request.poll == .preVote,
                    isGranted: refusal == nil, reason: refusal, votedFor: votedFor, leader: leader, own: log.last,
                    last: request.last)))
    }

    private mutating func observeCount(of response: VoteResponse, by voter: NodeID, _ ballot: Ballot) {
        observe(
            .voteCounted(
                VoteCounted(
                    voter: voter, isPreVote: response.poll == .preVote, isGranted: response.isGranted,
                    votes: ballot.granted.count, needed: votesNeeded)))
    }
}

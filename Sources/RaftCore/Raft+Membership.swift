// Changes of the members (paper §6, thesis §4).
//
// New members learn first: they get the log, and count for nothing (thesis §4.2.1). When they have caught up, one voter
// more or less is a step of its own, for any two majorities before and after it overlap (§4.1); a larger step leads
// through a configuration in which both majorities are needed (paper §6), and out of it without being asked. What is
// under way stands in the log, so that a new leader goes on with it.

extension Raft {
    /// The members of the cluster, as the log has them: its latest configuration, committed or not (thesis §4.1).
    public var configuration: Configuration { configurations.latest }

    /// The members as of the entry at `index`.
    public func configuration(at index: LogIndex) -> Configuration { configurations.configuration(at: index) }

    /// What decides by majorities. Without the rule, the new voters do alone, even while two sets should.
    var decidingConfiguration: Configuration {
        let configuration = configuration
        guard configuration.isJoint, !keeps(.jointNeedsBothMajorities) else { return configuration }
        return Configuration(configuration.members, voters: configuration.voters)
    }

    /// Whether `nodes` holds the majority that is needed, or both of them.
    func isMajority(_ nodes: NodeSet) -> Bool { decidingConfiguration.isMajority(nodes) }

    // MARK: - Changes

    /// Makes `added` members, and `removed` none, where this server leads and no change is open.
    mutating func changeMembers(adding added: NodeSet, removing removed: NodeSet) {
        if let refusal = refusalOfChange(adding: added, removing: removed) {
            return observe(.changeRefused(ChangeRefused(added: added, removed: removed, reason: refusal)))
        }
        let present = configuration
        let target = present.target(adding: added, removing: removed)
        // Those who have only begun to learn can go at once.
        var members = present.members.filter { present.electorate.union(target).contains($0.id) }
        let new = added.subtracting(NodeSet(members.lazy.map(\.id)))
        members += new.map { Configuration.Member(id: $0, incarnation: .unknown) }
        let next = Configuration(members, voters: present.voters, target: target)
        append(next.isSettled || !next.learners.isEmpty ? next : step(from: next))
    }

    /// Why this server doesn't make these changes now; `nil` where it would.
    public func refusalOfChange(adding added: NodeSet, removing removed: NodeSet) -> ChangeRefused.Reason? {
        guard case .leader(let leadership) = role else { return .notLeader }
        if leadership.transfer != nil { return .transferOpen }
        if !hasCommittedOwnTerm, keeps(.configurationAfterOwnCommit) { return .termNotCommitted }
        let target = configuration.target(adding: added, removing: removed)
        if target.isEmpty { return .lastVoter }
        let left = target.subtracting(forgetful(leadership))
        if left.count < Configuration.majority(of: target) { return .noMajority }
        let givesUp = configuration.givesUp(adding: added, removing: removed)
        let isOpen = configurations.latestIndex > commitIndex || !configuration.isSettled && !givesUp
        if isOpen, keeps(.oneChangeAtATime) { return .changeOpen }
        return target == configuration.target ? .nothingToChange : nil
    }

    /// The voters that have lost their disks, as far as their leader knows: they count for nothing (thesis §4.1).
    private func forgetful(_ leadership: Leadership) -> NodeSet {
        let lost = leadership.peers.filter {
            configuration.voters.contains($0.peer) && !isCounted($0.peer, $0.incarnation)
        }
        return NodeSet(lost.map(\.peer))
    }

    /// What comes next on the way from these voters to those that are to be: they, or both of them together.
    private func step(from configuration: Configuration) -> Configuration {
        let (old, new) = (configuration.voters, configuration.target)
        let members = configuration.members.map { member in
            // The life in which a learner has caught up is the one that counts.
            guard !old.contains(member.id) else { return member }
            let heard = member.id == id ? incarnation : progress(of: member.id)?.incarnation
            return Configuration.Member(id: member.id, incarnation: heard ?? member.incarnation)
        }
        let isOneVoter = old.subtracting(new).union(new.subtracting(old)).count == 1
        guard isOneVoter else { return Configuration(members, voters: new, outgoing: old) }
        return Configuration(members.filter { new.contains($0.id) }, voters: new)
    }

    /// Goes on with a change that is under way, once what came before is committed; a leader that is no member any more
    /// steps down (thesis §4.2.2).
    mutating func advanceMembership() {
        guard case .leader(let leadership) = role, configurations.latestIndex <= commitIndex, hasCommittedOwnTerm,
            leadership.transfer == nil
        else { return }
        let present = configuration
        if present.isJoint {
            append(Configuration(present.members.filter { present.voters.contains($0.id) }, voters: present.voters))
        } else if !present.isSettled {
            let learning = present.target.subtracting(present.voters)
            if learning.allSatisfy(hasCaughtUp) { append(step(from: present)) }
        } else if !present.voters.contains(id) {
            becomeFollower(leader: nil, .removed, peer: nil)
        }
    }

    /// Whether a learner has everything up to the entry that made it one, and hardly lags behind since.
    private func hasCaughtUp(_ learner: NodeID) -> Bool {
        // A leader that was to go and is to stay has everything.
        if learner == id { return true }
        guard let progress = progress(of: learner), !progress.isProbing, progress.installing == nil else {
            return false
        }
        let lag = progress.match.distance(to: log.lastIndex)
        // Where a snapshot stands for that entry, it is not known where it was.
        let latest = max(configurations.latestIndex, snapshot?.last.index ?? .zero)
        return progress.match >= latest && lag <= settings.limits.learnerLagMax
    }

    private func progress(of peer: NodeID) -> Progress? {
        guard case .leader(let leadership) = role else { return nil }
        return leadership.index(of: peer).map { leadership.peers[$0] }
    }

    private mutating func append(_ configuration: Configuration) {
        append([Entry(term: currentTerm, payload: .configuration(configuration))])
        // What has been answered may be a majority now, and nobody will answer it again.
        answerConfirmedReads(heardFrom: nil)
    }

    // MARK: - The log's configurations

    /// Entries were added from `first` on: the latest configuration among them is in use from now on.
    mutating func noteConfigurations(in entries: some Collection<Entry>, from first: LogIndex) {
        var index = first
        for entry in entries {
            if case .configuration(let configuration) = entry.payload {
                configurations.append(configuration, at: index)
                observeConfiguration()
            }
            index = index.next
        }
        followMembers()
    }

    /// Entries were removed from `first` on: the configuration before them is in use again.
    mutating func forgetConfigurations(from first: LogIndex) {
        guard configurations.latestIndex >= first else { return }
        configurations.truncate(from: first)
        observeConfiguration()
    }

    func observedConfiguration() -> Configured { Configured(index: configurations.latestIndex, members: configuration) }

    private mutating func observeConfiguration() { observe(.configured(observedConfiguration())) }

    /// A leader looks after every member but itself, and after nobody else.
    mutating func followMembers() {
        guard case .leader(let leadership) = role else { return }
        let others = configuration.members.filter { $0.id != id }
        guard leadership.peers.map(\.peer) != others.map(\.id) else { return }
        let next = log.lastIndex.next
        leadershipIfLeading?.peers = others.map { member in
            if let known = leadership.index(of: member.id) { return leadership.peers[known] }
            return Progress(peer: member.id, incarnation: member.incarnation, next: next)
        }
    }
}

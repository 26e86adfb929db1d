/// One server's part of Raft, as a value: it is told what happens, and says what to write, send and answer.
///
/// It does no I/O, reads no clock and has no source of randomness but the seed it is given, so that the same inputs at
/// the same times give the same outputs, in a live cluster and in a simulation.
///
/// **Terminology** is the paper's: *In Search of an Understandable Consensus Algorithm (Extended Version)*, Ongaro and
/// Ousterhout, 2014 ("paper"), and *Consensus: Bridging Theory and Practice*, Ongaro, 2014 ("thesis"). Time is divided
/// into terms; a term begins with an election and has at most one leader; the leader appends clients' entries to its
/// log, replicates it, and commits an entry once a majority stores it.
///
/// **How a host uses it.** It calls ``handle(_:at:into:)`` with each ``Input`` and does what the ``Output`` says. It
/// hands in ``Input/deadline`` when ``deadline`` is reached, applies entries up to ``commitIndex``, and reports each
/// ``Write`` as ``Input/durable(_:)`` once it is on disk. Messages are sent as they come: one that promises something
/// is held back inside until the promise is on disk.
///
/// **Extensions beyond the paper**: PreVote (thesis §9.6), leadership transfer (§3.10), CheckQuorum and leader stickiness (§4.2.3, §6.2),
/// ReadIndex (§6.4), leases (§6.4.1), log compaction (paper §7), changes of several members at once (paper §6), pipelining and
/// parallel disk writes by the leader (§10.2), conflict hints (paper §5.3).
///
/// **Where it deviates.** Answers are messages of their own, not tied to a request. A follower may answer an
/// ``Append`` twice: at once, for what is on its disk already, and again when the rest is.
public struct Raft: Sendable {
    /// This server.
    public let id: NodeID
    /// The life of this server's disk.
    public let incarnation: Incarnation
    /// What the cluster's owner chose.
    public internal(set) var settings: Settings
    /// The members of the cluster, as the log has them.
    var configurations: ConfigurationHistory

    /// The latest term this server has seen (paper Figure 2, persistent).
    public internal(set) var currentTerm: Term
    /// The candidate that has this server's vote of ``currentTerm`` (paper Figure 2, persistent).
    public internal(set) var votedFor: NodeID?
    /// The log (paper Figure 2, persistent).
    public internal(set) var log: Log
    /// The highest index known to be committed (paper Figure 2, volatile).
    public internal(set) var commitIndex = LogIndex.zero
    /// What the latest snapshot on this server's disk stands for; `nil` where there is none.
    public internal(set) var snapshot: SnapshotMark?
    /// The role, with what belongs to it.
    public internal(set) var role = Role.follower(Following())
    /// What is on its way to the disk.
    var durability: Durability
    /// When to act unasked.
    var timers: Timers
    /// The reads that the leader is to confirm, where this server follows one.
    var forwarded: ForwardedReads
    /// What the present step has put at the end of the log.
    var tail = Tail()
    /// Entries that the log has forgotten, and whose memory is not given back yet.
    var discarded: [Entry] = []
    /// The broken invariant that halted this server. A halted server does nothing.
    public internal(set) var violation: Violation?

    /// The step that is going on: its time, and what it has said so far.
    var now: Instant
    var output = Output()

    /// A server as it starts, from its disk alone: a follower that has committed nothing (paper §5.2).
    ///
    /// - Parameters:
    ///   - configuration: The members that the cluster started with.
    ///   - hardState: The term and vote that the disk holds.
    ///   - log: The log that the disk holds.
    ///   - snapshot: What the snapshot on the disk stands for: everything up to there is committed.
    ///   - seed: Where its random timeouts come from.
    public init(
        id: NodeID, incarnation: Incarnation = .first, configuration: Configuration, settings: Settings = Settings(),
        hardState: HardState = HardState(), log: Log = Log(), snapshot: SnapshotMark? = nil, seed: UInt64, now: Instant
    ) {
        self.id = id
        self.incarnation = incarnation
        configurations = ConfigurationHistory(
            base: snapshot?.configuration ?? configuration, log: log, after: snapshot?.last.index ?? .zero)
        self.settings = settings
        self.currentTerm = hardState.term
        self.votedFor = hardState.vote
        self.log = log
        self.snapshot = snapshot
        self.commitIndex = snapshot?.last.index ?? .zero
        self.durability = Durability(durableIndex: log.lastIndex)
        self.timers = Timers(started: now, generator: Generator(seed: seed))
        // A stream of its own: what timeouts are drawn stays the same.
        var contexts = Generator(seed: seed, stream: 1)
        self.forwarded = ForwardedReads(firstContext: contexts.below(ForwardedReads.contextsMax))
        self.now = now
        output.isObserved = false
        bindVoteAfterStart()
        restartElectionTimer()
        if isOnlyVoter { timers.election = now }
    }

    /// Takes one step: handles `input` at the moment `now` and says in `output` what to do about it.
    public mutating func handle(_ input: Input, at now: Instant, into output: inout Output) {
        swap(&self.output, &output)
        defer { swap(&self.output, &output) }
        self.now = max(self.now, now)
        guard violation == nil else { return }
        giveBackMemory()
        defer { tail = Tail() }
        switch input {
        case .message(let message): receive(message)
        case .deadline: actOnDeadlines()
        case .propose(let payloads): propose(payloads)
        case .read(let id): read(id)
        case .leaseRead(let id): leaseRead(id)
        case .durable(let number): becomeDurable(number)
        case .campaign: campaignByHand()
        case .transfer(let target): transferLeadership(to: target)
        case .changeMembers(let added, let removed): changeMembers(adding: added, removing: removed)
        case .timer(let moment): setElectionTimer(moment)
        case .snapshotTaken(let mark, let count): compact(to: mark, keeping: count)
        case .snapshotLoaded(let snapshot): takeLoaded(snapshot)
        }
        guard violation == nil else { return }
        forwardReads()
        let finished = min(commitIndex, durableIndex)
        leadershipIfLeading?.finish(upTo: finished)
        sendEntries()
        continueTransfer()
        composeWrite()
    }

    /// When this server wants to act unasked; `nil` where it waits for others.
    public var deadline: Instant? {
        guard violation == nil else { return nil }
        switch role {
        case .leader:
            let next = min(timers.heartbeat, timers.majority)
            return transferDeadline.map { min($0, next) } ?? next
        default: return timers.election
        }
    }

    /// The leader of ``currentTerm``, as far as this server knows.
    public var leader: NodeID? {
        switch role {
        case .follower(let following): following.leader
        case .leader: id
        case .candidate, .preCandidate: nil
        }
    }

    /// The highest index up to which the log is known to be on this server's disk.
    public var durableIndex: LogIndex { durability.durableIndex }

    /// When the election timer runs out, and the time that was drawn for it; `nil` for a leader.
    public var electionTimer: TimerSet? {
        if case .leader = role { return nil }
        return TimerSet(deadline: timers.election, timeout: timers.timeout)
    }

    /// Changes the settings from the next step on.
    public mutating func adopt(_ settings: Settings) {
        let isSameLease =
            settings.options.lease == self.settings.options.lease && settings.timing.lease == self.settings.timing.lease
        if !isSameLease { forgetRounds() }
        self.settings = settings
        bindVoteAfterStart()
    }

    /// Whether `rule` holds.
    func keeps(_ rule: Rule) -> Bool { settings.rules[rule] }

    /// Keeps `observation` if somebody listens.
    mutating func observe(_ observation: Observation) {
        if output.isObserved { output.observations.append(observation) }
    }

    /// Halts this server: nothing it has decided in this step leaves it.
    mutating func halt(_ violation: Violation) {
        self.violation = violation
        output.messages.removeAll(keepingCapacity: true)
        output.proposal = nil
        output.write = nil
        output.installed = nil
        observe(.halted(violation))
    }
}

// MARK: - Messages

extension Raft {
    /// Handles a message after the rules on terms, which come before everything else (paper §5.1, Figure 2: "Rules
    /// for Servers").
    private mutating func receive(_ message: Message) {
        guard isOfKnownLife(message) else { return }
        if message.term > currentTerm {
            guard mayAdoptTerm(of: message) else { return }
        } else if message.term < currentTerm, keeps(.refuseEarlierTerm) {
            return refuseEarlierTerm(message)
        }
        switch message.body {
        case .voteRequest(let request): answer(request, from: message)
        case .voteResponse(let response): count(response, from: message)
        case .append(let append):
            bindVote(for: append.lease)
            receive(append, from: message)
            resendForwardedReads()
        case .appendResponse(let response): receive(response, from: message)
        case .timeoutNow: campaignAsTold()
        case .snapshot(let chunk):
            bindVote(for: chunk.lease)
            receive(chunk, from: message)
            resendForwardedReads()
        case .snapshotResponse(let response): receive(response, from: message)
        case .readIndexRequest(let request): receive(request, from: message)
        case .readIndexResponse(let response): receive(response, from: message)
        }
    }

    /// Adopts a later term where the message asks for it (paper §5.1). Answers whether to go on with the message.
    ///
    /// A pre-vote changes no term, neither the question nor the answer that grants it (thesis §9.6). A candidate is
    /// ignored while a leader lives (§4.2.3), and while one may hold a lease (§6.4.1).
    private mutating func mayAdoptTerm(of message: Message) -> Bool {
        switch message.body {
        case .voteRequest(let request) where request.poll == .preVote: return true
        case .voteResponse(let response) where response.poll == .preVote && response.isGranted: return true
        case .voteRequest(let request):
            if let refusal = refusalForLeader(of: request) {
                observeRefusal(of: request, from: message, refusal)
                return false
            }
        default: break
        }
        adoptTerm(message.term, heardFrom: message.from)
        return true
    }

    /// Why a candidate is ignored for the sake of a leader; `nil` where it isn't.
    private func refusalForLeader(of request: VoteRequest) -> VoteCast.Refusal? {
        if !request.isTold, settings.options.checkQuorum, isLeaderAlive { return .leaderAlive }
        return request.isHandedOver ? nil : refusalForLease
    }

    /// Answers a request of an earlier term with the present one, so that its sender steps down; an answer of an
    /// earlier term is nothing (paper §5.1).
    private mutating func refuseEarlierTerm(_ message: Message) {
        switch message.body {
        case .voteRequest(let request):
            observeRefusal(of: request, from: message, .earlierTerm)
            promise(.voteResponse(VoteResponse(poll: request.poll, isGranted: false)), to: message.from)
        case .append(let append):
            refuse(append, from: message.from, isEarlierTerm: true)
        case .readIndexRequest(let request):
            promise(.readIndexResponse(ReadIndexResponse(context: request.context, index: nil)), to: message.from)
        case .snapshot(let chunk): refuseEarlierTerm(chunk, from: message.from)
        case .voteResponse, .appendResponse, .timeoutNow, .snapshotResponse,
            .readIndexResponse:
            break
        }
    }

    /// Adopts the later `term` and becomes a follower that has not voted in it (paper §5.1).
    private mutating func adoptTerm(_ term: Term, heardFrom peer: NodeID) {
        changeTerm(to: term, heardFrom: peer)
        if keeps(.stepDownOnLaterTerm) { becomeFollower(leader: nil, .laterTerm, peer: peer) }
    }

    /// Sends `body` at once.
    mutating func send(_ body: Message.Body, to peer: NodeID, term: Term? = nil) {
        output.messages.append(
            Message(from: id, incarnation: incarnation, to: peer, term: term ?? currentTerm, body: body))
    }
}

// MARK: - Deadlines

extension Raft {
    /// Does what is due by now.
    private mutating func actOnDeadlines() {
        if case .leader = role {
            if timers.majority <= now { checkMajority() }
            if let deadline = transferDeadline, deadline <= now { giveUpTransfer() }
            if case .leader = role, timers.heartbeat <= now { sendHeartbeats() }
        } else if timers.election <= now {
            electionTimeoutElapsed()
        }
    }
}

/// When a server acts unasked, and the randomness it draws its timeouts from. Kept apart from the state of the
/// protocol, for two servers that differ in nothing else are in the same state.
struct Timers: Sendable {
    /// When a server that isn't the leader starts an election.
    var election = Instant.zero
    /// The time that was drawn for it.
    var timeout = Interval.zero
    /// When the leader of this term was last heard.
    var leaderHeard: Instant?
    /// When a leader sends heartbeats next.
    var heartbeat = Instant.zero
    /// When a leader checks next that a majority hears it.
    var majority = Instant.zero
    /// When a leader gives up to hand over.
    var transfer = Instant.zero
    /// When this server started.
    var started: Instant
    /// Until when it gives its vote to nobody, as it has promised leaders for their leases. It outlives terms and roles.
    var bound = Instant.zero
    /// Until when it does so because it may have forgotten such a promise when it started.
    var startBound = Instant.zero
    /// Where timeouts are drawn from.
    var generator: Generator
}

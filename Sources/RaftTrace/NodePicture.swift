import KeyValue
import RaftCore

/// What is known of one server. Of one that is down it is what its disk holds.
public struct NodePicture: Hashable, Sendable {
    /// The server.
    public let id: NodeID
    /// Whether it runs. One that is paused or has halted runs, too, as far as others can see.
    public private(set) var isRunning = false
    /// Whether it is paused.
    public private(set) var isPaused = false
    /// Whether its election timer is held.
    public private(set) var isTimerHeld = false
    /// How its disk works.
    public private(set) var disk = DiskChanged.Condition.ok
    /// Whether its disk was taken away, and it has not started since: it has neither term nor vote nor log.
    public private(set) var isWiped = false
    /// The broken invariant that halted it, in a sentence.
    public private(set) var halted: String?
    /// Why it can't start, or why its disk failed, in a sentence.
    public private(set) var failure: String?
    /// The life of its disk.
    public private(set) var incarnation = Incarnation.first
    /// The port it listens on, on 127.0.0.1.
    public private(set) var port: Int?
    /// Its term.
    public private(set) var term = Term.zero
    /// Its role.
    public private(set) var role = RoleName.follower
    /// The candidate that has its vote of the term.
    public private(set) var vote: NodeID?
    /// The leader of the term, as far as it knows.
    public private(set) var leader: NodeID?
    /// The votes it has, where it asks for them.
    public private(set) var votes: VoteCounted?
    /// Its log.
    public private(set) var log = LogPicture()
    /// Its commit index.
    public private(set) var commit = LogIndex.zero
    /// The last entry it applied.
    public private(set) var applied = LogIndex.zero
    /// How far its log is on disk.
    public private(set) var durable = LogIndex.zero
    /// The last entry that the snapshot on its disk stands for; `nil` where it has none.
    public private(set) var snapshot: LogPosition?
    /// The members, as its log has them; `nil` where nothing was told of them.
    public private(set) var members: Configuration?
    /// The index of the entry that made them members.
    public private(set) var membersIndex = LogIndex.zero
    /// How much of a leader's snapshot has arrived.
    public private(set) var incoming: SnapshotReceived?
    /// The last entry of the snapshot that it is writing.
    public private(set) var isTakingSnapshot: LogPosition?
    /// Its election timer; `nil` for a leader.
    public private(set) var timer: TimerSet?
    /// The server that it hands leadership over to.
    public private(set) var handsOverTo: NodeID?
    /// Its lease, where it leads and has one; it may be past.
    public private(set) var lease: LeaseStep?
    /// The round that reads wait for, where it leads and asks whether it still does.
    public private(set) var readRound: ReadRoundStep?
    /// How far each follower is, where it leads.
    public private(set) var peers: [NodeID: Progressed] = [:]
    /// Its store: the keys it applied.
    public private(set) var store = StorePicture()
    /// How many keys its store has, where that is more than is known of them.
    public private(set) var storeCount = 0

    /// A server of which nothing is known.
    init(id: NodeID) { self.id = id }

    /// The server's state in one word, as the screen and conditions have it.
    public var standing: Standing {
        if !isRunning { return .down }
        if halted != nil { return .halted }
        switch role {
        case .follower: return members?.learners.contains(id) == true ? .learner : .follower
        case .precandidate: return .precandidate
        case .candidate: return .candidate
        case .leader: return .leader
        }
    }

    /// The term of the last entry that it knows to be committed; `nil` where that is unknown.
    public var commitTerm: Term? { commit == log.base.index ? log.base.term : log.term(at: commit) }

    /// Whether it is no member of its cluster, as far as it knows: not yet, or not any more.
    public var isOutside: Bool { members.map { !$0.contains(id) } ?? false }

    /// How many voters have the leader's last entry on disk, the leader among them.
    public var acknowledgements: Int {
        let voters = members?.electorate
        return peers.values.count { $0.isCounted && $0.match >= log.last && voters?.contains($0.peer) ?? true }
            + (durable >= log.last && voters?.contains(id) ?? true ? 1 : 0)
    }

    mutating func apply(_ event: NodeEvent, term: Term) {
        self.term = term
        switch event {
        case .raft(let observation): apply(observation)
        case .started(let started): start(started)
        case .stopped(let stopped): stop(stopped)
        case .paused: isPaused = true
        case .resumed: isPaused = false
        case .timerHeld: isTimerHeld = true
        case .timerFreed: isTimerHeld = false
        case .disk(let changed): disk = changed.condition
        case .failed(let failed):
            failure = failed.reason
            isRunning = false
        case .hungUp: break
        case .applied(let applied): apply(applied)
        case .snapshot(let step): apply(step)
        case .state(let state): adopt(state)
        }
    }

    private mutating func start(_ started: NodeStarted) {
        let before = self
        self = NodePicture(id: id, term: term)
        keepSurroundings(of: before)
        isRunning = true
        incarnation = started.incarnation
        port = started.port
        vote = started.vote
        log = LogPicture(runs: started.log, after: started.base ?? .zero, knowing: before.log)
        durable = log.last
        snapshot = started.snapshot
        members = started.members
        // What a snapshot stands for is committed, and the state machine has it (paper §7).
        if let snapshot { (commit, applied) = (snapshot.index, snapshot.index) }
    }

    /// What was done to the server from outside outlives it.
    private mutating func keepSurroundings(of before: NodePicture) {
        (isTimerHeld, disk) = (before.isTimerHeld, before.disk)
    }

    private init(id: NodeID, term: Term) {
        self.id = id
        self.term = term
    }

    private mutating func stop(_ stopped: NodeStopped) {
        let before = self
        self = NodePicture(id: id, term: term)
        keepSurroundings(of: before)
        (incarnation, vote, log, durable, port) = (
            before.incarnation, before.vote, before.log, before.durable, before.port
        )
        (snapshot, members) = (before.snapshot, before.members)
        switch stopped.how {
        case .kill: break
        case .power: log.truncate(from: durable.next)
        case .wipe:
            log = LogPicture()
            isWiped = true
            (self.term, vote, durable, snapshot, members) = (.zero, nil, .zero, nil, nil)
        }
    }

    private mutating func apply(_ observation: Observation) {
        switch observation {
        case .termChanged: (vote, leader, votes) = (nil, nil, nil)
        case .roleChanged(let change): changeRole(change)
        case .voteCast(let cast): if cast.isGranted, !cast.isPreVote { vote = cast.candidate }
        case .voteCounted(let counted): votes = counted
        case .timerSet(let timer): self.timer = timer
        case .appended(let appended): log.append(appended.entries, from: appended.first)
        case .truncated(let truncated):
            log.truncate(from: truncated.first)
            durable = min(durable, log.last)
        case .progressed(let progressed): peers[progressed.peer] = progressed
        case .committed(let committed): commit = committed.to
        case .persisted(let persisted): durable = persisted.index
        case .halted(let violation): halted = violation.description
        case .transfer(let step): handsOverTo = step.stage == .givenUp ? nil : step.target
        case .configured(let configured):
            (members, membersIndex) = (configured.members, configured.index)
            peers = peers.filter { configured.members.contains($0.key) }
        case .compacted(let compacted):
            snapshot = compacted.snapshot
            log.forget(upTo: compacted.base)
        case .snapshotReceived(let received): incoming = received
        case .snapshotInstalled(let installed): install(installed)
        case .lease(let step): lease = step.until == nil ? nil : step
        case .readRound(let step): readRound = step.isConfirmed ? nil : step
        case .appendRefused, .heldBack, .changeRefused: break
        }
    }

    private mutating func install(_ installed: SnapshotInstalled) {
        log = LogPicture(runs: [], after: installed.last, knowing: LogPicture())
        (commit, applied, durable, snapshot) = (installed.last.index, installed.last.index, .zero, installed.last)
        incoming = nil
        // What the store holds now is told by the next whole state.
        (store, storeCount) = (StorePicture(), 0)
    }

    private mutating func apply(_ step: SnapshotStep) {
        isTakingSnapshot = step.stage == .began ? step.last : nil
    }

    private mutating func changeRole(_ change: RoleChange) {
        role = change.role
        votes = nil
        handsOverTo = nil
        (lease, readRound) = (nil, nil)
        peers = [:]
        switch change.role {
        case .follower: leader = change.reason == .leaderHeard ? change.peer : nil
        case .precandidate: leader = nil
        case .candidate: (leader, vote) = (nil, id)
        case .leader:
            leader = id
            timer = nil
        }
    }

    private mutating func apply(_ applied: Applied) {
        self.applied = applied.index
        guard let key = applied.key else { return }
        let (had, isWholeStore) = (store[key] != nil, storeCount == store.count)
        store[key] = applied.value
        if had, applied.value == nil { storeCount -= 1 }
        // Where only a part of the store is known, the key may be in the rest of it.
        if !had, applied.value != nil, isWholeStore { storeCount += 1 }
        storeCount = max(store.count, storeCount)
    }

    private mutating func adopt(_ state: NodeState) {
        isRunning = true
        (incarnation, role, vote, leader) = (state.incarnation, state.role, state.vote, state.leader)
        (commit, applied, durable, timer) = (state.commit, state.applied, state.durable, state.timer)
        log = LogPicture(runs: state.log, after: state.base ?? .zero, knowing: log)
        snapshot = state.snapshot
        members = state.members ?? members
        peers = Dictionary(state.peers.map { ($0.peer, $0) }) { _, last in last }
        store = StorePicture(state.store)
        storeCount = state.storeCount
        // Whether it was confirmed may be among what was left out.
        readRound = nil
        if role != .leader { lease = nil }
    }
}

/// What a server is, in one word.
public enum Standing: String, Hashable, Sendable, CaseIterable {
    /// It follows.
    case follower
    /// It asks whether it could win an election.
    case precandidate
    /// It asks for votes.
    case candidate
    /// It leads.
    case leader
    /// It follows, and doesn't vote yet.
    case learner
    /// It doesn't run.
    case down
    /// A broken invariant stopped it.
    case halted
}

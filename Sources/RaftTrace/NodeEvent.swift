import KeyValue
import RaftCore

/// What happened on one server.
public enum NodeEvent: Hashable, Sendable {
    /// Its part of Raft says so.
    case raft(Observation)
    /// It started from its disk.
    indirect case started(NodeStarted)
    /// It stopped.
    case stopped(NodeStopped)
    /// It froze, with its memory and its connections.
    case paused
    /// It goes on after a pause.
    case resumed
    /// Its election timer doesn't run out any more.
    case timerHeld
    /// Its election timer runs out again.
    case timerFreed
    /// Its disk works differently from now on.
    case disk(DiskChanged)
    /// It can't start, or its disk failed.
    case failed(NodeFailed)
    /// It closed a connection that was of no use.
    case hungUp(HungUp)
    /// It applied an entry to its state machine.
    case applied(Applied)
    /// It takes a snapshot of its state machine, or has one (paper §7).
    case snapshot(SnapshotStep)
    /// The whole of its state, so that a reader can begin here.
    indirect case state(NodeState)

    /// Whether it says that the server can't go on.
    public var isFailure: Bool { if case .failed = self { true } else { false } }
}

extension NodeEvent {
    /// Whether nobody has seen, or sees from here on, what the server does.
    var isOutOfSight: Bool {
        switch self {
        case .started(let started): started.isSeenAgain == true
        case .stopped(let stopped): stopped.unreachable != nil
        default: false
        }
    }
}

/// A server started from its disk.
public struct NodeStarted: Hashable, Sendable, Codable {
    /// The life of its disk.
    public var incarnation: Incarnation
    /// The candidate that has its vote of the term.
    public var vote: NodeID?
    /// The log that the disk held, as terms and how many entries of each follow one another.
    public var log: [TermRun]
    /// The position after which that log begins; `nil` where that is its very beginning.
    public var base: LogPosition?
    /// The last entry that the snapshot on the disk stands for; `nil` where there is none.
    public var snapshot: LogPosition?
    /// The members that the log names; `nil` where they are those that the cluster began with.
    public var members: Configuration?
    /// What a crash had left half-written and was cut off, in words.
    public var repairs: [String]
    /// The port it listens on, on 127.0.0.1; `nil` in a simulation.
    public var port: Int?
    /// Whether it is only known to run again, for it can be reached, and may have run all the time; `nil` if not.
    public var isSeenAgain: Bool?

    /// A start.
    public init(
        incarnation: Incarnation, vote: NodeID?, log: [TermRun], base: LogPosition? = nil,
        snapshot: LogPosition? = nil, members: Configuration? = nil, repairs: [String] = [], port: Int? = nil
    ) {
        self.members = members
        self.base = base
        self.snapshot = snapshot
        self.incarnation = incarnation
        self.vote = vote
        self.log = log
        self.repairs = repairs
        self.port = port
    }
}

/// A run of entries of one term.
public struct TermRun: Hashable, Sendable, Codable {
    /// The term.
    public var term: Term
    /// How many entries of it follow one another.
    public var count: Int

    /// `count` entries of `term`.
    public init(term: Term, count: Int) {
        self.term = term
        self.count = count
    }

    /// The runs of `terms`.
    public static func runs(of terms: some Sequence<Term>) -> [TermRun] {
        var runs: [TermRun] = []
        for term in terms {
            if runs.last?.term == term {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(TermRun(term: term, count: 1))
            }
        }
        return runs
    }
}

/// A server stopped.
public struct NodeStopped: Hashable, Sendable, Codable {
    /// How.
    public var how: CrashKind
    /// Why it is only taken to have stopped: nobody who watches can reach it. `nil` where it told so itself.
    public var unreachable: String?

    /// A stop.
    public init(how: CrashKind, unreachable: String? = nil) {
        self.how = how
        self.unreachable = unreachable
    }
}

/// How a server is made to stop.
public enum CrashKind: String, Hashable, Sendable, Codable {
    /// Its process ends: memory is lost, what was written is kept.
    case kill
    /// The power is cut: what was not synced is lost too.
    case power
    /// Its disk is taken away as well.
    case wipe
}

/// A server's disk works differently from now on.
public struct DiskChanged: Hashable, Sendable, Codable {
    /// How.
    public var condition: Condition

    /// How a disk works.
    public enum Condition: String, Hashable, Sendable, Codable, CaseIterable {
        /// As it should.
        case ok
        /// Nothing that is written gets done, until it is well again.
        case stall
        /// Nothing more fits.
        case full
        /// Every write fails.
        case fail
    }

    /// A disk that works so.
    public init(condition: Condition) { self.condition = condition }
}

/// A server can't start, or its disk failed.
public struct NodeFailed: Hashable, Sendable, Codable {
    /// What went wrong and what to do, in one sentence.
    public var reason: String

    /// A failure.
    public init(reason: String) { self.reason = reason }
}

/// A server closed a connection that was of no use.
public struct HungUp: Hashable, Sendable, Codable {
    /// Who was at the other end, and what came from there.
    public var reason: String

    /// A connection that was closed.
    public init(reason: String) { self.reason = reason }
}

/// A server takes a snapshot of its state machine, or has one (paper §7).
public struct SnapshotStep: Hashable, Sendable, Codable {
    /// How far it is.
    public var stage: Stage
    /// The last entry that the snapshot stands for.
    public var last: LogPosition
    /// How many bytes it has, once that is known.
    public var size: Int?
    /// What tells it from other snapshots of the same entries, where there should be none.
    public var digest: UInt64?

    /// How far a snapshot is.
    public enum Stage: String, Hashable, Sendable, Codable {
        /// The state is kept as it is now, and written while the server goes on.
        case began
        /// It is on disk.
        case taken
        /// A leader's snapshot had come meanwhile, and this one is of no use.
        case overtaken
        /// It is larger than a snapshot may be, and not on disk.
        case tooLarge = "too-large"
        /// The state machine goes on from a leader's snapshot.
        case restored
    }

    /// A step of a snapshot.
    public init(stage: Stage, last: LogPosition, size: Int? = nil, digest: UInt64? = nil) {
        self.stage = stage
        self.last = last
        self.size = size
        self.digest = digest
    }
}

/// A server applied an entry to its state machine.
public struct Applied: Hashable, Sendable {
    /// The entry's index.
    public var index: LogIndex
    /// The key that it was about; `nil` for an empty entry.
    public var key: Bytes?
    /// The key's value now; `nil` where it isn't there.
    public var value: Bytes?
    /// The client whose command it is; `nil` for nobody's.
    public var client: String?
    /// The client's number for it.
    public var sequence: UInt64?
    /// Whether the same write was applied before, so that nothing was changed.
    public var isDuplicate: Bool

    /// An application.
    public init(
        index: LogIndex, key: Bytes? = nil, value: Bytes? = nil, client: String? = nil, sequence: UInt64? = nil,
        isDuplicate: Bool = false
    ) {
        self.index = index
        self.key = key
        self.value = value
        self.client = client
        self.sequence = sequence
        self.isDuplicate = isDuplicate
    }
}

/// The whole state of a server.
public struct NodeState: Hashable, Sendable {
    /// The life of its disk.
    public var incarnation: Incarnation
    /// Its role.
    public var role: RoleName
    /// The candidate that has its vote of the term.
    public var vote: NodeID?
    /// The leader of the term, as far as it knows.
    public var leader: NodeID?
    /// The commit index.
    public var commit: LogIndex
    /// The last entry that was applied.
    public var applied: LogIndex
    /// How far its log is on disk.
    public var durable: LogIndex
    /// Its log, as terms and how many entries of each follow one another.
    public var log: [TermRun]
    /// The position after which that log begins; `nil` where that is its very beginning.
    public var base: LogPosition?
    /// The last entry that the snapshot on the disk stands for; `nil` where there is none.
    public var snapshot: LogPosition?
    /// The members, as its log has them.
    public var members: Configuration?
    /// When its election timer runs out; `nil` for a leader.
    public var timer: TimerSet?
    /// How far each follower is; empty but for a leader.
    public var peers: [Progressed]
    /// The store; its first ``storeMax`` keys, where it has more.
    public var store: [Pair]
    /// How many keys the store has.
    public var storeCount: Int

    /// A key and its value.
    public struct Pair: Hashable, Sendable {
        /// The key.
        public var key: Bytes
        /// The value.
        public var value: Bytes

        /// A key and its value.
        public init(key: Bytes, value: Bytes) {
            self.key = key
            self.value = value
        }
    }

    /// How many keys of a store are told.
    public static let storeMax = 64

    /// The state of a server.
    public init(
        incarnation: Incarnation, role: RoleName, vote: NodeID?, leader: NodeID?, commit: LogIndex, applied: LogIndex,
        durable: LogIndex, log: [TermRun], base: LogPosition? = nil, snapshot: LogPosition? = nil,
        members: Configuration? = nil, timer: TimerSet?, peers: [Progressed], store: [Pair], storeCount: Int
    ) {
        self.base = base
        self.snapshot = snapshot
        self.members = members
        self.incarnation = incarnation
        self.role = role
        self.vote = vote
        self.leader = leader
        self.commit = commit
        self.applied = applied
        self.durable = durable
        self.log = log
        self.timer = timer
        self.peers = peers
        self.store = store
        self.storeCount = storeCount
    }
}

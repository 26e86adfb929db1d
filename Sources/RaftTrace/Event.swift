import RaftCore

/// Something that happened, with the numbers that decided it. The screen, the audit, the trace file and the
/// explanations are all made from events, and from nothing else.
public struct Event: Hashable, Sendable {
    /// When, in cluster time.
    public var at: Instant
    /// Its place in the one row of all events: what caused another comes before it.
    public var sequence: UInt64
    /// What.
    public var kind: Kind

    /// An event.
    public init(at: Instant, sequence: UInt64, kind: Kind) {
        self.at = at
        self.sequence = sequence
        self.kind = kind
    }

    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// A cluster begins; the first event of every trace.
        indirect case began(ClusterBegan)
        /// Something happened on a server, in the term that it has now.
        case node(NodeID, Term, NodeEvent)
        /// A message was given to its link.
        indirect case sent(MessageSent)
        /// A message was handed to the server that it is for.
        case delivered(MessageDelivered)
        /// A message will never arrive.
        case lost(MessageLost)
        /// A link between two servers changed.
        case link(LinkState)
        /// The cluster's clock changed its rate.
        case clock(ClockRate)
        /// The clock, which stands still, has gone on to the next thing that was due.
        case stepped(ClockStepped)
        /// The servers follow other settings from now on.
        case settings(SettingsChanged)
        /// Clients write steadily from now on, or do no more.
        case load(Load?)
        /// A client asks.
        case called(ClientCall)
        /// A client is answered.
        case returned(ClientReturn)
        /// A command was carried out.
        case command(CommandDone)
        /// Whoever audits has found a property broken by the events up to the one of this number.
        case violation(PropertyBroken)
        /// Events were left out, for there were too many to tell.
        case dropped(EventsDropped)
    }

    /// Whether it may be left out under load. Clients, votes, terms, roles, commits and commands never are.
    public var isDroppable: Bool {
        switch kind {
        case .sent, .delivered, .lost: true
        case .node(_, _, let event): event.isDroppable
        case .began, .link, .clock, .stepped, .settings, .load, .called, .returned, .command, .violation, .dropped:
            false
        }
    }
}

extension NodeEvent {
    /// Whether it may be left out under load.
    public var isDroppable: Bool {
        switch self {
        case .raft(.timerSet), .raft(.appended), .raft(.progressed), .raft(.persisted), .raft(.readRound),
            .raft(.lease), .raft(.appendRefused), .raft(.snapshotReceived), .applied, .hungUp:
            true
        case .raft, .started, .stopped, .paused, .resumed, .timerHeld, .timerFreed, .disk, .failed, .snapshot, .state:
            false
        }
    }
}

/// A cluster begins.
public struct ClusterBegan: Hashable, Sendable {
    /// The version of the trace's format.
    public var version: Int
    /// The number of servers.
    public var nodes: Int
    /// The seed of all random numbers.
    public var seed: UInt64
    /// What the servers follow at first.
    public var settings: SettingsChanged
    /// The servers of a cluster that ran before anybody watched it; `nil` for one that begins here, so that everything
    /// is told of it.
    public var running: [NodeID]?

    /// The servers there are at first.
    public var members: [NodeID] { running ?? (nodes > 0 ? (1...nodes).map { NodeID($0) } : []) }

    /// The version that this program writes.
    public static let version = 1

    /// A cluster of `nodes` servers with these settings.
    public init(nodes: Int, seed: UInt64, settings: Settings) {
        version = ClusterBegan.version
        self.nodes = nodes
        self.seed = seed
        self.settings = SettingsChanged(settings)
    }

    /// A cluster of these servers that has been running, and follows these settings.
    public init(running: [NodeID], settings: SettingsChanged) {
        version = ClusterBegan.version
        nodes = running.count
        seed = 0
        self.settings = settings
        self.running = running
    }
}

extension ClusterBegan: Codable {
    private enum Key: String, CodingKey {
        case version
        case nodes
        case seed
        case running
    }

    /// Writes one flat object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(version, forKey: .version)
        try container.encode(nodes, forKey: .nodes)
        try container.encode(seed, forKey: .seed)
        try container.encodeIfPresent(running, forKey: .running)
        try settings.encode(to: encoder)
    }

    /// Reads one flat object.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        version = try container.decode(Int.self, forKey: .version)
        nodes = try container.decode(Int.self, forKey: .nodes)
        seed = try container.decode(UInt64.self, forKey: .seed)
        running = try container.decodeIfPresent([NodeID].self, forKey: .running)
        settings = try SettingsChanged(from: decoder)
    }
}

/// What the servers follow, in the words of the language.
public struct SettingsChanged: Hashable, Sendable, Codable {
    /// The range of election timeouts, in nanoseconds.
    public var electionTimeout: [Interval]
    /// The time between heartbeats.
    public var heartbeat: Interval
    /// The options that are on.
    public var options: [String]
    /// The rules that are switched off.
    public var rulesOff: [String]
    /// After how many entries a snapshot is taken; `nil` where none is unless it is ordered.
    public var snapshotEvery: Int?
    /// How many entries that such a snapshot stands for stay in the log.
    public var snapshotTrailing: Int?

    /// The name of the option that lets leaders answer lease reads.
    private static let lease = "lease"

    /// Whether leaders answer lease reads.
    public var hasLeases: Bool { options.contains(SettingsChanged.lease) }

    /// These settings.
    public init(_ settings: Settings) {
        let timeout = settings.timing.electionTimeout
        electionTimeout = [timeout.lowerBound, timeout.upperBound]
        heartbeat = settings.timing.heartbeat
        let options = settings.options
        self.options = [
            options.preVote ? "prevote" : nil, options.checkQuorum ? "checkquorum" : nil, options.noop ? "noop" : nil,
            options.lease ? SettingsChanged.lease : nil,
        ].compactMap { $0 }
        rulesOff = settings.rules.broken.map(\.name)
        snapshotEvery = settings.compaction.every
        snapshotTrailing = settings.compaction.trailing
    }
}

/// A message was given to its link.
public struct MessageSent: Hashable, Sendable {
    /// The number by which the screen knows it, shown as `#17`.
    public var number: UInt64
    /// The message.
    public var message: Message
    /// When it is to arrive; `nil` where nothing delays it.
    public var due: Instant?
    /// The message that somebody has doubled by hand, where this is the copy: its sender said nothing again.
    public var copyOf: UInt64?

    /// A message on its way.
    public init(number: UInt64, message: Message, due: Instant?, copyOf: UInt64? = nil) {
        self.number = number
        self.message = message
        self.due = due
        self.copyOf = copyOf
    }
}

/// A message was handed to the server that it is for.
public struct MessageDelivered: Hashable, Sendable, Codable {
    /// Its number.
    public var number: UInt64
    /// Who sent it.
    public var from: NodeID
    /// Who got it.
    public var to: NodeID

    /// A delivery.
    public init(number: UInt64, from: NodeID, to: NodeID) {
        self.number = number
        self.from = from
        self.to = to
    }
}

/// A message will never arrive.
public struct MessageLost: Hashable, Sendable, Codable {
    /// Its number.
    public var number: UInt64
    /// Who sent it.
    public var from: NodeID
    /// Who will not get it.
    public var to: NodeID
    /// Why.
    public var reason: Reason

    /// Why a message is lost.
    public enum Reason: String, Hashable, Sendable, Codable {
        /// The link is cut.
        case cut
        /// The link loses some, and this one by chance.
        case chance
        /// The other end can't be reached: its server is down.
        case unreachable
        /// The other end takes nothing more for now.
        case full
        /// Somebody dropped it by hand.
        case dropped
    }

    /// A loss.
    public init(number: UInt64, from: NodeID, to: NodeID, reason: Reason) {
        self.number = number
        self.from = from
        self.to = to
        self.reason = reason
    }
}

/// A link, one way, as it is now.
public struct LinkState: Hashable, Sendable, Codable {
    /// Who sends.
    public var from: NodeID
    /// Who receives.
    public var to: NodeID
    /// Whether nothing gets through.
    public var isCut: Bool
    /// The least time that a message takes.
    public var latencyMin: Interval
    /// The most time that a message takes.
    public var latencyMax: Interval
    /// The chance that a message is lost, from 0 to 1.
    public var loss: Double
    /// Whether messages wait until somebody says otherwise.
    public var isHeld: Bool

    /// A link from `from` to `to` that loses and delays nothing.
    public init(from: NodeID, to: NodeID) {
        self.from = from
        self.to = to
        isCut = false
        latencyMin = .zero
        latencyMax = .zero
        loss = 0
        isHeld = false
    }
}

/// The rate of the cluster's clock: 1 is real time, 0 is frozen.
public struct ClockRate: Hashable, Sendable, Codable {
    /// Seconds of cluster time in a second of real time.
    public var rate: Double

    /// A rate.
    public init(rate: Double) { self.rate = rate }
}

/// The clock, which stands still, has gone on to the next thing that was due, and that happens: a message arrives, or a
/// server acts unasked. Or nothing was due.
public struct ClockStepped: Hashable, Sendable, Codable {
    /// The server that sent, or that acts; `nil` where nothing was due.
    public var from: NodeID?
    /// The server at which a message arrives.
    public var to: NodeID?
    /// The message's number.
    public var message: UInt64?

    /// A step to what `from` does: to its message, where there is one.
    public init(from: NodeID? = nil, to: NodeID? = nil, message: UInt64? = nil) {
        self.from = from
        self.to = to
        self.message = message
    }
}

/// A command was carried out.
public struct CommandDone: Hashable, Sendable, Codable {
    /// Its line.
    public var text: String
    /// The line of the command that it took back; `nil` where it took none back.
    public var takesBack: String?

    /// A command.
    public init(text: String, takesBack: String? = nil) {
        self.text = text
        self.takesBack = takesBack
    }
}

/// A property was found broken.
public struct PropertyBroken: Hashable, Sendable, Codable {
    /// The property's name.
    public var property: String
    /// What shows it, with the servers, entries or calls at fault, in one sentence.
    public var sentence: String

    /// `property` is broken, as `sentence` says.
    public init(property: String, sentence: String) {
        self.property = property
        self.sentence = sentence
    }
}

/// Events were left out.
public struct EventsDropped: Hashable, Sendable, Codable {
    /// How many.
    public var count: Int

    /// So many left out.
    public init(count: Int) { self.count = count }
}

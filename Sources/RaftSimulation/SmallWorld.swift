import RaftCore

/// A cluster so small that everything that can happen to it can be walked through: the same ``Raft`` that runs live,
/// and a network that does its worst.
///
/// A message that was sent can be delivered at any later time, never, and more than once: what was ever sent is a set
/// that only grows, so that losses, delays, repetitions and every order need no moves of their own. Timers run out when
/// they like, so that no time is kept; PreVote and CheckQuorum, which would ask for it, are off. A message carries one
/// entry, and one at a time is on its way to a follower. A new leader shows itself by a heartbeat; its empty entry
/// (paper §8) would take its place in the few that the bounds allow, and is there if it is asked for.
///
/// Three things make states fewer without a loss:
/// - What only sends messages happens at once (``saturate(_:open:)``): a state with more messages on their way can go on
///   as one with fewer can, for nothing has to be delivered. Heartbeats are the most of it.
/// - A message that can make no difference any more is forgotten (``forgetDeadLetters(in:)``), and two that are the same
///   to whoever gets them are one (``number(of:)``).
/// - Raft treats all servers alike, so that states that differ only in the servers' names are one.
///
/// Servers, messages and pasts are few, and kept once each, by number (``Catalogue``); what a server does with an input
/// is worked out once. States are rows of such numbers, and there are many of them.
public struct SmallWorld: Sendable {
    /// How far the walk goes.
    public let bounds: Bounds
    /// What every server is set to.
    public let settings: Settings

    var servers: Catalogue<SmallServer>
    var messages: Catalogue<Message>
    var pasts: Catalogue<Past>
    /// What decides whether a message can still make a difference, by the numbers of messages and of servers.
    private(set) var letters: [Letter] = []
    private(set) var standings: [Standing] = []
    /// What servers do, by the numbers that ``stepNumbers`` gives to servers with their inputs.
    var steps: [Step] = []
    var additions: [Past.Addition] = []
    var stepNumbers = FingerprintTable()
    var deliveries = Deliveries()
    /// What pasts become, by the numbers that ``historyNumbers`` gives to pasts with steps.
    var histories: [History] = []
    var historyNumbers = FingerprintTable()
    /// The moves that only sent something, in order, where they are kept.
    var sendings: [Move]?
    let renamings: [Renaming]

    /// What ends a walk that would have none.
    public struct Bounds: Hashable, Sendable {
        /// The number of servers.
        public var nodes = 3
        /// The latest term that a server may start.
        public var terms: UInt64 = 2
        /// How many commands clients give.
        public var commands = 2
        /// How many crashes there are.
        public var crashes = 1
        /// How many snapshots servers take (paper §7).
        public var snapshots = 0
        /// How many times a leader is told to take a member out, or in again (thesis §4.1).
        public var changes = 0
        /// Whether a write reaches the disk in a step of its own, before which a crash takes it away.
        public var diskTakesSteps = false
        /// Whether a new leader appends an empty entry (paper §8).
        public var hasNoops = false
        /// Whether states that differ only in the servers' names are one.
        public var isSymmetric = true

        /// Whether sendings happen at once, and dead messages are forgotten. The same servers with the same pasts are
        /// reached without.
        public var isReduced = true

        /// Three servers, two terms, two commands, one crash.
        public init() {}
    }

    /// A state: the numbers of its servers, in the order of their names, of its past, and of the messages that were
    /// sent and can still make a difference, in ascending order.
    struct State: Sendable {
        var servers: [UInt32]
        var past: UInt32
        var messages: [UInt32] = []

        /// The same, had nothing been sent.
        var withoutMessages: State { State(servers: servers, past: past) }
    }

    /// A world within `bounds`, without some of the rules.
    public init(bounds: Bounds = Bounds(), without rules: [Rule] = []) {
        self.bounds = bounds
        var settings = Settings()
        settings.options.preVote = false
        settings.options.checkQuorum = false
        settings.options.noop = bounds.hasNoops
        settings.limits.entriesPerAppendMax = 1
        settings.limits.inflightMessagesMax = 1
        for rule in rules { settings.rules[rule] = false }
        self.settings = settings
        let all = Renaming.all(count: bounds.nodes)
        // Configurations name servers, so that those whose members change aren't alike any more.
        renamings = bounds.isSymmetric && bounds.changes == 0 ? all : [all[0]]
        servers = Catalogue(renamings: renamings, domain: 1)
        messages = Catalogue(renamings: renamings, domain: 2)
        pasts = Catalogue(renamings: renamings, domain: 3)
    }

    /// The state in which everything begins: no server has heard of anything.
    mutating func start() -> State {
        let configuration = Configuration(count: bounds.nodes)
        let numbers = configuration.voters.map { node in
            number(of: SmallServer(id: node, configuration: configuration, settings: settings))
        }
        return State(servers: numbers, past: pasts.number(of: Past()))
    }

    mutating func number(of server: SmallServer) -> UInt32 {
        let number = servers.number(of: server)
        if Int(number) == standings.count { standings.append(Standing(server)) }
        return number
    }

    /// The number of `message`. A commit index beyond what the message proves means no more to a follower than the
    /// last one that it proves (paper Figure 2, AppendEntries 5), so that the messages are the same.
    mutating func number(of message: Message) -> UInt32 {
        var message = message
        if case .append(var append) = message.body, settings.rules[.commitOnlyProven] {
            append.commit = min(append.commit, append.previous.index.advanced(by: append.entries.count))
            message.body = .append(append)
        }
        let number = messages.number(of: message)
        if Int(number) == letters.count { letters.append(Letter(message)) }
        return number
    }

    /// What a state is known by. Of the fingerprints under all renamings it is the least, so that states that differ
    /// only in the servers' names have the same.
    func fingerprint(of state: State) -> Fingerprint {
        var least: Fingerprint?
        for renaming in renamings.indices {
            var sum = pasts.fingerprint(of: state.past, under: renaming)
            for server in state.servers { sum += servers.fingerprint(of: server, under: renaming) }
            for message in state.messages { sum += messages.fingerprint(of: message, under: renaming) }
            least = least.map { min($0, sum) } ?? sum
        }
        return least ?? .zero
    }

}

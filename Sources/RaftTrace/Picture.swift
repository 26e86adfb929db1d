import KeyValue
import RaftCore

/// What is known of a cluster at a moment: the fold of its events up to there. The screen draws it, conditions ask it,
/// and looking back is folding a shorter row. What it holds much of is persistent, so that copies share it.
public struct Picture: Sendable {
    /// The time of the last event.
    public private(set) var now = Instant.zero
    /// The sequence number of the last event.
    public private(set) var sequence: UInt64 = 0
    /// How the cluster began; `nil` before it has.
    public private(set) var began: ClusterBegan?
    /// The servers, in ascending order of their numbers.
    public private(set) var nodes: [NodePicture] = []
    /// The links that are not as they were at first.
    public private(set) var links: [LinkID: LinkState] = [:]
    /// The messages on their way, by number.
    public private(set) var inFlight = Flights()
    /// Seconds of cluster time in a second of real time.
    public private(set) var rate = 1.0
    /// What the servers follow; `nil` before the cluster has begun.
    public private(set) var settings: SettingsChanged?
    /// The load that the cluster is under, if it is.
    public private(set) var load: Load?
    /// The calls that wait for their answer, oldest first.
    public private(set) var openCalls: [ClientCall] = []
    /// The last answer that a client got, but for those of a load.
    public private(set) var lastReturn: ClientReturn?
    /// How many writes clients were told are done.
    public private(set) var acknowledgedWrites = 0
    /// How many events were left out.
    public private(set) var droppedEvents = 0

    /// A link, one way.
    public struct LinkID: Hashable, Sendable {
        /// Who sends.
        public var from: NodeID
        /// Who receives.
        public var to: NodeID

        /// The link from `from` to `to`.
        public init(from: NodeID, to: NodeID) {
            self.from = from
            self.to = to
        }
    }

    /// A message on its way.
    public struct InFlight: Hashable, Sendable {
        /// The message.
        public var sent: MessageSent
        /// When it was sent.
        public var at: Instant
    }

    /// How many messages on their way are kept.
    private static let inFlightMax = 4_096

    /// Nothing is known.
    public init() {}

    /// What is known of `node`.
    public subscript(node: NodeID) -> NodePicture? { nodes.first { $0.id == node } }

    /// The running server that leads in the highest term that any running server knows.
    public var leader: NodePicture? {
        let running = nodes.filter(\.isRunning)
        guard let term = running.map(\.term).max() else { return nil }
        return running.first { $0.role == .leader && $0.term == term }
    }

    /// The link from one server to another, as it is now.
    public func link(from: NodeID, to: NodeID) -> LinkState {
        links[LinkID(from: from, to: to)] ?? LinkState(from: from, to: to)
    }

    /// Takes note of an event; events come in order.
    public mutating func apply(_ event: Event) {
        now = max(now, event.at)
        sequence = event.sequence
        switch event.kind {
        case .began(let began): begin(began)
        case .node(let node, let term, let event):
            if event.isOutOfSight { forgetFlights(of: node) }
            change(node) { $0.apply(event, term: term) }
        case .sent(let sent): add(sent, at: event.at)
        case .delivered(let delivered): inFlight[delivered.number] = nil
        case .lost(let lost): inFlight[lost.number] = nil
        case .link(let state): links[LinkID(from: state.from, to: state.to)] = state
        case .clock(let clock): rate = clock.rate
        case .settings(let changed): settings = changed
        case .load(let load): self.load = load
        case .called(let call): openCalls.append(call)
        case .returned(let answer): close(answer)
        case .stepped, .command, .violation: break
        case .dropped(let dropped):
            // Which messages arrived may be among what was left out.
            droppedEvents += dropped.count
            inFlight = Flights()
        }
    }

    /// Whether the messages from and to a server arrive nobody can say any more.
    private mutating func forgetFlights(of node: NodeID) {
        for flight in inFlight.all where flight.sent.message.from == node || flight.sent.message.to == node {
            inFlight[flight.sent.number] = nil
        }
    }

    private mutating func begin(_ began: ClusterBegan) {
        let moment = (now, sequence)
        self = Picture()
        (now, sequence) = moment
        self.began = began
        settings = began.settings
        nodes = began.members.sorted().map { NodePicture(id: $0) }
    }

    private mutating func change(_ node: NodeID, _ body: (inout NodePicture) -> Void) {
        if let place = nodes.firstIndex(where: { $0.id == node }) {
            body(&nodes[place])
        } else {
            var new = NodePicture(id: node)
            body(&new)
            nodes.insert(new, at: nodes.firstIndex { $0.id > node } ?? nodes.endIndex)
        }
    }

    private mutating func add(_ sent: MessageSent, at moment: Instant) {
        if inFlight.count >= Picture.inFlightMax { inFlight = Flights() }
        inFlight[sent.number] = InFlight(sent: sent, at: moment)
    }

    private mutating func close(_ answer: ClientReturn) {
        if Load.number(of: answer.client) == nil { lastReturn = answer }
        guard let place = openCalls.firstIndex(where: { $0.client == answer.client && $0.call == answer.call }) else {
            return
        }
        let call = openCalls.remove(at: place)
        if answer.result.isOK, !call.request.isRead { acknowledgedWrites += 1 }
    }
}

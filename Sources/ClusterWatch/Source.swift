import RaftCore
import RaftTrace

/// What is told of one node, and how it is shown. A node tells what was done to it and then its whole state; from there
/// on what happens is what it tells. While it can't be reached it is shown as down.
struct Source: Sendable {
    /// The node; `nil` before it has said who it is.
    private(set) var node: NodeID?
    /// Whether its process can be reached.
    private(set) var isReached = false
    /// Whether anything has come of the first attempt to reach it.
    private(set) var isTried = false
    /// Whether it has told its state since it was reached.
    private var isTelling = false
    /// Whether it was out of reach since it told its state.
    private var wasLost = false
    /// Whether events of it were left out.
    private var hasSkipped = false
    private var term = Term.zero
    private var lastNumber: UInt64 = 0
    /// What was done to it, as it is shown, and as it has told since it was reached.
    private var (shown, told) = (Surroundings(), Surroundings())

    /// Something to show, and when it happened.
    typealias Shown = (kind: Event.Kind, at: Instant)

    /// A node that is known already, or not.
    init(_ node: NodeID?) { self.node = node }

    /// Takes what the network has to say at the moment `now`. Answers what is to be shown.
    mutating func take(_ news: News, at now: Instant) -> [Shown] {
        switch news {
        case .reached:
            (isReached, isTried, isTelling, told) = (true, true, false, Surroundings())
            return []
        case .lost(let reason):
            defer { (isReached, isTried, isTelling, wasLost) = (false, true, false, true) }
            guard isReached, let node else { return [] }
            shown.note(.node(node, term, .stopped(NodeStopped(how: .kill))))
            let stopped = NodeStopped(how: .kill, unreachable: reason)
            return [(.node(node, term, .stopped(stopped)), now)]
        case .skipped:
            (isTelling, hasSkipped) = (false, true)
            return []
        case .event(let event):
            let kinds = isTelling ? follow(event) : begin(event)
            lastNumber = event.sequence
            return kinds.map { ($0, event.at) }
        }
    }

    /// Takes an event of a node that has told its state.
    private mutating func follow(_ event: Event) -> [Event.Kind] {
        let before = shown
        shown.note(event.kind)
        // What was done to the node it tells to everybody who begins to listen.
        if event.kind.isSurrounding, shown == before { return [] }
        if case .node(_, let term, _) = event.kind { self.term = term }
        return [event.kind]
    }

    /// Takes an event of a node that has not told its state yet: what was done to it, until it does.
    private mutating func begin(_ event: Event) -> [Event.Kind] {
        told.note(event.kind)
        if case .node(let node, _, _) = event.kind { self.node = node }
        switch event.kind {
        case .settings: return [event.kind]
        case .node(_, let term, .state(let state)):
            self.term = term
            return open(comingBack(with: state, event) + [event.kind])
        case .node(_, let term, .started):
            self.term = term
            return open([event.kind])
        default: return []
        }
    }

    /// What has happened to a node that tells its state.
    private func comingBack(with state: NodeState, _ event: Event) -> [Event.Kind] {
        guard case .node(let node, let term, _) = event.kind else { return [] }
        if wasLost {
            var started = NodeStarted(
                incarnation: state.incarnation, vote: state.vote, log: state.log, base: state.base,
                snapshot: state.snapshot, members: state.members)
            started.isSeenAgain = true
            return [.node(node, term, .started(started))]
        }
        guard hasSkipped else { return [] }
        // A process numbers its events: what is missing is what was left out.
        let missing = event.sequence > lastNumber ? event.sequence - lastNumber - 1 : 0
        return [.dropped(EventsDropped(count: Int(clamping: max(1, missing))))]
    }

    /// From here on it is shown as it tells.
    private mutating func open(_ kinds: [Event.Kind]) -> [Event.Kind] {
        guard let node else { return kinds }
        for kind in kinds { shown.note(kind) }
        let changes = told.changes(from: shown, of: node, in: term)
        shown = told
        (isTelling, wasLost, hasSkipped) = (true, false, false)
        return kinds + changes
    }
}

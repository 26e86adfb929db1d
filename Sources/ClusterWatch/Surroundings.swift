import RaftCore
import RaftTrace

/// What was done to a node from outside, and outlives it.
struct Surroundings: Hashable, Sendable {
    private var isPaused = false
    private var isTimerHeld = false
    private var disk = DiskChanged.Condition.ok
    private var links: [Picture.LinkID: LinkState] = [:]

    /// Takes note of an event of the node.
    mutating func note(_ kind: Event.Kind) {
        switch kind {
        case .link(let state): links[Picture.LinkID(from: state.from, to: state.to)] = state
        case .node(_, _, .paused): isPaused = true
        // Whoever starts isn't paused.
        case .node(_, _, .resumed), .node(_, _, .started), .node(_, _, .stopped): isPaused = false
        case .node(_, _, .timerHeld): isTimerHeld = true
        case .node(_, _, .timerFreed): isTimerHeld = false
        case .node(_, _, .disk(let changed)): disk = changed.condition
        default: break
        }
    }

    /// What has happened to a node in the meantime, if these are its surroundings now and were `before`.
    func changes(from before: Surroundings, of node: NodeID, in term: Term) -> [Event.Kind] {
        var kinds: [Event.Kind] = []
        if isPaused != before.isPaused { kinds.append(.node(node, term, isPaused ? .paused : .resumed)) }
        if isTimerHeld != before.isTimerHeld { kinds.append(.node(node, term, isTimerHeld ? .timerHeld : .timerFreed)) }
        if disk != before.disk { kinds.append(.node(node, term, .disk(DiskChanged(condition: disk)))) }
        for (id, state) in links.sorted(by: { $0.key.to < $1.key.to }) where before.links[id] != state {
            kinds.append(.link(state))
        }
        // A link of which a fresh process knows nothing is whole.
        for id in before.links.keys.sorted(by: { $0.to < $1.to }) where links[id] == nil {
            kinds.append(.link(LinkState(from: id.from, to: id.to)))
        }
        return kinds
    }
}

extension Event.Kind {
    /// Whether it tells something that was done to a node from outside, and lasts.
    var isSurrounding: Bool {
        switch self {
        case .link: true
        case .node(_, _, .paused), .node(_, _, .resumed), .node(_, _, .timerHeld), .node(_, _, .timerFreed),
            .node(_, _, .disk):
            true
        default: false
        }
    }
}

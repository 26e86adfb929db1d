import RaftCore
import RaftTrace

// A desk of a cluster that others handle, too: what it knows of it is what is told, whoever has ordered it.

extension Desk {
    /// Takes note of what has happened.
    public mutating func note(_ kind: Event.Kind) {
        switch kind {
        case .began(let began): adopt(began.settings)
        case .node(let node, _, let event): note(event, of: node)
        case .link(let state): links[Picture.LinkID(from: state.from, to: state.to)] = state
        case .settings(let changed): adopt(changed)
        default: break
        }
    }

    /// Forgets what was ordered and not carried out: the cluster is as `picture` shows it.
    public mutating func adopt(_ picture: Picture) {
        for node in picture.nodes {
            if !nodes.contains(node.id) { nodes = (nodes + [node.id]).sorted() }
            standing[node.id] = !node.isRunning ? .down : node.isPaused ? .paused : .up
            if node.isTimerHeld { heldTimers.insert(node.id) } else { heldTimers.remove(node.id) }
            disks[node.id] = node.disk
        }
        links = picture.links
        if let settings = picture.settings { adopt(settings) }
    }

    private mutating func note(_ event: NodeEvent, of node: NodeID) {
        switch event {
        case .started, .resumed: standing[node] = .up
        case .state: if standing[node, default: .down] == .down { standing[node] = .up }
        case .stopped, .failed: standing[node] = .down
        case .paused: standing[node] = .paused
        case .timerHeld: heldTimers.insert(node)
        case .timerFreed: heldTimers.remove(node)
        case .disk(let changed): disks[node] = changed.condition
        case .raft, .hungUp, .applied, .snapshot: break
        }
    }
}

extension SettingsChanged {
    /// What `settings` are with this in them.
    func change(_ settings: inout Settings) {
        if let low = electionTimeout.first, let high = electionTimeout.last, low <= high {
            settings.timing.electionTimeout = low...high
        }
        settings.timing.heartbeat = heartbeat
        settings.options.preVote = options.contains("prevote")
        settings.options.checkQuorum = options.contains("checkquorum")
        settings.options.noop = options.contains("noop")
        settings.options.lease = hasLeases
        for rule in Rule.allCases { settings.rules[rule] = !rulesOff.contains(rule.name) }
        settings.compaction.every = snapshotEvery
        settings.compaction.trailing = snapshotTrailing ?? settings.compaction.trailing
    }
}

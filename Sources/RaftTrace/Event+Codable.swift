import KeyValue
import RaftCore

// The trace's form: one flat object an event. `at`, `seq` and `event` come with each, `node` and `term` with what
// happened on a server, and beside them what belongs to that kind of event.

extension Event: Codable {
    private enum Key: String, CodingKey {
        case at
        case seq
        case event
        case node
        case term
    }

    /// Writes the event as one flat object.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(at, forKey: .at)
        try container.encode(sequence, forKey: .seq)
        let (name, payload) = kind.form
        try container.encode(name, forKey: .event)
        if case .node(let node, let term, _) = kind {
            try container.encode(node, forKey: .node)
            try container.encode(term, forKey: .term)
        }
        try payload?.encode(to: encoder)
    }

    /// Reads an event from one flat object.
    ///
    /// - Throws: ``TraceError`` for a kind of event that this program doesn't know.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let name = try container.decode(String.self, forKey: .event)
        let kind: Kind
        if let general = try Kind(named: name, from: decoder) {
            kind = general
        } else if let event = try NodeEvent(named: name, from: decoder) {
            let node = try container.decode(NodeID.self, forKey: .node)
            kind = .node(node, try container.decode(Term.self, forKey: .term), event)
        } else {
            throw TraceError("unknown event '\(name)'")
        }
        let at = try container.decode(Instant.self, forKey: .at)
        guard Event.times.contains(at) else { throw TraceError("'at' is no time of a cluster: \(at.nanoseconds)") }
        self.init(at: at, sequence: try container.decode(UInt64.self, forKey: .seq), kind: kind)
        guard kind.isWithinBounds(Event.numberMax) else { throw TraceError("a number is larger than any log's") }
    }
}

extension Event.Kind {
    fileprivate var form: (name: String, payload: (any Encodable)?) {
        switch self {
        case .began(let began): ("trace", began)
        case .node(_, _, let event): event.form
        case .sent(let sent): ("message-sent", MessageForm(sent))
        case .delivered(let delivered): ("message-delivered", delivered)
        case .lost(let lost): ("message-lost", lost)
        case .link(let state): ("link", state)
        case .clock(let rate): ("clock", rate)
        case .stepped(let step): ("step", step)
        case .settings(let settings): ("settings", settings)
        case .load(let load): ("load", load ?? Load(rate: 0, clients: 0))
        case .called(let call): ("client-call", CallForm(call))
        case .returned(let answer): ("client-return", ReturnForm(answer))
        case .command(let command): ("command", command)
        case .violation(let broken): ("violation", broken)
        case .dropped(let dropped): ("dropped", dropped)
        }
    }

    fileprivate init?(named name: String, from decoder: any Decoder) throws {
        switch name {
        case "trace": self = .began(try ClusterBegan(from: decoder))
        case "message-sent": self = .sent(try MessageForm(from: decoder).sent())
        case "message-delivered": self = .delivered(try MessageDelivered(from: decoder))
        case "message-lost": self = .lost(try MessageLost(from: decoder))
        case "link": self = .link(try LinkState(from: decoder))
        case "clock": self = .clock(try ClockRate(from: decoder))
        case "step": self = .stepped(try ClockStepped(from: decoder))
        case "settings": self = .settings(try SettingsChanged(from: decoder))
        case "load":
            let load = try Load(from: decoder)
            self = .load(load.rate == 0 ? nil : load)
        case "client-call": self = .called(try CallForm(from: decoder).decoded())
        case "client-return": self = .returned(try ReturnForm(from: decoder).decoded())
        case "command": self = .command(try CommandDone(from: decoder))
        case "violation": self = .violation(try PropertyBroken(from: decoder))
        case "dropped": self = .dropped(try EventsDropped(from: decoder))
        default: return nil
        }
    }
}

extension NodeEvent {
    fileprivate var form: (name: String, payload: (any Encodable)?) {
        switch self {
        case .raft(let observation): observation.form
        case .started(let started): ("started", started)
        case .stopped(let stopped): ("stopped", stopped)
        case .paused: ("paused", nil)
        case .resumed: ("resumed", nil)
        case .timerHeld: ("timer-held", nil)
        case .timerFreed: ("timer-freed", nil)
        case .disk(let changed): ("disk", changed)
        case .failed(let failed): ("failed", failed)
        case .hungUp(let hungUp): ("hung-up", hungUp)
        case .applied(let applied): ("applied", AppliedForm(applied))
        case .snapshot(let step): ("snapshot", step)
        case .state(let state): ("state", StateForm(state))
        }
    }

    fileprivate init?(named name: String, from decoder: any Decoder) throws {
        switch name {
        case "started": self = .started(try NodeStarted(from: decoder))
        case "stopped": self = .stopped(try NodeStopped(from: decoder))
        case "paused": self = .paused
        case "resumed": self = .resumed
        case "timer-held": self = .timerHeld
        case "timer-freed": self = .timerFreed
        case "disk": self = .disk(try DiskChanged(from: decoder))
        case "failed": self = .failed(try NodeFailed(from: decoder))
        case "hung-up": self = .hungUp(try HungUp(from: decoder))
        case "applied": self = .applied(try AppliedForm(from: decoder).decoded())
        case "snapshot": self = .snapshot(try SnapshotStep(from: decoder))
        case "state": self = .state(try StateForm(from: decoder).decoded())
        default:
            guard let observation = try Observation(named: name, from: decoder) else { return nil }
            self = .raft(observation)
        }
    }
}

extension Observation {
    fileprivate var form: (name: String, payload: (any Encodable)?) {
        switch self {
        case .termChanged(let change): ("term-changed", change)
        case .roleChanged(let change): ("role-changed", change)
        case .voteCast(let cast): ("vote-cast", cast)
        case .voteCounted(let counted): ("vote-counted", counted)
        case .timerSet(let timer): ("timer-set", timer)
        case .appended(let appended):
            ("appended", AppendedForm(first: appended.first, entries: appended.entries.map(EntryForm.init)))
        case .truncated(let truncated): ("truncated", truncated)
        case .appendRefused(let refused): ("append-refused", refused)
        case .progressed(let progressed): ("progressed", progressed)
        case .transfer(let step): ("transfer", step)
        case .configured(let configured): ("configured", configured)
        case .changeRefused(let refused): ("change-refused", refused)
        case .compacted(let compacted): ("compacted", compacted)
        case .snapshotReceived(let received): ("snapshot-received", received)
        case .snapshotInstalled(let installed): ("snapshot-installed", installed)
        case .lease(let step): ("lease", step)
        case .committed(let committed): ("committed", committed)
        case .heldBack(let held): ("held-back", held)
        case .persisted(let persisted): ("persisted", persisted)
        case .readRound(let step): ("read-round", step)
        case .halted(let violation): ("halted", HaltedForm(reason: violation.description))
        }
    }

    fileprivate init?(named name: String, from decoder: any Decoder) throws {
        switch name {
        case "term-changed": self = .termChanged(try TermChange(from: decoder))
        case "role-changed": self = .roleChanged(try RoleChange(from: decoder))
        case "vote-cast": self = .voteCast(try VoteCast(from: decoder))
        case "vote-counted": self = .voteCounted(try VoteCounted(from: decoder))
        case "timer-set": self = .timerSet(try TimerSet(from: decoder))
        case "appended":
            let form = try AppendedForm(from: decoder)
            self = .appended(Appended(first: form.first, entries: try form.entries.map { try $0.entry() }))
        case "truncated": self = .truncated(try Truncated(from: decoder))
        case "append-refused": self = .appendRefused(try AppendRefused(from: decoder))
        case "progressed": self = .progressed(try Progressed(from: decoder))
        case "transfer": self = .transfer(try TransferStep(from: decoder))
        case "configured": self = .configured(try Configured(from: decoder))
        case "change-refused": self = .changeRefused(try ChangeRefused(from: decoder))
        case "compacted": self = .compacted(try Compacted(from: decoder))
        case "snapshot-received": self = .snapshotReceived(try SnapshotReceived(from: decoder))
        case "snapshot-installed": self = .snapshotInstalled(try SnapshotInstalled(from: decoder))
        case "lease": self = .lease(try LeaseStep(from: decoder))
        case "committed": self = .committed(try Committed(from: decoder))
        case "held-back": self = .heldBack(try HeldBack(from: decoder))
        case "persisted": self = .persisted(try Persisted(from: decoder))
        case "read-round": self = .readRound(try ReadRoundStep(from: decoder))
        case "halted": self = .halted(.invariant(try HaltedForm(from: decoder).reason))
        default: return nil
        }
    }
}

// MARK: - Forms

private struct HaltedForm: Codable {
    var reason: String
}

private struct CallForm: Codable {
    var client: String
    var call: UInt64
    var op: String
    var key: String?
    var value: String?
    var old: String?
    var read: ReadMode?
    var via: NodeID?
    var retry: Bool?

    init(_ call: ClientCall) {
        let request = RequestForm(call.request)
        client = call.client
        self.call = call.call
        (op, key, value, old, read) = (request.op, request.key, request.value, request.old, request.read)
        via = call.via
        retry = call.isRetry ? true : nil
    }

    func decoded() throws -> ClientCall {
        let request = try RequestForm(op: op, key: key, value: value, old: old, read: read).request()
        return ClientCall(client: client, call: call, request: request, via: via, isRetry: retry ?? false)
    }
}

private struct ReturnForm: Codable {
    var client: String
    var call: UInt64
    var result: String
    var value: String?
    var values: [String]?
    var leader: NodeID?

    init(_ answer: ClientReturn) {
        let form = ResultForm(answer.result)
        (client, call) = (answer.client, answer.call)
        (result, value, values, leader) = (form.result, form.value, form.values, form.leader)
    }

    func decoded() throws -> ClientReturn {
        let form = ResultForm(result: result, value: value, values: values, leader: leader)
        return ClientReturn(client: client, call: call, result: try form.decoded())
    }
}

private struct AppliedForm: Codable {
    var index: LogIndex
    var key: String?
    var value: String?
    var client: String?
    var sequence: UInt64?
    var duplicate: Bool?

    init(_ applied: Applied) {
        index = applied.index
        key = applied.key.map(ByteText.text(of:))
        value = applied.value.map(ByteText.text(of:))
        (client, sequence) = (applied.client, applied.sequence)
        duplicate = applied.isDuplicate ? true : nil
    }

    func decoded() throws -> Applied {
        Applied(
            index: index, key: try key.map { try bytes($0, "key") }, value: try value.map { try bytes($0, "value") },
            client: client, sequence: sequence, isDuplicate: duplicate ?? false)
    }
}

private struct StateForm: Codable {
    var incarnation: Incarnation
    var role: RoleName
    var vote: NodeID?
    var leader: NodeID?
    var commit: LogIndex
    var applied: LogIndex
    var durable: LogIndex
    var log: [TermRun]
    var base: LogPosition?
    var snapshot: LogPosition?
    var members: Configuration?
    var timer: TimerSet?
    var peers: [Progressed]
    var store: [PairForm]
    var storeCount: Int

    struct PairForm: Codable {
        var key: String
        var value: String
    }

    init(_ state: NodeState) {
        (incarnation, role, vote, leader) = (state.incarnation, state.role, state.vote, state.leader)
        (commit, applied, durable) = (state.commit, state.applied, state.durable)
        (log, timer, peers) = (state.log, state.timer, state.peers)
        (base, snapshot, members) = (state.base, state.snapshot, state.members)
        store = state.store.map {
            PairForm(key: ByteText.text(of: $0.key), value: ByteText.text(of: $0.value))
        }
        storeCount = state.storeCount
    }

    func decoded() throws -> NodeState {
        let pairs = try store.map {
            NodeState.Pair(key: try bytes($0.key, "key"), value: try bytes($0.value, "value"))
        }
        return NodeState(
            incarnation: incarnation, role: role, vote: vote, leader: leader, commit: commit, applied: applied,
            durable: durable, log: log, base: base, snapshot: snapshot, members: members, timer: timer, peers: peers,
            store: pairs,
            storeCount: storeCount)
    }
}

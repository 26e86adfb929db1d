import Laboratory
import RaftCore
import RaftTrace

/// What was done to a cluster since it began, as a script that does it again: a fold over the cluster's events.
///
/// Events tell only what was carried out, so that nothing that was refused is in it. A reset begins a new one.
public struct Transcript: Sendable {
    /// A command that was carried out.
    struct Step: Sendable {
        var command: Command
        var at: Instant
        /// When its client was answered, if that was before anything else was done.
        var answered: Instant?
        /// The call that its client made.
        var call: UInt64?
        /// Which time of standing still it belongs to; `nil` where the clock was running.
        var freeze: Int?
        /// Who led when it was given.
        var leader: NodeID?
        /// The servers that ran then; before the start, all there are.
        var running: [NodeID]
        /// Whether somebody held election timers then.
        var hasHeldTimers: Bool
        /// The longest election timeout then.
        var timeout: Interval
        /// Which message of its link a message's number stood for, the oldest being 1.
        var place = 1
    }

    /// What was done, in order.
    private(set) var steps: [Step] = []
    /// How many commands came after as many as are kept.
    private(set) var omitted = 0
    /// How the cluster began.
    private(set) var began: ClusterBegan?
    /// How long messages took on every link at first.
    private(set) var latency: ClosedRange<Interval> = .zero ... .zero
    /// Whether the disks held something at first.
    private(set) var hadDisks = false
    /// The time of the last event.
    private(set) var now = Instant.zero
    /// Who leads.
    private(set) var leader: NodeID?
    /// When the cluster's servers were started first.
    private(set) var start: Instant?
    /// When the first leader was there.
    private(set) var firstElection: Instant?
    /// Whether somebody holds election timers.
    private(set) var hasHeldTimers = false
    /// Which time of standing still this is; `nil` where the clock runs.
    private(set) var frozen: Int?
    private var freezes = 0
    private var starts = 0

    /// How many commands are kept.
    static let stepsMax = 10_000

    /// Nothing was done yet.
    public init() {}

    /// Takes note of an event; events come in order.
    ///
    /// - Parameter picture: What is known of the cluster after the event.
    public mutating func take(_ event: Event, seeing picture: Picture) {
        if case .began(let began) = event.kind {
            self = Transcript()
            self.began = began
        }
        now = max(now, event.at)
        switch event.kind {
        case .command(let done): take(done, seeing: picture)
        case .link(let state) where steps.isEmpty: latency = state.latencyMin...state.latencyMax
        case .called(let call): note(call)
        case .returned(let answer):
            guard let last = steps.indices.last, steps[last].call == answer.call, omitted == 0 else { return }
            steps[last].answered = event.at
        case .node(_, _, let change): take(change, seeing: picture)
        default: break
        }
    }

    private mutating func take(_ done: CommandDone, seeing picture: Picture) {
        guard case .command(let command)? = try? Statement.Kind(parsing: done.text, nodes: nil) else { return }
        switch command {
        // How fast it goes is up to whoever plays it.
        case .speed, .reset: return
        case .freeze:
            freezes += 1
            frozen = freezes
            return
        case .thaw:
            frozen = nil
            return
        default: break
        }
        guard steps.count < Transcript.stepsMax else {
            omitted += 1
            return
        }
        let running = start == nil ? picture.nodes.map(\.id) : picture.nodes.filter(\.isRunning).map(\.id)
        var step = Step(
            command: command, at: now, freeze: frozen, leader: leader, running: running,
            hasHeldTimers: hasHeldTimers, timeout: picture.settings?.electionTimeout.last ?? .zero)
        // The next time, messages have other numbers.
        if case .messages(let action, .numbered(let number)) = command {
            guard let message = picture.inFlight[number]?.sent.message else { return }
            let link = LinkReference(from: .node(message.from), to: .node(message.to), isBothWays: false)
            step.command = .messages(action, .oldest(link, count: 1))
            step.place = picture.inFlight.all.count {
                $0.sent.message.from == message.from && $0.sent.message.to == message.to && $0.sent.number <= number
            }
        }
        steps.append(step)
    }

    /// Finds the command that a call was made by: clients call in the order of their commands.
    private mutating func note(_ call: ClientCall) {
        let step = steps.firstIndex { step in
            guard case .client(let command) = step.command, step.call == nil else { return false }
            return command.client == call.client && command.request == call.request && command.isRetry == call.isRetry
        }
        if let step { steps[step].call = call.call }
    }

    private mutating func take(_ change: NodeEvent, seeing picture: Picture) {
        switch change {
        case .started(let started):
            starts += 1
            let isFirst = starts <= began?.nodes ?? 0
            if isFirst, !started.log.isEmpty || started.snapshot != nil { hadDisks = true }
            start = start ?? now
        case .timerHeld, .timerFreed: hasHeldTimers = picture.nodes.contains(where: \.isTimerHeld)
        case .raft(.roleChanged), .raft(.termChanged), .stopped, .failed, .state: break
        default: return
        }
        leader = picture.leader?.id
        if leader != nil, firstElection == nil { firstElection = now }
    }
}

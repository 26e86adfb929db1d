import RaftCore
import RaftTrace

/// Makes events of one cluster of what its nodes' processes tell, each with numbers and times of its own.
struct Renumbering: Sendable {
    private var sequence: UInt64 = 0
    private var messages = SmallNumbers()
    private var calls = SmallNumbers()
    /// The time of day at which the watch began: the screen's zero.
    let start: Instant

    /// A row that begins at this time of day.
    init(start: Instant) { self.start = start }

    /// A number for a call of the program's own.
    mutating func drawCall() -> UInt64 { calls.draw() }

    /// The next event of the row. Calls of the program's own have their numbers already.
    mutating func event(_ kind: Event.Kind, at moment: Instant, isOwn: Bool) -> Event {
        sequence += 1
        return Event(at: screenTime(moment), sequence: sequence, kind: isOwn ? kind : renumbered(kind))
    }

    /// A time of day as the screen has it.
    func screenTime(_ moment: Instant) -> Instant { Instant(nanoseconds: max(0, (moment - start).nanoseconds)) }

    private mutating func renumbered(_ kind: Event.Kind) -> Event.Kind {
        switch kind {
        case .node(let node, let term, let event): return .node(node, term, renumbered(event, of: node))
        case .sent(var sent):
            sent.number = messages.number(of: sent.number)
            sent.copyOf = sent.copyOf.map { messages.number(of: $0) }
            sent.due = sent.due.map(screenTime)
            return .sent(sent)
        case .delivered(var delivered):
            delivered.number = messages.number(of: delivered.number)
            return .delivered(delivered)
        case .lost(var lost):
            lost.number = messages.number(of: lost.number)
            return .lost(lost)
        case .called(var call):
            call.call = calls.number(of: call.call)
            return .called(call)
        case .returned(var answer):
            answer.call = calls.number(of: answer.call)
            return .returned(answer)
        case .began, .link, .clock, .stepped, .settings, .load, .command, .violation, .dropped: return kind
        }
    }

    private mutating func renumbered(_ event: NodeEvent, of node: NodeID) -> NodeEvent {
        switch event {
        case .started(let started):
            // It may be another process than before, which draws the same numbers again.
            guard started.isSeenAgain == true else { return event }
            messages.forget(of: node.rawValue)
            calls.forget(of: node.rawValue)
            return event
        case .raft(.timerSet(let timer)): return .raft(.timerSet(onScreen(timer)))
        case .raft(.lease(var step)):
            step.until = step.until.map(screenTime)
            return .raft(.lease(step))
        case .state(var state):
            state.timer = state.timer.map(onScreen)
            return .state(state)
        default: return event
        }
    }

    private func onScreen(_ timer: TimerSet) -> TimerSet {
        var timer = timer
        timer.deadline = screenTime(timer.deadline)
        return timer
    }
}

import RaftCore
import RaftTrace

/// Which rule of the protocol was at work last, on which server, and when.
struct RulesAtWork: Sendable {
    /// A rule at work.
    struct Firing: Sendable {
        var node: NodeID
        var at: Instant
        /// The place of its event in the timeline.
        var place: Int
    }

    private var last: [String: Firing] = [:]

    /// No rule was at work yet.
    init() {}

    /// Those that were at work in the latest of these events.
    init(_ events: some RandomAccessCollection<Event>, startingAt place: Int) {
        for (offset, event) in events.enumerated() { take(event, place: place + offset) }
    }

    mutating func take(_ event: Event, place: Int) {
        guard let fired = event.firedRule else { return }
        last[fired.line.id] = Firing(node: fired.node, at: event.at, place: place)
    }

    /// When and where a rule was at work last; `nil` where it wasn't.
    subscript(line: RuleLine) -> Firing? { last[line.id] }
}

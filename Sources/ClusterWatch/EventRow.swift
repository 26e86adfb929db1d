import RaftCore
import RaftTrace

/// Makes one row of what several nodes tell, by the times of day that they tell with it. What is told late would come
/// too late for its place: everything is held back for a while.
struct EventRow: Sendable {
    private struct Waiting: Sendable {
        /// Its place: when it happened, and no earlier than what the same node told before it.
        var at: Instant
        var order: UInt64
        /// When it may be shown.
        var due: Instant
        var kind: Event.Kind
        /// When it happened, as it was told.
        var told: Instant
        var isOwn: Bool
    }

    private var waiting: [Waiting] = []
    private var lastOrder: UInt64 = 0
    private var latest: [Int?: Instant] = [:]
    /// Where messages that are on their way were sent.
    private var sendings: [UInt64: Instant] = [:]
    private static let sendingsMax = 16_384
    /// How many of the program's own events wait.
    private(set) var ownCount = 0

    /// How long everything is held back.
    static let holdBack = Interval.milliseconds(100)

    /// Takes what has happened.
    ///
    /// - Parameters:
    ///   - source: Who tells it; `nil` for what the program itself does.
    ///   - arrival: When it was heard of.
    mutating func add(_ kind: Event.Kind, at moment: Instant, from source: Int?, arrival: Instant) {
        let place = max(moment, latest[source] ?? moment, sendingPlace(of: kind) ?? moment)
        latest[source] = place
        if case .sent(let sent) = kind { noteSending(sent.number, at: place) }
        lastOrder += 1
        if source == nil { ownCount += 1 }
        // Whose clock is ahead is not waited for longer than anybody else.
        let due = min(place, arrival) + EventRow.holdBack
        waiting.append(
            Waiting(at: place, order: lastOrder, due: due, kind: kind, told: moment, isOwn: source == nil))
    }

    // MARK: - Messages

    /// Nothing is delivered before it was sent, whatever the clocks say.
    private mutating func sendingPlace(of kind: Event.Kind) -> Instant? {
        switch kind {
        case .delivered(let delivered): sendings.removeValue(forKey: delivered.number)
        case .lost(let lost): sendings.removeValue(forKey: lost.number)
        default: nil
        }
    }

    private mutating func noteSending(_ number: UInt64, at place: Instant) {
        if sendings.count >= EventRow.sendingsMax { sendings = [:] }
        sendings[number] = place
    }

    // MARK: - Showing

    /// When there is something to show; `nil` where nothing waits.
    var due: Instant? { waiting.map(\.due).min() }

    /// What is to be shown by now, in order.
    mutating func release(at now: Instant) -> [(kind: Event.Kind, at: Instant, isOwn: Bool)] {
        var ready = waiting.filter { $0.due <= now }
        guard !ready.isEmpty else { return [] }
        ready.sort { ($0.at, $0.order) < ($1.at, $1.order) }
        // What is earlier than something that is shown now goes with it, whoever told it.
        let last = ready[ready.count - 1].at
        ready = waiting.filter { $0.due <= now || $0.at < last }.sorted { ($0.at, $0.order) < ($1.at, $1.order) }
        waiting.removeAll { $0.due <= now || $0.at < last }
        ownCount -= ready.count { $0.isOwn }
        return ready.map { ($0.kind, $0.told, $0.isOwn) }
    }
}

import DequeModule
import RaftCore

/// The clients that wait for their entries, in the order of the log. Each is known by the index *and* the term of its
/// entry: another leader's entry may come to the same index.
struct WaitingWrites: Sendable {
    struct Waiting: Sendable {
        var position: LogPosition
        var id: RequestID
    }

    private var queue = Deque<Waiting>()

    /// Adds clients whose entries follow one another from `first` on.
    mutating func add(_ ids: [RequestID], from first: LogPosition) {
        for (place, id) in ids.enumerated() {
            let position = LogPosition(term: first.term, index: first.index.advanced(by: place))
            let waiting = Waiting(position: position, id: id)
            if let last = queue.last, last.position.index > position.index {
                // Only where a deposed leader's clients go on waiting (Rule.answerByIndexAndTerm off).
                let place = queue.firstIndex { $0.position.index > position.index } ?? queue.endIndex
                queue.insert(waiting, at: place)
            } else {
                queue.append(waiting)
            }
        }
    }

    /// Takes out the last `count` clients: their entries were not taken.
    mutating func drop(_ count: Int) { queue.removeLast(min(count, queue.count)) }

    /// Takes out the first client that waits for `index` or an earlier one.
    mutating func next(upTo index: LogIndex) -> Waiting? {
        guard let first = queue.first, first.position.index <= index else { return nil }
        return queue.removeFirst()
    }
}

import RaftCore
import RaftNode
import RaftTrace
import Synchronization

/// Hands events on to whoever wants to hear them. A reader that is too slow is let go: it could not make sense of what
/// it missed.
final class EventHub: Sendable {
    private struct Reader {
        let node: NodeID
        let continuation: AsyncStream<[ToldEvents]>.Continuation
    }

    private struct State {
        var readers: [Int: Reader] = [:]
        var last = 0
        var isOver = false
    }

    private let state = Mutex(State())
    /// Called when the first reader comes, and when the last is gone.
    private let changed: @Sendable (Bool) -> Void

    /// How many rows of events a reader may be behind.
    private static let backlogMax = 1_024

    init(changed: @escaping @Sendable (Bool) -> Void = { _ in }) { self.changed = changed }

    /// Whether nobody listens.
    var isEmpty: Bool { state.withLock { $0.readers.isEmpty } }

    /// The events from now on that are about `node` or about everybody, in order.
    func listen(to node: NodeID) -> AsyncStream<[ToldEvents]> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: [ToldEvents].self, bufferingPolicy: .bufferingOldest(EventHub.backlogMax))
        let number = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.last += 1
            state.readers[state.last] = Reader(node: node, continuation: continuation)
            return state.last
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number) }
        changed(true)
        return stream
    }

    /// Tells events to everybody who wants them. Those who listen to the same server are told the same rows.
    func tell(_ events: [Event]) {
        guard !events.isEmpty else { return }
        let readers = state.withLock { $0.readers }
        for (node, readers) in Dictionary(grouping: readers.values, by: \.node) {
            let rows = ToldEvents.rows(of: events.filter { $0.concerns(node) })
            guard !rows.isEmpty else { continue }
            for reader in readers {
                if case .dropped = reader.continuation.yield(rows) { reader.continuation.finish() }
            }
        }
    }

    /// Ends all that is heard, for good.
    func end() {
        let readers = state.withLock { state in
            state.isOver = true
            return state.readers
        }
        for reader in readers.values { reader.continuation.finish() }
    }

    private func forget(_ number: Int) {
        let isLast = state.withLock { state in
            state.readers[number] = nil
            return state.readers.isEmpty
        }
        if isLast { changed(false) }
    }
}

extension Event {
    /// Whether it is about `node` alone, or about everybody.
    fileprivate func concerns(_ node: NodeID) -> Bool {
        switch kind {
        case .node(let one, _, _): one == node
        case .sent(let sent): sent.message.from == node
        case .delivered(let delivered): delivered.to == node
        case .lost(let lost): lost.from == node
        case .link(let link): link.from == node
        case .began, .clock, .stepped, .settings, .load, .called, .returned, .command, .violation, .dropped: true
        }
    }
}

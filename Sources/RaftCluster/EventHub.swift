import RaftTrace
import Synchronization

/// Hands events on to whoever wants to hear them. A reader that is too slow is let go: it could not make sense of what
/// it missed.
final class EventHub: Sendable {
    private struct Reader {
        let wants: @Sendable (Event) -> Bool
        let continuation: AsyncStream<[Event]>.Continuation
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

    /// The events from now on that `wants` answers for, in order.
    func listen(_ wants: @escaping @Sendable (Event) -> Bool = { _ in true }) -> AsyncStream<[Event]> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: [Event].self, bufferingPolicy: .bufferingOldest(EventHub.backlogMax))
        let number = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.last += 1
            state.readers[state.last] = Reader(wants: wants, continuation: continuation)
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

    /// Tells events to everybody who wants them.
    func tell(_ events: [Event]) {
        guard !events.isEmpty else { return }
        let readers = state.withLock { $0.readers }
        for reader in readers.values {
            let wanted = events.filter(reader.wants)
            guard !wanted.isEmpty else { continue }
            if case .dropped = reader.continuation.yield(wanted) { reader.continuation.finish() }
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

import DequeModule
import RaftCore
import RaftTrace

/// Which client of a load writes when. A value, the same for every laboratory; its host makes the calls.
public struct LoadSchedule: Sendable {
    /// The load.
    public let load: Load
    private var idle: Deque<Int>
    private var due: Instant

    /// A load that had to wait for its clients makes up for no more than this.
    private static let arrearsMax = Interval.milliseconds(10)

    /// A load that begins now.
    ///
    /// - Parameter busy: The clients that have a write open since before.
    public init(_ load: Load, at now: Instant, busy: Set<Int> = []) {
        self.load = load
        idle = Deque((1...load.clients).filter { !busy.contains($0) })
        due = now
    }

    /// When the next write is due; `nil` while all clients wait for their answers.
    public var deadline: Instant? { idle.isEmpty ? nil : due }

    /// The client whose write is due by now, if there is one; it is busy from here on.
    public mutating func next(at now: Instant) -> Int? {
        guard due <= now, let client = idle.popFirst() else { return nil }
        due = max(due + Interval(nanoseconds: 1_000_000_000 / Int64(load.rate)), now - LoadSchedule.arrearsMax)
        return client
    }

    /// A client has its answer.
    public mutating func finish(_ client: Int) {
        if client <= load.clients { idle.append(client) }
    }
}

import DequeModule
import RaftCore

/// One direction between two servers, before the socket: a queue in which messages wait for the time that they are to
/// arrive. A message then crosses the real connection in microseconds.
///
/// Messages keep their order, as they do over TCP: one that drew a short delay waits for the one before it.
public struct Link: Sendable {
    /// A message that waits.
    public struct Waiting: Sendable {
        /// The number by which the screen knows it.
        public var number: UInt64
        /// The message.
        public var message: Message
        /// When it is to arrive.
        public var due: Instant

        init(number: UInt64, message: Message, due: Instant) {
            self.number = number
            self.message = message
            self.due = due
        }
    }

    /// Whether nothing gets through.
    public private(set) var isCut = false
    /// The time that a message takes, drawn for each.
    public var latency: ClosedRange<Interval> = .zero ... .zero
    /// The chance that a message is lost, from 0 to 1.
    public var loss = 0.0
    private var queue = Deque<Waiting>()
    private var lastDue = Instant.zero

    /// How many messages may wait; more are lost, so that a slow link can't grow without bound.
    public static let waitingMax = 65_536

    /// A link that is open and delays nothing.
    public init() {}

    /// What becomes of a message that is put on the link.
    public enum Fate: Sendable {
        /// Nothing delays it.
        case passes
        /// It waits until then.
        case waits(due: Instant)
        /// It is lost.
        case lost(Loss)
    }

    /// Why a message is lost.
    public enum Loss: Sendable {
        /// The link is cut.
        case cut
        /// The link loses some, and this one by chance.
        case chance
        /// Too many wait already.
        case full
    }

    /// Puts a message on the link. One that ``Fate/passes`` is not kept.
    ///
    /// - Parameter isFrozen: Whether the clock stands still, so that even a message that nothing delays has to wait.
    public mutating func put(
        _ message: Message, number: UInt64, at now: Instant, isFrozen: Bool, random: inout Generator
    ) -> Fate {
        if isCut { return .lost(.cut) }
        if loss > 0, random.chance(loss) { return .lost(.chance) }
        let isInstant = latency.upperBound == .zero
        if isInstant, queue.isEmpty, !isFrozen { return .passes }
        guard queue.count < Link.waitingMax else { return .lost(.full) }
        let delay = isInstant ? .zero : random.interval(in: latency)
        lastDue = max(lastDue, now + delay)
        queue.append(Waiting(number: number, message: message, due: lastDue))
        return .waits(due: lastDue)
    }

    /// When the first message that waits is to arrive.
    public var deadline: Instant? { queue.first?.due }

    /// How many messages wait.
    public var count: Int { queue.count }

    /// Takes out the first message, if it is to arrive by now.
    public mutating func next(by now: Instant) -> Waiting? {
        guard let first = queue.first, first.due <= now else { return nil }
        return queue.removeFirst()
    }

    /// Cuts the link. What is on it is lost, and handed back.
    public mutating func cut() -> [Waiting] {
        isCut = true
        return clear()
    }

    /// Opens the link.
    public mutating func heal() { isCut = false }

    /// Messages take so long from now on. Those that are on their way wait no longer than a new one would.
    public mutating func setLatency(_ range: ClosedRange<Interval>, at now: Instant) {
        latency = range
        let latest = now + range.upperBound
        for place in queue.indices { queue[place].due = min(queue[place].due, latest) }
        lastDue = min(lastDue, latest)
    }

    /// Takes everything off the link and hands it back.
    public mutating func clear() -> [Waiting] {
        // What comes next waits for none of these.
        lastDue = .zero
        guard !queue.isEmpty else { return [] }
        defer { queue.removeAll() }
        return Array(queue)
    }
}

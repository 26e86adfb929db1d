import DequeModule
import RaftCore
import RaftTrace

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
        /// When it is to arrive; while the link is held, that is not looked at.
        public var due: Instant
        /// The message that it is a copy of.
        public fileprivate(set) var original: UInt64?

        init(number: UInt64, message: Message, due: Instant) {
            self.number = number
            self.message = message
            self.due = due
        }

        /// The copy of a message, as it is told.
        public func told(isHeld: Bool) -> MessageSent {
            MessageSent(number: number, message: message, due: isHeld ? nil : due, copyOf: original)
        }
    }

    /// Whether nothing gets through.
    public private(set) var isCut = false
    /// Whether messages wait until somebody says otherwise.
    public private(set) var isHeld = false
    /// The time that a message takes, drawn for each.
    public private(set) var latency: ClosedRange<Interval> = .zero ... .zero
    /// The chance that a message is lost, from 0 to 1.
    public private(set) var loss = 0.0
    private var queue = Deque<Waiting>()
    private var lastDue = Instant.zero

    /// How many messages may wait; more are lost, so that a slow link can't grow without bound.
    public static let waitingMax = 65_536

    /// A link that is open, and on which messages take so long.
    public init(latency: ClosedRange<Interval> = .zero ... .zero) { self.latency = latency }

    /// What becomes of a message that is put on the link.
    public enum Fate: Sendable {
        /// Nothing delays it.
        case passes
        /// It waits until then; for ever, where the link is held.
        case waits(due: Instant?)
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
        if isInstant, queue.isEmpty, !isFrozen, !isHeld { return .passes }
        guard queue.count < Link.waitingMax else { return .lost(.full) }
        let delay = isInstant ? .zero : random.interval(in: latency)
        lastDue = max(lastDue, now + delay)
        queue.append(Waiting(number: number, message: message, due: lastDue))
        return .waits(due: isHeld ? nil : lastDue)
    }

    /// When the first message that waits is to arrive.
    public var deadline: Instant? { isHeld ? nil : queue.first?.due }

    /// The first message that waits.
    public var first: Waiting? { queue.first }

    /// How many messages wait.
    public var count: Int { queue.count }

    /// Takes out the first message, if it is to arrive by now.
    public mutating func next(by now: Instant) -> Waiting? {
        guard !isHeld, let first = queue.first, first.due <= now else { return nil }
        return queue.removeFirst()
    }

    /// Changes the link, and hands back what is lost by it.
    public mutating func apply(_ change: LinkChange, at now: Instant) -> [Waiting] {
        switch change {
        case .cut:
            isCut = true
            return clear()
        case .heal: isCut = false
        case .latency(let range): setLatency(range, at: now)
        case .loss(let share): loss = share
        case .hold: isHeld = true
        case .release: release(at: now)
        }
        return []
    }

    /// What is known of the link from outside.
    public func state(from: NodeID, to: NodeID) -> LinkState {
        var state = LinkState(from: from, to: to)
        state.isCut = isCut
        (state.latencyMin, state.latencyMax) = (latency.lowerBound, latency.upperBound)
        state.loss = loss
        state.isHeld = isHeld
        return state
    }

    /// Messages take so long from now on. Those that are on their way wait no longer than a new one would.
    private mutating func setLatency(_ range: ClosedRange<Interval>, at now: Instant) {
        latency = range
        let latest = now + range.upperBound
        for place in queue.indices { queue[place].due = min(queue[place].due, latest) }
        lastDue = min(lastDue, latest)
    }

    /// Messages go on: those that wait at once, in order.
    private mutating func release(at now: Instant) {
        isHeld = false
        for place in queue.indices { queue[place].due = min(queue[place].due, now) }
        lastDue = min(lastDue, now)
    }

    // MARK: - By hand

    /// What was done with messages by hand.
    public struct Handled: Sendable {
        /// Those that are to arrive now.
        public var delivered: [Waiting] = []
        /// Those that are lost.
        public var lost: [Waiting] = []
        /// Those that are new.
        public var copies: [Waiting] = []
    }

    /// Does something with messages that wait.
    ///
    /// - Parameter number: Draws the number of a copy.
    public mutating func handle(_ action: MessageAction, _ messages: LinkMessages, number: () -> UInt64) -> Handled {
        switch action {
        case .deliver: Handled(delivered: take(messages))
        case .drop: Handled(lost: take(messages))
        case .duplicate: Handled(copies: duplicate(messages, number: number))
        }
    }

    /// Takes messages that wait out of their order and hands them back.
    private mutating func take(_ messages: LinkMessages) -> [Waiting] {
        switch messages {
        case .numbered(let number):
            guard let place = queue.firstIndex(where: { $0.number == number }) else { return [] }
            return [queue.remove(at: place)]
        case .oldest(let count):
            defer { queue.removeFirst(min(count, queue.count)) }
            return Array(queue.prefix(count))
        }
    }

    /// Doubles messages that wait, as far as there is room: each copy comes right after its original, under a number of
    /// its own. Hands the copies back.
    private mutating func duplicate(_ messages: LinkMessages, number: () -> UInt64) -> [Waiting] {
        var copies: [Waiting] = []
        var doubled = Deque<Waiting>()
        for (place, waiting) in queue.enumerated() {
            doubled.append(waiting)
            let isMeant =
                switch messages {
                case .numbered(let number): waiting.number == number
                case .oldest(let count): place < count
                }
            guard isMeant, queue.count + copies.count < Link.waitingMax else { continue }
            var copy = waiting
            copy.original = waiting.original ?? waiting.number
            copy.number = number()
            doubled.append(copy)
            copies.append(copy)
        }
        queue = doubled
        return copies
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

extension Link.Loss {
    /// The reason as an event has it.
    public var reason: MessageLost.Reason {
        switch self {
        case .cut: .cut
        case .chance: .chance
        case .full: .full
        }
    }
}

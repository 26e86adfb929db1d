import Glibc
import RaftCore
import RaftTrace

/// A laboratory in which what has happened happens again: a trace, told event by event as its time passes. It begins
/// with the clock standing still, at a moment of one's choice. Nothing can be done to it but to let it go on.
public final class Replay: RunningLaboratory {
    private let events: [Event]
    /// The event that is told next.
    private var place = 0
    /// How many events are told whatever the time.
    private var target = 0
    private var clock = ClusterClock(rate: 0)
    private var speed: Double
    /// What was done to the clock, to be told.
    private var told: [Event] = []

    /// The servers there were.
    public let members: [NodeID]
    /// A replay has nothing to start.
    public let hasStarted = true
    /// A replay can't be held up.
    public var isWatched = false

    /// A replay of `events`, which are in order, the beginning of a cluster first.
    ///
    /// - Parameters:
    ///   - sequence: The event to stop at; `nil` for the first.
    ///   - speed: The rate to go on with.
    public init(_ events: [Event], stoppingAt sequence: UInt64?, speed: Double) {
        // How fast time passes is this replay's to say.
        self.events = events.filter { if case .clock = $0.kind { false } else { true } }
        self.speed = speed
        if case .began(let began)? = events.first?.kind { members = began.members } else { members = [] }
        let last = sequence.flatMap { stop in self.events.firstIndex { $0.sequence >= stop } } ?? 0
        jump(to: last + 1)
    }

    /// The time in the trace.
    public var now: Instant { min(clock.now, events.last?.at ?? .zero) }

    /// Events come with time alone.
    public var eventDescriptor: Int32? { nil }

    /// When the next event is due.
    public var delay: Int64? {
        if !told.isEmpty || place < target { return 0 }
        return place < events.count ? clock.realDelay(until: events[place].at) : nil
    }

    /// Whether all of the trace has happened.
    public var isOver: Bool { place >= events.count }
    /// What to say then.
    public static let end = "the trace ends here: r and r again go back to its beginning"

    /// What has happened began with disks as they were.
    public func prepare(_ boot: Boot) throws(Refusal) { throw Replay.past }

    /// Nothing is to be started.
    public func start() {}

    /// Lets the clock go on or stand still, or goes back to the beginning; nothing else can be done.
    public func perform(_ command: Command, seeing picture: Picture) throws(Refusal) -> UInt64? {
        switch command {
        case .freeze:
            if clock.isFrozen { throw Refusal("the clock stands still already") }
            changeClock(0)
        case .thaw:
            if place >= events.count { throw Refusal(Replay.end) }
            changeClock(speed)
        case .speed(let rate):
            speed = rate
            if !clock.isFrozen { changeClock(rate) }
        case .reset: jump(to: 1)
        default: throw Replay.past
        }
        return nil
    }

    private static let past = Refusal("this is a trace, and has happened: Space lets it go on, [ and ] set its speed")

    /// Nothing is watched.
    public func releaseWatched() {}

    /// Nothing is held.
    public func close() {}

    /// Whether what was ordered is told.
    public var isSettled: Bool { told.isEmpty && place >= target }

    /// The events whose time has come, in order.
    public func takeEvents() -> [Event] {
        let first = place
        while place < events.count, place < target || !clock.isFrozen && events[place].at <= clock.now { place += 1 }
        if place == events.count, !clock.isFrozen { changeClock(0) }
        defer { told = [] }
        return events[first..<place] + told
    }

    /// Returns when the next event is due.
    public func waitForEvents(until moment: Instant?) {
        guard let delay = [delay, moment.flatMap { clock.realDelay(until: $0) }].compactMap({ $0 }).min() else {
            return
        }
        RealTime.sleep(nanoseconds: delay)
    }

    /// Begins anew, stopped after so many events.
    private func jump(to count: Int) {
        place = 0
        target = min(count, events.count)
        clock = ClusterClock(rate: 0, from: target > 0 ? events[target - 1].at : .zero)
        tellClock()
    }

    private func changeClock(_ rate: Double) {
        clock = clock.changed(toRate: rate)
        tellClock()
    }

    private func tellClock() {
        let last = max(place, target)
        let sequence = last > 0 ? events[last - 1].sequence : 0
        told.append(Event(at: now, sequence: sequence, kind: .clock(ClockRate(rate: clock.rate))))
    }
}

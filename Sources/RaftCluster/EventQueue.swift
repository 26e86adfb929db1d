import Laboratory
import RaftCore
import RaftTrace
import Synchronization

/// The way of events from the servers' threads to the one that shows them. Telling an event takes no lock, so that no
/// server ever waits for the screen.
///
/// Events are numbered when they are told, before anything that they cause leaves their server; so a cause always has
/// the lower number. The reader puts them in this order.
final class EventQueue: Sendable {
    /// A row of events that were told together; a link of the stack that producers push on and the reader takes whole.
    private final class Batch {
        let events: [Event]
        /// The address of the batch that was pushed before; zero for the first.
        var next: UInt = 0

        init(events: [Event]) { self.events = events }

        var first: UInt64 { events[0].sequence }
    }

    /// The address of the batch that was pushed last; zero where there is none.
    private let top = Atomic<UInt>(0)
    private let nextSequence: Atomic<UInt64>
    private let queued = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let isSignaled = Atomic<Bool>(false)
    private let dropEpoch = Atomic<Int>(0)
    private let pipe = WakingPipe()

    /// How many events may wait for the reader before those that may be left out are.
    static let queuedMax = 50_000
    /// How many events the reader gets through while nobody notices.
    private static let crowdedMin = 5_000

    /// A way on which the first event has this number.
    init(first: UInt64 = 1) {
        nextSequence = Atomic(first)
    }

    deinit {
        _ = takeBatches()
    }

    /// A descriptor that can be read from when there is something to take.
    var descriptor: Int32 { pipe.descriptor }

    /// Changes whenever events were left out: whoever sees it change tells its whole state again.
    var lossEpoch: Int { dropEpoch.load(ordering: .relaxed) }

    /// Tells what happened, in order. Answers the number of the last that was told; zero where all were left out.
    @discardableResult
    func tell(_ kinds: [Event.Kind], at moment: Instant) -> UInt64 {
        var kinds = kinds
        if queued.load(ordering: .relaxed) > EventQueue.queuedMax {
            let all = kinds.count
            kinds.removeAll { Event(at: moment, sequence: 0, kind: $0).isDroppable }
            if kinds.count < all { dropped.add(all - kinds.count, ordering: .relaxed) }
        }
        guard !kinds.isEmpty else { return 0 }
        let first = nextSequence.add(UInt64(kinds.count), ordering: .relaxed).oldValue
        var events: [Event] = []
        events.reserveCapacity(kinds.count)
        for kind in kinds { events.append(Event(at: moment, sequence: first + UInt64(events.count), kind: kind)) }
        queued.add(events.count, ordering: .relaxed)
        push(Batch(events: events))
        signal()
        return first + UInt64(events.count) - 1
    }

    /// Wakes the reader.
    func signal() {
        guard !isSignaled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        pipe.wake()
    }

    /// Takes note of the signal: what happens from here on signals again. One reader alone calls this, before it looks
    /// at what it was woken for.
    func acknowledgeSignal() {
        pipe.acknowledge()
        // An exchange, no store: who found the flag up before has made all he did visible to whoever takes it down.
        _ = isSignaled.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Whether the reader has much to catch up with, so that whoever can had better wait.
    var isCrowded: Bool { queued.load(ordering: .relaxed) > EventQueue.crowdedMin }

    /// Everything that was told, each batch in its place as far as it is there, and how many events were left out since the last time. One
    /// reader alone calls this.
    func take() -> (events: [Event], dropped: Int) {
        let events = takeBatches()
        queued.subtract(events.count, ordering: .relaxed)
        let lost = dropped.exchange(0, ordering: .relaxed)
        if lost > 0 { dropEpoch.add(1, ordering: .relaxed) }
        return (events, lost)
    }

    private func push(_ batch: Batch) {
        let link = UInt(bitPattern: Unmanaged.passRetained(batch).toOpaque())
        var expected = top.load(ordering: .relaxed)
        while true {
            batch.next = expected
            let (isDone, found) = top.weakCompareExchange(
                expected: expected, desired: link, ordering: .acquiringAndReleasing)
            if isDone { return }
            expected = found
        }
    }

    private func takeBatches() -> [Event] {
        var link = top.exchange(0, ordering: .acquiringAndReleasing)
        var batches: [Batch] = []
        while let taken = UnsafeRawPointer(bitPattern: link) {
            // Each link was retained once when it was pushed, and is released here, its only reader.
            let batch = Unmanaged<Batch>.fromOpaque(taken).takeRetainedValue()
            batches.append(batch)
            link = batch.next
        }
        // The numbers within a batch are a row.
        batches.sort { $0.first < $1.first }
        var events: [Event] = []
        events.reserveCapacity(batches.reduce(0) { $0 + $1.events.count })
        for batch in batches { events.append(contentsOf: batch.events) }
        return events
    }
}

/// Puts events in the order of their numbers. One that is told but not yet pushed leaves a gap; what comes after it waits
/// until it is there.
struct EventOrder {
    private var early: [Event] = []
    private var next: UInt64

    /// An order in which the first event has this number.
    init(first: UInt64 = 1) { next = first }

    /// Whether nothing that was taken waits for something that is still to come.
    var isComplete: Bool { early.isEmpty }

    /// Takes events and answers those that are next in order.
    mutating func sort(_ events: [Event]) -> [Event] {
        // Mostly they are in order, and nothing is missing.
        if early.isEmpty, let first = events.first, let last = events.last, first.sequence == next,
            last.sequence == next + UInt64(events.count) - 1,
            zip(events, events.dropFirst()).allSatisfy({ $0.sequence < $1.sequence })
        {
            next += UInt64(events.count)
            return events
        }
        early.append(contentsOf: events)
        early.sort { $0.sequence < $1.sequence }
        var count = 0
        while count < early.count, early[count].sequence == next {
            count += 1
            next += 1
        }
        defer { early.removeFirst(count) }
        return Array(early.prefix(count))
    }
}

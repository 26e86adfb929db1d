import Glibc
import RaftTrace
import Synchronization

/// Carries a server's events to those who listen, on a thread of its own, which sleeps while there are none.
final class EventPump: Sendable {
    private let events: EventQueue
    private let hub: EventHub
    private let isOver = Atomic<Bool>(false)

    /// Carries `events` to `hub` from now on.
    init(_ events: EventQueue, to hub: EventHub) {
        self.events = events
        self.hub = hub
        let box = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                // Retained for just this, when the thread was made.
                Unmanaged<EventPump>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        precondition(result == 0, "no thread to be had: \(String(cString: strerror(result)))")
        pthread_detach(thread)
    }

    /// Lets the thread end, and with it what is heard.
    func stop() {
        isOver.store(true, ordering: .releasing)
        events.signal()
    }

    private func run() {
        var order = EventOrder()
        while !isOver.load(ordering: .acquiring) {
            var request = pollfd(fd: events.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, -1)
            events.acknowledgeSignal()
            let (taken, dropped) = events.take()
            if dropped > 0, let last = taken.last {
                events.tell([.dropped(EventsDropped(count: dropped))], at: last.at)
            }
            hub.tell(order.sort(taken))
        }
        hub.end()
    }
}

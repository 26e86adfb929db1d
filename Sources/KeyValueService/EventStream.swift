import FoundationEssentials
import HummingbirdCore
import KeyValue
import NIOCore
import RaftNode
import RaftTrace
import Synchronization

/// Everything that happens on the server, as server-sent events. Events wait for their reader in a mailbox, so that the
/// server waits for nobody; who lets too many wait is given up.
struct EventStream<Node: ServedNode>: Sendable {
    let node: Node
    let limits: ServiceLimits
    let complaints: Complaints

    /// Writes events until somebody has had enough.
    func write(to writer: inout any ResponseBodyWriter, mailbox: EventMailbox, channel: any Channel) async throws {
        let keepAlive = channel.eventLoop.scheduleRepeatedTask(
            initialDelay: TimeAmount(limits.keepAlive), delay: TimeAmount(limits.keepAlive)
        ) { _ in mailbox.nudge() }
        channel.closeFuture.whenComplete { _ in mailbox.close() }
        defer { keepAlive.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await collect(into: mailbox, channel: channel) }
            defer { group.cancelAll() }
            try await EventStream.copy(from: mailbox, to: &writer)
        }
    }

    /// Puts what happens into the mailbox.
    private func collect(into mailbox: EventMailbox, channel: any Channel) async {
        for await events in node.happenings() {
            guard mailbox.put(events) else {
                if mailbox.hasOverflown {
                    complaints.note(.slowReader)
                    // The reader may be what the writer waits for.
                    channel.close(promise: nil)
                }
                return
            }
        }
        mailbox.close()
    }

    private static func copy(from mailbox: EventMailbox, to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
        while let events = await mailbox.next() {
            var rest = events[...]
            repeat {
                let some = rest.prefix(chunk)
                // Not on the connection's loop: others wait there, and this is work.
                let bytes = try await withTaskExecutorPreference(globalConcurrentExecutor) { try text(of: some) }
                try await writer.write(bytes)
                rest = rest.dropFirst(chunk)
            } while !rest.isEmpty
        }
    }

    /// How many events are written at once.
    private static var chunk: Int { 64 }

    /// The events as they are sent; without any, a line that says no more than that somebody is there.
    private static func text(of events: ArraySlice<Event>) throws -> ByteBuffer {
        guard !events.isEmpty else { return ByteBuffer(string: ":\n\n") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = ByteBuffer()
        for event in events {
            text.writeString("id: \(event.sequence)\ndata: ")
            text.writeBytes(try encoder.encode(event))
            text.writeStaticString("\n\n")
        }
        return text
    }
}

/// Events that wait for their reader.
final class EventMailbox: Sendable {
    private struct State {
        var events: [Event] = []
        var waiter: CheckedContinuation<[Event]?, Never>?
        var isClosed = false
        var hasOverflown = false
    }

    private let state = Mutex(State())
    private let max: Int

    /// A mailbox for so many events.
    init(max: Int) { self.max = max }

    /// Whether more were put in than there is room for.
    var hasOverflown: Bool { state.withLock { $0.hasOverflown } }

    /// Puts events in.
    ///
    /// - Returns: Whether more are wanted.
    func put(_ events: [Event]) -> Bool {
        let (waiter, isOpen) = state.withLock { state -> (CheckedContinuation<[Event]?, Never>?, Bool) in
            guard !state.isClosed else { return (nil, false) }
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, true)
            }
            state.events += events
            state.hasOverflown = state.events.count > max
            if state.hasOverflown { (state.isClosed, state.events) = (true, []) }
            return (nil, !state.hasOverflown)
        }
        waiter?.resume(returning: events)
        return isOpen
    }

    /// Lets the reader look up, though there may be nothing.
    func nudge() {
        state.withLock { state -> CheckedContinuation<[Event]?, Never>? in
            defer { state.waiter = nil }
            return state.waiter
        }?.resume(returning: [])
    }

    /// Nothing more will come.
    func close() {
        state.withLock { state -> CheckedContinuation<[Event]?, Never>? in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }?.resume(returning: nil)
    }

    /// The events that wait, or the next ones; none where the reader was nudged, and `nil` at the end.
    func next() async -> [Event]? {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> [Event]?? in
                if !state.events.isEmpty {
                    let events = state.events
                    state.events = []
                    return .some(events)
                }
                if state.isClosed { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}

/// Those who read events now.
final class EventReaders: Sendable {
    /// What the answer to a reader says that it is.
    static let contentType = "text/event-stream"

    private let open = Mutex<(mailboxes: [ObjectIdentifier: EventMailbox], isEnding: Bool)>(([:], false))

    /// One more, if there is room.
    func add(limits: ServiceLimits) -> EventMailbox? {
        open.withLock { open in
            guard open.mailboxes.count < limits.readers, !open.isEnding else { return nil }
            let mailbox = EventMailbox(max: limits.eventsBehind)
            open.mailboxes[ObjectIdentifier(mailbox)] = mailbox
            return mailbox
        }
    }

    /// One less.
    func remove(_ mailbox: EventMailbox) {
        _ = open.withLock { $0.mailboxes.removeValue(forKey: ObjectIdentifier(mailbox)) }
    }

    /// How many there are.
    var count: Int { open.withLock { $0.mailboxes.count } }

    /// Sends them all away.
    func end() {
        let mailboxes = open.withLock { open in
            open.isEnding = true
            return Array(open.mailboxes.values)
        }
        for mailbox in mailboxes { mailbox.close() }
    }
}

import DequeModule
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
        channel.closeFuture.whenComplete { _ in mailbox.discard() }
        defer { keepAlive.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await collect(into: mailbox, channel: channel) }
            defer { group.cancelAll() }
            try await EventStream.copy(from: mailbox, to: &writer)
        }
    }

    /// Puts what happens into the mailbox.
    private func collect(into mailbox: EventMailbox, channel: any Channel) async {
        for await rows in node.happenings() {
            guard mailbox.put(rows) else {
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
        while let mail = await mailbox.next() {
            switch mail {
            case .nothing: try await writer.write(ByteBuffer(string: ":\n\n"))
            case .row(let row):
                // Not on the connection's loop: others wait there, and this is work.
                let bytes = try await withTaskExecutorPreference(globalConcurrentExecutor) {
                    try row.text(EventText.text)
                }
                try await writer.write(ByteBuffer(bytes: bytes))
            }
        }
    }
}

/// Events as they are sent.
enum EventText {
    /// The text of `events`.
    ///
    /// - Throws: `CancellationError` as soon as nobody wants it any more.
    static func text(of events: [Event]) throws -> Bytes {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = Bytes()
        for event in events {
            try Task.checkCancellation()
            text += "id: \(event.sequence)\ndata: ".utf8
            text += try encoder.encode(event)
            text += "\n\n".utf8
        }
        return text
    }
}

/// Events that wait for their reader.
final class EventMailbox: Sendable {
    /// What a reader finds.
    enum Mail: Sendable {
        case row(ToldEvents)
        /// He was nudged.
        case nothing
    }

    private struct State {
        var rows = Deque<ToldEvents>()
        /// How many events the rows have, and about how many bytes.
        var (count, weight) = (0, 0)
        var waiter: CheckedContinuation<Mail?, Never>?
        var isClosed = false
        var hasOverflown = false

        mutating func take() -> Mail? {
            guard let row = rows.popFirst() else { return nil }
            count -= row.events.count
            weight -= row.weight
            return .row(row)
        }

        mutating func empty() { (rows, count, weight) = ([], 0, 0) }
    }

    private let state = Mutex(State())
    private let eventsMax: Int
    private let bytesMax: Int

    /// A mailbox for so many events, and so many bytes of them.
    init(eventsMax: Int, bytesMax: Int) { (self.eventsMax, self.bytesMax) = (eventsMax, bytesMax) }

    /// Whether more were put in than there is room for.
    var hasOverflown: Bool { state.withLock { $0.hasOverflown } }

    /// Puts events in. What comes at once is taken, however much it is: it is there already, and for all readers the same.
    ///
    /// - Returns: Whether more are wanted.
    func put(_ rows: [ToldEvents]) -> Bool {
        let (waiter, mail, isOpen) = state.withLock { state -> (CheckedContinuation<Mail?, Never>?, Mail?, Bool) in
            guard !state.isClosed else { return (nil, nil, false) }
            let isBehind = !state.rows.isEmpty
            for row in rows {
                state.rows.append(row)
                state.count += row.events.count
                state.weight += row.weight
            }
            state.hasOverflown = isBehind && (state.count > eventsMax || state.weight > bytesMax)
            if state.hasOverflown {
                state.isClosed = true
                state.empty()
            }
            guard let waiter = state.waiter, let mail = state.take() else { return (nil, nil, !state.hasOverflown) }
            state.waiter = nil
            return (waiter, mail, true)
        }
        waiter?.resume(returning: mail)
        return isOpen
    }

    /// Lets the reader look up, though there may be nothing.
    func nudge() {
        state.withLock { state -> CheckedContinuation<Mail?, Never>? in
            defer { state.waiter = nil }
            return state.waiter
        }?.resume(returning: .nothing)
    }

    /// Nothing more will come.
    func close() {
        state.withLock { state -> CheckedContinuation<Mail?, Never>? in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }?.resume(returning: nil)
    }

    /// The reader is gone: what waits for him is of no use.
    func discard() {
        close()
        state.withLock { $0.empty() }
    }

    /// What waits, or comes next; `nil` at the end.
    func next() async -> Mail? {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> Mail?? in
                if let mail = state.take() { return .some(mail) }
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
            let mailbox = EventMailbox(eventsMax: limits.eventsBehind, bytesMax: limits.bytesBehind)
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

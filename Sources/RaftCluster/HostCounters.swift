import RaftCore
import RaftNode

/// How often a server has done this and that since it was made.
struct HostCounters: Sendable {
    /// Syncs of its log.
    var syncs = 0
    /// The entries that were written to it.
    var entriesWritten = 0
    /// Messages that it sent.
    var messagesSent = 0
    /// Messages that came.
    var messagesReceived = 0
    /// Messages with entries that it sent.
    var appends = 0
    /// The entries in them.
    var entriesSent = 0
    /// Terms in which it became the leader.
    var elections = 0

    /// Takes note that `message` was sent.
    mutating func count(_ message: Message) {
        messagesSent += 1
        guard case .append(let append) = message.body, !append.entries.isEmpty else { return }
        appends += 1
        entriesSent += append.entries.count
    }

    /// What of it is told to those who serve the server.
    var served: ServedCounters {
        var served = ServedCounters()
        served.messagesSent = UInt64(messagesSent)
        served.messagesReceived = UInt64(messagesReceived)
        served.syncs = UInt64(syncs)
        served.entriesWritten = UInt64(entriesWritten)
        served.elections = UInt64(elections)
        return served
    }

    static func + (left: HostCounters, right: HostCounters) -> HostCounters { combined(left, right, +) }

    static func - (left: HostCounters, right: HostCounters) -> HostCounters { combined(left, right, -) }

    private static func combined(
        _ left: HostCounters, _ right: HostCounters, _ combine: (Int, Int) -> Int
    ) -> HostCounters {
        var result = HostCounters()
        for field in fields { result[keyPath: field] = combine(left[keyPath: field], right[keyPath: field]) }
        return result
    }

    private static var fields: [WritableKeyPath<HostCounters, Int>] {
        [\.syncs, \.entriesWritten, \.messagesSent, \.messagesReceived, \.appends, \.entriesSent, \.elections]
    }
}

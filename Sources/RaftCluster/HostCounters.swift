import RaftCore

/// How often a server has done this and that.
struct HostCounters: Sendable {
    /// Syncs of its log.
    var syncs = 0
    /// Messages with entries that it sent.
    var appends = 0
    /// The entries in them.
    var entriesSent = 0

    /// Takes note that `message` was sent.
    mutating func count(_ message: Message) {
        guard case .append(let append) = message.body, !append.entries.isEmpty else { return }
        appends += 1
        entriesSent += append.entries.count
    }

    static func + (left: HostCounters, right: HostCounters) -> HostCounters {
        HostCounters(
            syncs: left.syncs + right.syncs, appends: left.appends + right.appends,
            entriesSent: left.entriesSent + right.entriesSent)
    }

    static func - (left: HostCounters, right: HostCounters) -> HostCounters {
        HostCounters(
            syncs: left.syncs - right.syncs, appends: left.appends - right.appends,
            entriesSent: left.entriesSent - right.entriesSent)
    }
}

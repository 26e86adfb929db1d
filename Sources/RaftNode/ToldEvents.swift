import RaftTrace
import Synchronization

/// Events that are told together to everybody who listens. Whoever is the first to need them as text makes it for all.
public final class ToldEvents: Sendable {
    /// The events, their long keys and values cut.
    public let events: [Event]
    /// About how many bytes they take.
    public let weight: Int
    private let text = Mutex<[UInt8]?>(nil)

    /// The most events that are told together: making their text must take no longer than others can wait.
    private static let countMax = 64
    /// The most bytes; one event may be more.
    private static let weightMax = 1 << 16

    private init(_ events: [Event], weight: Int) {
        self.events = events
        self.weight = weight
    }

    /// The events, cut, in rows of so few that each is soon written.
    public static func rows(of events: [Event]) -> [ToldEvents] {
        var rows: [ToldEvents] = []
        var (row, weight): ([Event], Int) = ([], 0)
        for event in events {
            let event = event.abridged
            if row.count == countMax || (!row.isEmpty && weight + event.weight > weightMax) {
                rows.append(ToldEvents(row, weight: weight))
                (row, weight) = ([], 0)
            }
            row.append(event)
            weight += event.weight
        }
        if !row.isEmpty { rows.append(ToldEvents(row, weight: weight)) }
        return rows
    }

    /// The events as text, which `make` makes where nobody did before. Others wait meanwhile: they would do the same.
    public func text(_ make: ([Event]) throws -> [UInt8]) rethrows -> [UInt8] {
        try text.withLock { text in
            if let text { return text }
            let made = try make(events)
            text = made
            return made
        }
    }
}

import Logging
import Synchronization

/// A kind of misbehaviour.
enum Complaint: String, CaseIterable, Sendable {
    case garbage
    case slowRequest = "slow_request"
    case slowReader = "slow_reader"
    case tooLarge = "too_large"
    case tooManyConnections = "too_many_connections"
    case tooManyReaders = "too_many_readers"
    case foreignHost = "foreign_host"
    case foreignOrigin = "foreign_origin"
    case wrongSecret = "wrong_secret"

    /// What somebody did.
    var sentence: String {
        switch self {
        case .garbage: "somebody sent what is no HTTP"
        case .slowRequest: "somebody took too long to send a request"
        case .slowReader: "somebody took too long to read an answer"
        case .tooLarge: "somebody sent more than is taken"
        case .tooManyConnections:
            "there are as many connections as there may be: idle ones make room, and further ones wait"
        case .tooManyReaders: "there are as many readers of events as there may be"
        case .foreignHost: "somebody asked for another host"
        case .foreignOrigin: "a page of another origin wanted to change something"
        case .wrongSecret: "somebody wanted to disturb the cluster without its token"
        }
    }
}

/// Tells misbehaviour, but not as often as it happens: whoever misbehaves may not fill a disk with it.
final class Complaints: Sendable {
    private struct Tally {
        var count: UInt64 = 0
        var told: UInt64 = 0
        var lastTold: ContinuousClock.Instant?
    }

    private let tallies = Mutex<[Complaint: Tally]>([:])
    private let logger: Logger
    private let interval: Duration

    init(logger: Logger, interval: Duration) {
        self.logger = logger
        self.interval = interval
    }

    /// Somebody misbehaves.
    func note(_ complaint: Complaint) {
        let now = ContinuousClock.now
        let untold = tallies.withLock { tallies -> UInt64? in
            var tally = tallies[complaint, default: Tally()]
            defer { tallies[complaint] = tally }
            tally.count += 1
            if let last = tally.lastTold, now - last < interval { return nil }
            defer { (tally.told, tally.lastTold) = (tally.count, now) }
            return tally.count - tally.told
        }
        guard let untold else { return }
        logger.warning("\(complaint.sentence)\(untold > 1 ? " (\(untold) times since this was last told)" : "")")
    }

    /// How often each kind has happened.
    var counts: [(complaint: Complaint, count: UInt64)] {
        let tallies = tallies.withLock { $0 }
        return Complaint.allCases.map { ($0, tallies[$0]?.count ?? 0) }
    }
}

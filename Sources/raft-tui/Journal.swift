import Glibc
import Logging
import RaftCluster
import RaftCore
import RaftTrace
import Synchronization

/// What a node in a process of its own tells on standard error: a line where it starts, where its role, its term or its
/// leader changes, and where it closes a connection that was of no use.
final class Journal: Sendable {
    private let logger: Logger
    /// Where the HTTP face tells of misbehaviour, and of nothing else.
    let complaints: Logger
    private let state = Mutex(State())

    private struct State {
        var failure: String?
        var standing: RaftCluster.Standing?
        var hungUp: [String: Int64] = [:]
    }

    /// How long one complaint is not told again, in seconds: whoever is turned away comes again.
    private static let silence: Int64 = 60
    private static let complaintsMax = 256

    /// The journal of `id`.
    init(id: NodeID) {
        logger = Logger(label: "\(id)") { StreamLogHandler.standardError(label: $0) }
        var complaints = logger
        complaints.logLevel = .warning
        self.complaints = complaints
    }

    /// Why the node can't start or has stopped; `nil` while it is well.
    var failure: String? { state.withLock(\.failure) }

    /// Tells something.
    func log(_ text: String) { logger.info("\(text)") }

    /// Tells what somebody may have to do something about.
    func warn(_ text: String) { logger.warning("\(text)") }

    /// Takes note of what happened to the node.
    func take(_ report: ServerReport) {
        switch report {
        case .ordered(let line): log("is disturbed by somebody who knows the secret: \(line)")
        case .started(let started, let isVoter):
            let entries = started.log.reduce(0) { $0 + $1.count }
            log("runs, with \(entries) entries in its log" + (started.port.map { ", and listens on port \($0)" } ?? ""))
            for repair in started.repairs { log(repair) }
            if !isVoter {
                log("has no vote until it is added, or, where its number is a member's, removed and added")
            }
        // Who asks whether he would be elected does so again and again.
        case .standing(let standing) where standing.role == .precandidate: break
        case .standing(let standing):
            guard isNew(standing) else { return }
            let leader = standing.role == .leader ? nil : standing.leader
            log("\(standing.role.rawValue) in term \(standing.term)" + (leader.map { ", led by \($0)" } ?? ""))
        case .hungUp(let reason): if isNew(reason) { logger.warning("\(reason)") }
        case .failed(let reason):
            state.withLock { $0.failure = $0.failure ?? reason }
            // The main thread waits for signals.
            kill(getpid(), SIGTERM)
        }
    }

    private func isNew(_ standing: RaftCluster.Standing) -> Bool {
        state.withLock { state in
            defer { state.standing = standing }
            return state.standing != standing
        }
    }

    private func isNew(_ reason: String) -> Bool {
        let now = Int64(time(nil))
        return state.withLock { state in
            if let last = state.hungUp[reason], now - last < Journal.silence { return false }
            if state.hungUp.count >= Journal.complaintsMax { state.hungUp = [:] }
            state.hungUp[reason] = now
            return true
        }
    }
}

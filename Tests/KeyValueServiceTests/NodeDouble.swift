import KeyValue
import RaftCore
import RaftNode
import RaftTrace
import Synchronization

@testable import KeyValueService

/// A server that is a state machine and no more, and that can be told to have no leader, to know nothing, or to wait.
final class NodeDouble: ServedNode {
    enum Mood: Sendable {
        case leads
        case hasNoLeader
        case knowsNothing
        case refuses(String)
        /// Answers when ``NodeDouble/release()`` is called.
        case waits
        case isDown
    }

    struct Call: Hashable, Sendable {
        var request: Request
        var once: String?
    }

    private struct State {
        var machine = StateMachine()
        var mood = Mood.leads
        var calls: [Call] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var readers: [AsyncStream<[ToldEvents]>.Continuation] = []
        var lines: [String] = []
        var leader: NodeID? = NodeID(1)
        var leaderAddress: String? = "127.0.0.1:8001"
    }

    let id = NodeID(1)
    private let state = Mutex(State())

    var calls: [Call] { state.withLock { $0.calls } }
    var lines: [String] { state.withLock { $0.lines } }
    var readerCount: Int { state.withLock { $0.readers.count } }
    var store: Store { state.withLock { $0.machine.store } }

    func become(_ mood: Mood) { state.withLock { $0.mood = mood } }

    func follow(_ leader: Int?, at address: String?) {
        state.withLock { ($0.leader, $0.leaderAddress) = (leader.map { NodeID($0) }, address) }
    }

    func release() {
        let waiting = state.withLock { state in
            state.mood = .leads
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func tell(_ events: [Event]) {
        let rows = ToldEvents.rows(of: events)
        for reader in state.withLock({ $0.readers }) { reader.yield(rows) }
    }

    func endHappenings() {
        for reader in state.withLock({ $0.readers }) { reader.finish() }
    }

    // MARK: - A served node

    func call(_ request: Request, once key: String?) async -> ClientResult {
        let mood = state.withLock { state in
            state.calls.append(Call(request: request, once: key))
            return state.mood
        }
        switch mood {
        case .leads: return answer(request, once: key)
        case .hasNoLeader: return .notLeader(nil)
        case .knowsNothing: return .unknown
        case .refuses(let sentence): return .error(sentence)
        case .isDown: return .error("n1 is down")
        case .waits:
            await withCheckedContinuation { continuation in state.withLock { $0.waiting.append(continuation) } }
            return answer(request, once: key)
        }
    }

    private func answer(_ request: Request, once key: String?) -> ClientResult {
        state.withLock { state in
            switch request {
            case .get(let key, _): state.machine.store[key].map { .value($0) } ?? .notFound
            case .keys(let prefix, _):
                state.machine.store.keys(withPrefix: prefix).map { .keys($0) } ?? .refused(.tooMany)
            case .write(let operation):
                ClientResult(
                    state.machine.apply(
                        SessionCommand(
                            client: key ?? "", sequence: operation.fingerprint, firstIncomplete: 0,
                            operation: operation)))
            }
        }
    }

    func status() async -> ServedStatus? {
        state.withLock { state -> ServedStatus? in
            if case .isDown = state.mood { return nil }
            var counters = ServedCounters()
            counters.messagesSent = 17
            return ServedStatus(
                term: Term(3),
                state: NodeState(
                    incarnation: .first, role: state.leader == id ? .leader : .follower, vote: id,
                    leader: state.leader, commit: LogIndex(40), applied: LogIndex(39), durable: LogIndex(41),
                    log: [TermRun(term: Term(2), count: 5), TermRun(term: Term(3), count: 7)],
                    base: LogPosition(term: Term(2), index: LogIndex(30)),
                    snapshot: LogPosition(term: Term(2), index: LogIndex(32)),
                    members: Configuration([1, 2, 3].map { Configuration.Member(id: NodeID($0)) }), timer: nil,
                    peers: [], store: [], storeCount: state.machine.store.count),
                leaderAddress: state.leaderAddress, counters: counters)
        }
    }

    func happenings() -> AsyncStream<[ToldEvents]> {
        let (stream, continuation) = AsyncStream<[ToldEvents]>.makeStream()
        state.withLock { $0.readers.append(continuation) }
        return stream
    }

    func perform(line: String) async -> String? {
        state.withLock { $0.lines.append(line) }
        return line.hasPrefix("cut ") ? nil : "unknown command '\(line)'"
    }
}

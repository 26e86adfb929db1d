import HashTreeCollections

/// What the log is applied to: the store, and for each client what its recent writes came to, so that a write that
/// comes twice is done once (paper §8, thesis §6.3). The same commands in the same order give the same state on every
/// server.
public struct StateMachine: Hashable, Sendable {
    /// The keys and their values.
    public internal(set) var store = Store()
    var sessions: TreeDictionary<String, Session> = [:]
    /// How many commands were applied: the clock by which sessions grow old.
    var clock: UInt64 = 0

    /// How many clients are remembered. Beyond it, those that were silent the longest are forgotten, a tenth of them at
    /// once.
    public static let sessionsMax = 10_000

    /// How many results are kept for a client that never says which it has.
    public static let resultsPerSessionMax = 256

    /// An empty state machine.
    public init() {}

    /// How many clients are remembered.
    public var sessionCount: Int { sessions.count }

    /// The same store, with every client forgotten: no snapshot should be one of these.
    public var withoutSessions: StateMachine {
        var machine = self
        machine.sessions = [:]
        return machine
    }

    /// Applies `command`, unless it was applied before; either way, says what it came to. A client that isn't known but has
    /// written before was forgotten.
    public mutating func apply(_ command: SessionCommand) -> Outcome {
        clock += 1
        guard !command.client.isEmpty else { return store.apply(command.operation) }
        // Taken out, the sessions are changed in place while the store is: a look-up and an update in one.
        var sessions = TreeDictionary<String, Session>()
        swap(&sessions, &self.sessions)
        defer { swap(&sessions, &self.sessions) }
        var isNew = false
        func newSession() -> Session {
            isNew = true
            return Session()
        }
        let outcome = sessions.updateValue(forKey: command.client, default: newSession()) { session in
            isNew && command.firstIncomplete > 1 ? nil : session.apply(command, to: &store, at: clock)
        }
        guard isNew else { return outcome ?? .sessionExpired }
        guard let outcome else {
            sessions[command.client] = nil
            return .sessionExpired
        }
        StateMachine.forgetSilentClients(&sessions)
        return outcome
    }

    /// Whether `command` was applied before, so that applying it again changes nothing.
    public func hasApplied(_ command: SessionCommand) -> Bool {
        guard !command.client.isEmpty, let session = sessions[command.client] else { return false }
        return session.outcome(of: command.sequence) != nil
    }

    private static func forgetSilentClients(_ sessions: inout TreeDictionary<String, Session>) {
        guard sessions.count > sessionsMax else { return }
        let oldest = sessions.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(sessionsMax / 10)
        for (client, _) in oldest { sessions[client] = nil }
    }
}

/// What a client's recent writes came to.
struct Session: Hashable, Sendable {
    struct Result: Hashable {
        var sequence: UInt64
        var outcome: Outcome
    }

    /// The results of writes from ``firstIncomplete`` on, in ascending order of their numbers.
    var results: [Result] = []
    /// Writes before this number are done with: the client has their results.
    var firstIncomplete: UInt64 = 1
    /// When the client was last heard.
    var lastUse: UInt64 = 0

    /// What the write of this number came to; `nil` where it was not applied. A write that its client is done with is
    /// not applied again, though its result is gone.
    func outcome(of sequence: UInt64) -> Outcome? {
        if sequence < firstIncomplete { return .sessionExpired }
        return results.first { $0.sequence == sequence }?.outcome
    }

    /// Applies `command` to `store`, unless it was applied before; either way, says what it came to.
    mutating func apply(_ command: SessionCommand, to store: inout Store, at clock: UInt64) -> Outcome {
        if let outcome = outcome(of: command.sequence) {
            lastUse = clock
            return outcome
        }
        if command.firstIncomplete == 0, !results.isEmpty { return .nameUsed }
        let outcome = store.apply(command.operation)
        record(outcome, for: command, at: clock)
        return outcome
    }

    /// The longest value that is kept for a client that asks again, in bytes.
    static let keptValueMax = 1_024

    /// What is remembered of an outcome. Ten thousand clients' long values would be more than a snapshot has room for; whoever
    /// asks again what came of a write that changed nothing is told that nobody knows any more.
    private static func kept(_ outcome: Outcome) -> Outcome {
        if case .mismatch(let value) = outcome, value.count > keptValueMax { .sessionExpired } else { outcome }
    }

    private mutating func record(_ outcome: Outcome, for command: SessionCommand, at clock: UInt64) {
        lastUse = clock
        let outcome = Session.kept(outcome)
        if results.count == 1, results[0].sequence < command.sequence, command.firstIncomplete >= command.sequence {
            // A client that writes one thing after the other has the result of the one before.
            results[0] = Result(sequence: command.sequence, outcome: outcome)
            firstIncomplete = max(firstIncomplete, command.sequence)
            return
        }
        let place = results.firstIndex { $0.sequence > command.sequence } ?? results.endIndex
        results.insert(Result(sequence: command.sequence, outcome: outcome), at: place)
        firstIncomplete = max(firstIncomplete, min(command.firstIncomplete, command.sequence))
        results.removeAll { $0.sequence < firstIncomplete }
        if results.count > StateMachine.resultsPerSessionMax {
            firstIncomplete = results.removeFirst().sequence + 1
        }
    }
}

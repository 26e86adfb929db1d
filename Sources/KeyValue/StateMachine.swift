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

    /// Applies `command`, unless it was applied before; either way, says what it came to.
    public mutating func apply(_ command: SessionCommand) -> Outcome {
        clock += 1
        guard !command.client.isEmpty else { return store.apply(command.operation) }
        guard var session = session(for: command) else { return .sessionExpired }
        if let outcome = session.outcome(of: command.sequence) {
            session.lastUse = clock
            sessions[command.client] = session
            return outcome
        }
        let outcome = store.apply(command.operation)
        session.record(outcome, for: command, at: clock)
        sessions[command.client] = session
        forgetSilentClients()
        return outcome
    }

    /// Whether `command` was applied before, so that applying it again changes nothing.
    public func hasApplied(_ command: SessionCommand) -> Bool {
        guard !command.client.isEmpty, let session = sessions[command.client] else { return false }
        return session.outcome(of: command.sequence) != nil
    }

    /// The client's session, or a new one for a new client. A client that isn't known but has written before was
    /// forgotten.
    private func session(for command: SessionCommand) -> Session? {
        if let session = sessions[command.client] { return session }
        return command.firstIncomplete <= 1 ? Session() : nil
    }

    private mutating func forgetSilentClients() {
        guard sessions.count > StateMachine.sessionsMax else { return }
        let oldest = sessions.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(StateMachine.sessionsMax / 10)
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

    mutating func record(_ outcome: Outcome, for command: SessionCommand, at clock: UInt64) {
        lastUse = clock
        let place = results.firstIndex { $0.sequence > command.sequence } ?? results.endIndex
        results.insert(Result(sequence: command.sequence, outcome: outcome), at: place)
        firstIncomplete = max(firstIncomplete, min(command.firstIncomplete, command.sequence))
        results.removeAll { $0.sequence < firstIncomplete }
        if results.count > StateMachine.resultsPerSessionMax {
            firstIncomplete = results.removeFirst().sequence + 1
        }
    }
}

import KeyValue
import RaftCore
import RaftTrace

/// One client of the cluster, as a value: it follows the leader, sends a write again under the same number until
/// somebody answers, and gives up after a while without knowing (paper §8).
///
/// A client may have several calls open; each is handled on its own. Its host sends what ``Action`` says, hands in the
/// replies, and calls ``wake(at:)`` when ``deadline`` is reached.
public struct Client: Sendable {
    /// The client's name.
    public let name: String
    /// The server to ask first: the last one known to lead.
    private var preferred: NodeID?
    private var calls: [Call] = []
    private let firstSession: String
    private var session: String
    private var sessionsUsed = 1
    private var nextSequence: UInt64 = 1
    /// Whether a write of this session was answered, so that the cluster knows the session.
    private var isSessionKnown = false
    private var lastWrite: (sequence: UInt64, session: String, operation: Operation)?

    private let patience: Interval
    private let saysWhenUndone: Bool
    private let isForOneWrite: Bool

    /// How long a call goes on before its result is unknown, unless said.
    public static let patience = Interval.seconds(5)
    /// How long a server may be silent before another is asked.
    private static let attemptPatience = Interval.milliseconds(500)
    /// How long to wait before asking again where nobody leads.
    private static let pause = Interval.milliseconds(20)

    /// What the host is to do.
    public enum Action: Hashable, Sendable {
        /// Send this to a server; its reply carries the same number.
        case send(ClientRequest, to: NodeID)
        /// The call is over.
        case finish(ClientReturn)
    }

    private struct Call {
        var call: ClientCall
        /// The command's place in its session; `nil` for a read.
        var sequence: UInt64?
        var session: String
        var expires: Instant
        /// The request that is out, if one is.
        var request: RequestID?
        /// Requests before it that were not answered in time. An answer to one of them is as good: it is the same write
        /// under the same number, or a read that began no earlier than the call.
        var earlier: [RequestID] = []
        var target: NodeID?
        /// The last server that was asked in turn, and not because another named it: two that name each other, or one that
        /// is long gone, must not keep the turn from coming round.
        var turn: NodeID?
        /// When to ask again: after a silence, or after a pause.
        var next: Instant
        var attempts = 0
        /// Whether a server may have taken it without saying so.
        var mayBeDone = false

        /// Whether an attempt before the last may have been taken by a server.
        var mayHaveBeenTaken: Bool { mayBeDone || !earlier.isEmpty }
    }

    /// A client that has not called yet.
    ///
    /// - Parameter session: The name under which the cluster knows its writes. No other client of the cluster's whole
    ///   life may have the same, or its writes would be taken for repetitions.
    /// - Parameter saysWhenUndone: Whether a call that nobody took ends as refused, not as unknown.
    /// - Parameter isForOneWrite: Whether the session is for a single write, whoever sends it: others are refused.
    public init(
        name: String, session: String, patience: Interval = Client.patience, saysWhenUndone: Bool = false,
        isForOneWrite: Bool = false
    ) {
        self.name = name
        self.patience = patience
        self.saysWhenUndone = saysWhenUndone
        self.isForOneWrite = isForOneWrite
        self.session = session
        firstSession = session
    }

    /// When ``wake(at:)`` wants to be called; `nil` while no call is open.
    public var deadline: Instant? { calls.map { min($0.next, $0.expires) }.min() }

    /// How many calls are open.
    public var openCalls: Int { calls.count }

    /// What a retry would send again; `nil` before the first write.
    public var lastOperation: Operation? { lastWrite?.operation }

    /// Begins a call.
    ///
    /// - Parameters:
    ///   - nodes: The servers there are, in ascending order.
    ///   - nextID: Draws the name of the next request.
    public mutating func begin(
        _ call: ClientCall, at now: Instant, nodes: [NodeID], nextID: () -> RequestID
    ) -> [Action] {
        var open = Call(call: call, session: session, expires: now + patience, next: now)
        if case .write(let operation) = call.request {
            if isForOneWrite {
                open.sequence = operation.fingerprint
            } else if call.isRetry, let lastWrite {
                (open.sequence, open.session) = (lastWrite.sequence, lastWrite.session)
            } else {
                open.sequence = nextSequence
                lastWrite = (nextSequence, session, operation)
                nextSequence += 1
            }
        }
        let action = ask(&open, at: now, nodes: nodes, id: nextID())
        open.turn = open.target
        calls.append(open)
        return [action]
    }

    /// Takes a server's reply, or the host's own where the server can't be reached.
    public mutating func take(_ reply: Reply, at now: Instant, nodes: [NodeID], nextID: () -> RequestID) -> [Action] {
        guard let place = calls.firstIndex(where: { $0.request == reply.id }) else { return takeLate(reply) }
        var open = calls[place]
        open.request = nil
        if reply.result == .unknown { open.mayBeDone = true }
        if reply.isSessionGone {
            calls[place] = open
            return renewSession(for: place, at: now) + wake(at: now, nodes: nodes, nextID: nextID)
        }
        if ends(reply, open) { return [finish(place, with: reply.result)] }
        let leader: NodeID? = if case .notLeader(let node) = reply.result { node } else { nil }
        if let leader, leader != open.target, nodes.contains(leader) {
            // The server that was asked knows better: ask there at once. Two that point at each other cost a pause.
            preferred = leader
            let isPaced = open.attempts > 0 && open.attempts % 4 == 0
            open.next = isPaced ? now + Client.pause : now
        } else {
            takeTurn(&open, nodes)
            open.next = now + Client.pause
        }
        calls[place] = open
        return wake(at: now, nodes: nodes, nextID: nextID)
    }

    /// Takes the reply to a request that was given up: an answer ends the call, anything else was overtaken.
    private mutating func takeLate(_ reply: Reply) -> [Action] {
        guard let place = calls.firstIndex(where: { $0.earlier.contains(reply.id) }), !reply.isSessionGone else {
            return []
        }
        return reply.isFinal || reply.result.isAnswer ? [finish(place, with: reply.result)] : []
    }

    /// Asks again where it is time to, and gives up where a call has waited long enough.
    public mutating func wake(at now: Instant, nodes: [NodeID], nextID: () -> RequestID) -> [Action] {
        var actions: [Action] = []
        for place in calls.indices.reversed() {
            var open = calls[place]
            if open.expires <= now {
                let isUndone = saysWhenUndone && open.request == nil && !open.mayHaveBeenTaken
                actions.append(finish(place, with: isUndone ? .notLeader(nil) : .unknown))
            } else if open.next <= now {
                if open.request != nil { takeTurn(&open, nodes) }
                actions.append(ask(&open, at: now, nodes: nodes, id: nextID()))
                calls[place] = open
            }
        }
        return actions
    }

    // MARK: - Attempts

    private mutating func ask(_ open: inout Call, at now: Instant, nodes: [NodeID], id: RequestID) -> Action {
        let target = open.call.via ?? preferred.flatMap { nodes.contains($0) ? $0 : nil } ?? nodes.first ?? NodeID(1)
        if let request = open.request { open.earlier.append(request) }
        open.target = target
        open.request = id
        open.attempts += 1
        // Who asks one server and no other waits for it as long as it takes.
        open.next = open.call.via == nil ? now + Client.attemptPatience : open.expires
        return .send(ClientRequest(id: id, kind: kind(of: open)), to: target)
    }

    /// The server after the last one in turn is asked next.
    private mutating func takeTurn(_ open: inout Call, _ nodes: [NodeID]) {
        open.turn = successor(of: open.turn, in: nodes)
        preferred = open.turn
    }

    private func kind(of open: Call) -> ClientRequest.Kind {
        guard case .write(let operation) = open.call.request, let sequence = open.sequence else {
            return .read(open.call.request)
        }
        let others = calls.lazy.filter { $0.session == open.session }.compactMap(\.sequence)
        // Until something was applied there is no session: numbers that were used up by refused writes must not look as if
        // it had been forgotten.
        let isFirst = open.session == session && !isSessionKnown
        let first = isForOneWrite ? 0 : isFirst ? 1 : min(sequence, others.min() ?? sequence)
        return .write(
            SessionCommand(client: open.session, sequence: sequence, firstIncomplete: first, operation: operation))
    }

    /// Whether a call is over with this reply; otherwise it asks again.
    private func ends(_ reply: Reply, _ open: Call) -> Bool {
        // A store that is full for the second attempt may not have been for the first.
        if case .refused(let reason) = reply.result, reason != .full || !open.mayHaveBeenTaken { return true }
        return reply.isFinal || reply.result.isAnswer || open.call.via != nil
    }

    private mutating func finish(_ place: Int, with result: ClientResult) -> Action {
        let open = calls.remove(at: place)
        if result != .unknown { preferred = open.call.via == nil ? open.target : preferred }
        if open.sequence != nil, open.session == session, result.isAnswer { isSessionKnown = true }
        return .finish(ClientReturn(client: name, call: open.call.call, result: result))
    }

    private func successor(of node: NodeID?, in nodes: [NodeID]) -> NodeID? {
        guard let node else { return nodes.first }
        return nodes.first { $0 > node } ?? nodes.first
    }

    // MARK: - Sessions

    /// The cluster has forgotten this client's session. A write that was sent for the first time was not applied, and is
    /// sent in a new session; of one that was sent before nobody can say.
    private mutating func renewSession(for place: Int, at now: Instant) -> [Action] {
        var open = calls[place]
        let wasLast = lastWrite.map { $0.session == open.session && $0.sequence == open.sequence } ?? false
        if open.session == session {
            sessionsUsed += 1
            session = "\(firstSession)~\(sessionsUsed)"
            nextSequence = 1
            isSessionKnown = false
        }
        guard open.attempts == 1, !open.call.isRetry, case .write(let operation) = open.call.request else {
            return [finish(place, with: .unknown)]
        }
        open.session = session
        open.sequence = nextSequence
        if wasLast { lastWrite = (nextSequence, session, operation) }
        nextSequence += 1
        open.next = now
        calls[place] = open
        return []
    }
}

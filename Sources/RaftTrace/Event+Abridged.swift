import KeyValue
import RaftCore

// Events as they are told to whoever listens from outside. A key or a value may have a megabyte, and each of them is in
// half a dozen events, for every reader: what is told of it has an end.

extension Event {
    /// The event with its long keys and values cut.
    public var abridged: Event {
        var event = self
        event.kind = kind.abridged
        return event
    }

    /// About how many bytes the event takes, as a value or as text.
    public var weight: Int { 200 + kind.weight }
}

extension Event.Kind {
    fileprivate var abridged: Event.Kind {
        switch self {
        case .node(let node, let term, let event): return .node(node, term, event.abridged)
        case .sent(var sent):
            sent.message.body = sent.message.body.abridged
            return .sent(sent)
        case .called(var call):
            call.request = call.request.abridged
            return .called(call)
        case .returned(var answer):
            answer.result = answer.result.abridged
            return .returned(answer)
        case .began, .delivered, .lost, .link, .clock, .stepped, .settings, .load, .command, .violation, .dropped:
            return self
        }
    }

    fileprivate var weight: Int {
        switch self {
        case .node(_, _, .raft(.appended(let appended))): appended.entries.weight
        case .node(_, _, .applied(let applied)): (applied.key?.count ?? 0) + (applied.value?.count ?? 0)
        case .node(_, _, .state(let state)):
            state.store.reduce(0) { $0 + $1.key.count + $1.value.count } + 32 * state.log.count
        case .sent(let sent):
            switch sent.message.body {
            case .append(let append): append.entries.weight
            case .snapshot(let chunk): chunk.bytes.count
            default: 0
            }
        case .called(let call): call.request.weight
        case .returned(let answer):
            if case .keys(let keys) = answer.result {
                keys.reduce(0) { $0 + $1.count }
            } else {
                answer.result.told.count
            }
        default: 0
        }
    }
}

extension NodeEvent {
    fileprivate var abridged: NodeEvent {
        switch self {
        case .raft(.appended(let appended)):
            return .raft(.appended(Appended(first: appended.first, entries: appended.entries.map(\.abridged))))
        case .applied(var applied):
            (applied.key, applied.value) = (applied.key?.abridged, applied.value?.abridged)
            return .applied(applied)
        case .state(var state):
            state.store = state.store.map { NodeState.Pair(key: $0.key.abridged, value: $0.value.abridged) }
            return .state(state)
        default: return self
        }
    }
}

extension Message.Body {
    fileprivate var abridged: Message.Body {
        guard case .append(var append) = self else { return self }
        append.entries = append.entries.map(\.abridged)
        return .append(append)
    }
}

extension Entry {
    fileprivate var abridged: Entry {
        guard case .command(let bytes) = payload, bytes.count > Bytes.toldMax else { return self }
        guard var command = try? SessionCommand(decoding: bytes) else {
            return Entry(term: term, payload: .command(bytes.abridged))
        }
        command.operation = command.operation.abridged
        return Entry(term: term, payload: .command(command.encoded()))
    }
}

extension [Entry] {
    fileprivate var weight: Int {
        reduce(0) { weight, entry in
            // Each is an object of its own in the text.
            if case .command(let bytes) = entry.payload { weight + 100 + bytes.count } else { weight + 100 }
        }
    }
}

extension Request {
    /// The request as it is told: long keys and values are cut.
    public var abridged: Request {
        switch self {
        case .write(let operation): .write(operation.abridged)
        case .get(let key, let mode): .get(key: key.abridged, mode)
        case .keys(let prefix, let mode): .keys(prefix: prefix.abridged, mode)
        }
    }

    fileprivate var weight: Int {
        switch self {
        case .write(let operation): operation.bytes
        case .get(let key, _), .keys(let key, _): key.count
        }
    }
}

extension ClientResult {
    /// The most keys of a list that are told.
    private static let keysMax = 64

    /// The result as it is told: long values are cut, and of a long list of keys the first are named.
    fileprivate var abridged: ClientResult {
        switch self {
        case .value(let value): return .value(value.abridged)
        case .mismatch(let value): return .mismatch(value.abridged)
        case .keys(let keys):
            let told = keys.prefix(ClientResult.keysMax).map(\.abridged)
            return .keys(keys.count > told.count ? told + [Bytes("…[\(keys.count) keys]".utf8)] : told)
        case .ok, .notFound, .notLeader, .unknown, .error, .refused: return self
        }
    }
}

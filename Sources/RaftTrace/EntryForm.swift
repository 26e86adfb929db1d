import KeyValue
import RaftCore

// How entries and messages are written in a trace.

/// An entry: its term, and the command that it holds in words. One without a command is an empty entry.
struct EntryForm: Codable {
    var term: Term
    var client: String?
    var sequence: UInt64?
    var firstIncomplete: UInt64?
    var command: RequestForm?
    var members: Configuration?
    /// What no command can be made of.
    var bytes: String?

    init(_ entry: Entry) {
        term = entry.term
        if case .configuration(let configuration) = entry.payload { members = configuration }
        guard case .command(let bytes) = entry.payload else { return }
        guard let command = try? SessionCommand(decoding: bytes) else {
            self.bytes = ByteText.text(of: bytes)
            return
        }
        self.command = RequestForm(command.operation)
        guard !command.client.isEmpty else { return }
        client = command.client
        sequence = command.sequence
        firstIncomplete = command.firstIncomplete
    }

    func entry() throws -> Entry {
        if let text = bytes { return Entry(term: term, payload: .command(try RaftTrace.bytes(text, "bytes"))) }
        if let members { return Entry(term: term, payload: .configuration(members)) }
        guard let command else { return Entry(term: term, payload: .noop) }
        let whole = SessionCommand(
            client: client ?? "", sequence: sequence ?? 0, firstIncomplete: firstIncomplete ?? 0,
            operation: try command.operation())
        return Entry(term: term, payload: .command(whole.encoded()))
    }
}

/// Entries that were added to a log.
struct AppendedForm: Codable {
    var first: LogIndex
    var entries: [EntryForm]
}

/// A message on its way, with every field of it.
struct MessageForm: Codable {
    var number: UInt64
    var from: NodeID
    var incarnation: Incarnation
    var to: NodeID
    var messageTerm: Term
    var due: Instant?
    var copyOf: UInt64?
    var kind: Kind
    var isPreVote: Bool?
    var isTold: Bool?
    var isGranted: Bool?
    var last: LogPosition?
    var previous: LogPosition?
    var entries: [EntryForm]?
    var commit: LogIndex?
    var round: ReadRound?
    var match: LogIndex?
    var refused: LogIndex?
    var hint: LogPosition?
    var members: Configuration?
    var size: Int?
    var offset: Int?
    var bytes: Int?
    var received: Int?
    var isHandedOver: Bool?
    var lease: Interval?
    var context: UInt64?
    var index: LogIndex?

    enum Kind: String, Codable {
        case voteRequest = "vote-request"
        case voteResponse = "vote-response"
        case append
        case appendResponse = "append-response"
        case timeoutNow = "timeout-now"
        case snapshot
        case snapshotResponse = "snapshot-response"
        case readIndexRequest = "read-index-request"
        case readIndexResponse = "read-index-response"
    }

    init(_ sent: MessageSent) {
        number = sent.number
        from = sent.message.from
        incarnation = sent.message.incarnation
        to = sent.message.to
        messageTerm = sent.message.term
        due = sent.due
        copyOf = sent.copyOf
        switch sent.message.body {
        case .voteRequest(let request):
            kind = .voteRequest
            (isPreVote, isTold, last) = (request.poll == .preVote, request.isTold, request.last)
            isHandedOver = request.isHandedOver ? true : nil
        case .voteResponse(let response):
            kind = .voteResponse
            (isPreVote, isGranted) = (response.poll == .preVote, response.isGranted)
        case .append(let append):
            kind = .append
            (previous, commit, round) = (append.previous, append.commit, append.round)
            entries = append.entries.map(EntryForm.init)
            lease = append.lease > .zero ? append.lease : nil
        case .appendResponse(let response):
            kind = .appendResponse
            round = response.round
            switch response.outcome {
            case .accepted(let index): match = index
            case .refused(let index, let latest): (refused, hint) = (index, latest)
            }
        case .timeoutNow: kind = .timeoutNow
        case .snapshot(let chunk):
            kind = .snapshot
            (last, members, round) = (chunk.mark.last, chunk.mark.configuration, chunk.round)
            lease = chunk.lease == .zero ? nil : chunk.lease
            (size, offset, bytes) = (chunk.size, chunk.offset, chunk.bytes.count)
        case .snapshotResponse(let response):
            kind = .snapshotResponse
            (last, received, round) = (response.last, response.received, response.round)
        case .readIndexRequest(let request):
            kind = .readIndexRequest
            context = request.context
        case .readIndexResponse(let response):
            kind = .readIndexResponse
            (context, index) = (response.context, response.index)
        }
    }

    func sent() throws -> MessageSent {
        let message = Message(from: from, incarnation: incarnation, to: to, term: messageTerm, body: try body())
        return MessageSent(number: number, message: message, due: due, copyOf: copyOf)
    }

    private func body() throws -> Message.Body {
        let poll: Poll = isPreVote == true ? .preVote : .vote
        switch kind {
        case .voteRequest:
            return .voteRequest(
                VoteRequest(
                    poll: poll, last: try field(last, "last"), isTold: isTold ?? false,
                    isHandedOver: isHandedOver ?? false))
        case .voteResponse:
            return .voteResponse(VoteResponse(poll: poll, isGranted: try field(isGranted, "isGranted")))
        case .append:
            return .append(
                Append(
                    previous: try field(previous, "previous"), entries: try (entries ?? []).map { try $0.entry() },
                    commit: try field(commit, "commit"), round: round ?? .zero, lease: lease ?? .zero))
        case .appendResponse:
            if let match {
                return .appendResponse(AppendResponse(outcome: .accepted(match: match), round: round ?? .zero))
            }
            let refused = try field(refused, "refused")
            let outcome = AppendResponse.Outcome.refused(previous: refused, hint: try field(hint, "hint"))
            return .appendResponse(AppendResponse(outcome: outcome, round: round ?? .zero))
        case .timeoutNow: return .timeoutNow
        case .snapshot: return .snapshot(try chunk())
        case .snapshotResponse:
            let received = try field(received, "received")
            return .snapshotResponse(
                SnapshotResponse(last: try field(last, "last"), received: received, round: round ?? .zero))
        case .readIndexRequest:
            return .readIndexRequest(ReadIndexRequest(context: try field(context, "context")))
        case .readIndexResponse:
            return .readIndexResponse(ReadIndexResponse(context: try field(context, "context"), index: index))
        }
    }

    /// A part of a snapshot. A trace tells how many bytes it has, not which.
    private func chunk() throws -> SnapshotChunk {
        let count = try field(bytes, "bytes")
        guard (0...1 << 25).contains(count) else { throw TraceError("'bytes' is no size of a message") }
        let mark = SnapshotMark(last: try field(last, "last"), configuration: try field(members, "members"))
        return SnapshotChunk(
            mark: mark, size: try field(size, "size"), offset: try field(offset, "offset"),
            bytes: [UInt8](repeating: 0, count: count), round: round ?? .zero, lease: lease ?? .zero)
    }

    private func field<Value>(_ value: Value?, _ name: String) throws -> Value {
        guard let value else { throw TraceError("'\(name)' is missing") }
        return value
    }
}

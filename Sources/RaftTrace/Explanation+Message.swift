import KeyValue
import RaftCore

// What messages say, in a few words.

extension Entry {
    /// What the entry holds, in words: `set x 1`.
    public var summary: String {
        if case .configuration(let configuration) = payload { return "members \(configuration)" }
        guard case .command(let bytes) = payload else { return "no-op" }
        guard let command = try? SessionCommand(decoding: bytes) else { return "\(bytes.count) unreadable bytes" }
        return command.operation.description
    }
}

extension Message {
    func explanation(number: UInt64) -> Explanation {
        Explanation([from, to], "→ \(to) \(summary) #\(number)", nil, isRoutine ? .background : .usual)
    }

    /// Whether messages like it are sent all the time: heartbeats and acknowledgements.
    public var isRoutine: Bool {
        switch body {
        case .append(let append): append.entries.isEmpty
        case .appendResponse(let response): if case .accepted = response.outcome { true } else { false }
        case .voteRequest, .voteResponse, .timeoutNow, .snapshot, .snapshotResponse, .readIndexRequest,
            .readIndexResponse:
            false
        }
    }

    /// What it says, in a few words: `append t7 #44 set x 5`.
    public var summary: String {
        switch body {
        case .voteRequest(let request):
            return (request.poll == .preVote ? "could I win" : "vote for me in")
                + " t\(term), my log ends at \(request.last)"
        case .voteResponse(let response):
            return (response.poll == .preVote ? "pre-vote " : "vote ") + (response.isGranted ? "granted" : "refused")
                + " t\(term)"
        case .append(let append):
            guard let entry = append.entries.first else { return "heartbeat t\(term)" }
            let first = append.previous.index.next
            return append.entries.count == 1
                ? "append t\(term) \(first) \(entry.summary)"
                : "append t\(term) \(first)…\(first.advanced(by: append.entries.count - 1))"
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted(let match): return "has up to \(match) t\(term)"
            case .refused(let previous, let hint): return "has nothing to match at \(previous), try \(hint) t\(term)"
            }
        case .timeoutNow: return "lead after me: campaign now t\(term)"
        case .snapshot(let chunk): return chunk.summary + " t\(term)"
        case .snapshotResponse(let response):
            return "has \(response.received) bytes of the snapshot ≤\(response.last.index) t\(term)"
        case .readIndexRequest: return "how far must I be to answer reads t\(term)"
        case .readIndexResponse(let response):
            return (response.index.map { "answer reads at \($0)" } ?? "I don't lead: no reads") + " t\(term)"
        }
    }
}

import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace

// Messages: which are on their way, and what is in one.

extension Model {
    var messagesLines: [Page.Line] {
        picture.inFlight.all.map { flight in
            let message = flight.sent.message
            let (sign, style, _) = symbols.sign(of: message)
            return Page.Line(
                [
                    (Page.padded("#\(flight.sent.number)", to: 9), .plain.bold), (sign + " ", style),
                    ("\(message.from) \(symbols.arrow) \(message.to)  ", .plain), (message.summary, .plain),
                    ("  " + arrival(of: flight), .faint),
                ], action: .inspect(flight.sent.number))
        }
    }

    private func arrival(of flight: Picture.InFlight) -> String {
        let message = flight.sent.message
        if picture.link(from: message.from, to: message.to).isHeld { return "held" }
        guard let due = flight.sent.due else { return "on the socket" }
        return "arrives in \(max(0, (due - now).nanoseconds / 1_000_000)) ms"
    }

    func messageLines(_ number: UInt64, sentAt place: Int?, columns: Int) -> [Page.Line] {
        guard let place, timeline.indices.contains(place), case .sent(let sent) = timeline[place].kind
        else { return [Page.Line("it is too long ago: nothing is kept of it", .faint)] }
        guard place <= past?.place ?? place else { return [Page.Line("it is not sent yet", .faint)] }
        let message = sent.message
        var lines: [Page.Line] = [
            .fact("what", message.summary), .fact("from", "\(message.from)", action: .open(.node(message.from))),
            .fact("to", "\(message.to)", action: .open(.node(message.to))), .fact("term", "\(message.term)"),
            .fact("sent at", timeline[place].at.clockText, action: .look(place)),
        ]
        if let original = sent.copyOf { lines.append(.fact("copy of", "#\(original)")) }
        if let flight = picture.inFlight[number] {
            lines.append(.fact("now", arrival(of: flight)))
        } else if let end = timeline[place...].firstIndex(where: { $0.isEnd(of: number) }) {
            lines.append(.fact("ended", timeline[end].explanation.sentence, action: .look(end)))
        }
        return lines + [.heading(message.body.procedure)] + fields(of: message)
            + [.fact("why it was sent", "Enter shows what led to it", action: .explain(place))]
            + frameLines(of: sent, columns: columns)
    }

    private func fields(of message: Message) -> [Page.Line] {
        switch message.body {
        case .voteRequest(let request):
            [
                .fact("term", "\(message.term)"), .fact("candidateId", "\(message.from)"),
                .fact("lastLogIndex", "\(request.last.index)"), .fact("lastLogTerm", "\(request.last.term)"),
                .fact("told to campaign", request.isTold ? "yes" : "no"),
            ]
        case .voteResponse(let response): [.fact("voteGranted", response.isGranted ? "true" : "false")]
        case .append(let append): fields(of: append, message)
        case .appendResponse(let response): fields(of: response)
        case .timeoutNow: []
        case .snapshot(let chunk):
            [.fact("part", message.summary), .fact("stands for", "entries up to \(chunk.mark.last)")]
        case .snapshotResponse(let response):
            [.fact("has", "\(response.received) bytes of the snapshot up to \(response.last.index)")]
        case .readIndexRequest(let request): [.fact("context", "\(request.context)")]
        case .readIndexResponse(let response):
            [.fact("context", "\(response.context)"), .fact("index", response.index?.description ?? "none")]
        }
    }

    private func fields(of append: Append, _ message: Message) -> [Page.Line] {
        var lines: [Page.Line] = [
            .fact("leaderId", "\(message.from)"), .fact("prevLogIndex", "\(append.previous.index)"),
            .fact("prevLogTerm", "\(append.previous.term)"), .fact("leaderCommit", "\(append.commit)"),
            .fact("round", "\(append.round.rawValue)"),
            .fact("entries", append.entries.isEmpty ? "none: a heartbeat" : "\(append.entries.count)"),
        ]
        for (offset, entry) in append.entries.prefix(64).enumerated() {
            let index = append.previous.index.advanced(by: offset + 1)
            lines.append(.fact("  \(index)", "term \(entry.term), \(entry.summary), \(entry.byteCount) bytes"))
        }
        return lines
    }

    private func fields(of response: AppendResponse) -> [Page.Line] {
        let round = Page.Line.fact("round", "\(response.round.rawValue)")
        switch response.outcome {
        case .accepted(let match):
            return [.fact("success", "true"), .fact("match", "\(match), on disk"), round]
        case .refused(let previous, let hint):
            return [.fact("success", "false: nothing matches at \(previous)"), .fact("hint", "\(hint)"), round]
        }
    }

    /// Does something with a message that is on its way.
    mutating func handle(_ number: UInt64, _ letter: Character) -> [Effect] {
        guard let flight = present.inFlight[number], past == nil else {
            notice = Notice(past == nil ? "#\(number) has arrived, or is lost" : Model.pastNotice, isTrouble: true)
            return []
        }
        let message = flight.sent.message
        switch letter {
        case "d": return [.perform(.messages(.deliver, .numbered(number)))]
        case "x": return [.perform(.messages(.drop, .numbered(number)))]
        case "D": return [.perform(.messages(.duplicate, .numbered(number)))]
        default:
            let link = LinkReference(from: .node(message.from), to: .node(message.to), isBothWays: false)
            let isHeld = present.link(from: message.from, to: message.to).isHeld
            return [.perform(isHeld ? .release([link]) : .hold([link]))]
        }
    }
}

extension Event {
    func isSending(of number: UInt64) -> Bool {
        if case .sent(let sent) = kind { sent.number == number } else { false }
    }

    fileprivate func isEnd(of number: UInt64) -> Bool {
        switch kind {
        case .delivered(let delivered): delivered.number == number
        case .lost(let lost): lost.number == number
        default: false
        }
    }
}

extension Entry {
    /// How many bytes its command has.
    fileprivate var byteCount: Int { if case .command(let bytes) = payload { bytes.count } else { 0 } }
}

extension Message.Body {
    /// The remote procedure call of the paper that it belongs to.
    fileprivate var procedure: String {
        switch self {
        case .voteRequest(let request): request.poll == .preVote ? "PreVote (thesis §9.6)" : "RequestVote (Figure 2)"
        case .voteResponse(let response):
            (response.poll == .preVote ? "PreVote" : "RequestVote") + ", the answer"
        case .append: "AppendEntries (Figure 2)"
        case .appendResponse: "AppendEntries, the answer"
        case .timeoutNow: "TimeoutNow (thesis §3.10)"
        case .snapshot: "InstallSnapshot (Figure 13)"
        case .snapshotResponse: "InstallSnapshot, the answer"
        case .readIndexRequest: "ReadIndex (thesis §6.4)"
        case .readIndexResponse: "ReadIndex, the answer"
        }
    }
}

import KeyValue
import RaftCore

/// An event in one plain sentence, with the numbers that decided it and the section of the paper or thesis that it
/// follows.
public struct Explanation: Hashable, Sendable {
    /// The servers it is about, the one it happened on first.
    public var nodes: [NodeID] { words.nodes }
    /// What happened. It doesn't name the server it happened on.
    public var sentence: String { words.sentence }
    /// Where the rule stands, like `§5.4.1`.
    public var section: String? { words.section }
    /// How much it matters to somebody who watches.
    public let weight: Weight
    private let source: Source

    private enum Source: Hashable, Sendable {
        case words(Words)
        /// It is put into words when somebody reads it.
        case event(Event.Kind)
    }

    private struct Words: Hashable, Sendable {
        var nodes: [NodeID]
        var sentence: String
        var section: String?
    }

    private var words: Words {
        switch source {
        case .words(let words): words
        case .event(let kind): kind.explanation.words
        }
    }

    /// How much an event matters to somebody who watches.
    public enum Weight: Int, Hashable, Sendable, Comparable {
        /// It happens all the time.
        case background
        /// It is part of the story.
        case usual
        /// It turns the story.
        case important
        /// Something is broken.
        case alarming

        /// The less it matters, the lesser.
        public static func < (left: Weight, right: Weight) -> Bool { left.rawValue < right.rawValue }
    }

    init(_ nodes: [NodeID], _ sentence: String, _ section: String? = nil, _ weight: Weight = .usual) {
        source = .words(Words(nodes: nodes, sentence: sentence, section: section))
        self.weight = weight
    }

    /// One that hardly anybody will read.
    fileprivate init(background kind: Event.Kind) {
        source = .event(kind)
        weight = .background
    }

    /// What happened, where, and where the rule stands: `n4 refuses n2 its vote for term 8: … (§5.4.1)`.
    public var line: String {
        let subject = nodes.first.map { "\($0) " } ?? ""
        return subject + sentence + (section.map { " (\($0))" } ?? "")
    }
}

extension Event {
    /// The event in one sentence.
    public var explanation: Explanation {
        kind.isFrequent ? Explanation(background: kind) : kind.explanation
    }
}

extension Event.Kind {
    /// Whether it is in the background, and there is so much of it under load that making sentences of it would be most
    /// of the work of whoever watches.
    fileprivate var isFrequent: Bool {
        switch self {
        case .delivered, .node(_, _, .raft(.persisted)): true
        case .node(_, _, .applied(let applied)): !applied.isDuplicate
        case .called(let call): Load.number(of: call.client) != nil
        case .returned(let answer): Load.number(of: answer.client) != nil
        default: false
        }
    }

    fileprivate var explanation: Explanation {
        switch self {
        case .began(let began):
            Explanation([], "a cluster of \(began.nodes) begins, seed \(began.seed)", nil, .important)
        case .node(let node, let term, let event): event.explanation(on: node, term: term)
        case .sent(let sent): sent.message.explanation(number: sent.number)
        case .delivered(let delivered):
            Explanation([delivered.to, delivered.from], "gets #\(delivered.number)", nil, .background)
        case .lost(let lost): lost.explanation
        case .link(let state): state.explanation
        case .clock(let clock):
            Explanation(
                [], clock.rate == 0 ? "the clock stands still" : "the clock runs at \(RateText.text(of: clock.rate))",
                nil,
                .important)
        case .stepped(let step): step.explanation
        case .settings(let settings): Explanation([], settings.sentence, nil, .important)
        case .load(let load):
            Explanation(
                [],
                load.map { "\($0.clients) clients write \($0.rate) times a second" } ?? "the load ends", nil, .important
            )
        case .called(let call): call.explanation
        case .returned(let answer):
            Explanation(
                [], "\(answer.client): \(answer.result)", nil,
                Load.number(of: answer.client) != nil ? .background : answer.result.isOK ? .usual : .important)
        case .command(let command): Explanation([], "» \(command.text)", nil, .important)
        case .violation(let broken): Explanation([], "\(broken.property): \(broken.sentence)", nil, .alarming)
        case .dropped(let dropped):
            Explanation([], "\(dropped.count) events were left out: there were too many to tell", nil, .important)
        }
    }
}

extension NodeEvent {
    func explanation(on node: NodeID, term: Term) -> Explanation {
        switch self {
        case .raft(let observation): return observation.explanation(on: node, term: term)
        case .started(let started):
            let count = started.log.reduce(0) { $0 + $1.count }
            let life =
                started.incarnation == .first
                ? ""
                : ", life \(started.incarnation): its disk was wiped, so it follows, but neither votes nor counts"
            let repair = started.repairs.isEmpty ? "" : "; " + started.repairs.joined(separator: "; ")
            return Explanation(
                [node], "starts from its disk: term \(term), \(count) entries\(life)\(repair)", "§5.2", .important)
        case .stopped(let stopped): return Explanation([node], stopped.sentence, nil, .important)
        case .paused: return Explanation([node], "is paused: it answers nothing", nil, .important)
        case .resumed: return Explanation([node], "goes on after its pause", nil, .important)
        case .timerHeld: return Explanation([node], "waits for ever: its election timer is held", nil, .important)
        case .timerFreed: return Explanation([node], "has its election timer back", nil, .important)
        case .disk(let changed): return Explanation([node], changed.sentence, nil, .important)
        case .failed(let failed): return Explanation([node], "fails: \(failed.reason)", nil, .alarming)
        case .hungUp(let hungUp): return Explanation([node], "hangs up: \(hungUp.reason)", nil, .important)
        case .applied(let applied): return applied.explanation(on: node)
        case .snapshot(let step): return step.explanation(on: node)
        case .state: return Explanation([node], "tells its whole state", nil, .background)
        }
    }
}

extension NodeStopped {
    fileprivate var sentence: String {
        switch how {
        case .kill: "is killed: its memory is lost, its disk is kept"
        case .power: "loses power: what was not synced is lost"
        case .wipe: "loses its disk: it has forgotten what it promised"
        }
    }
}

extension Applied {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        guard let key else { return Explanation([node], "applies entry \(index): nothing", "§8", .background) }
        if isDuplicate {
            return Explanation(
                [node],
                "doesn't apply entry \(index) again: \(client ?? "a client") #\(sequence ?? 0) was applied before",
                "§8", .usual)
        }
        let value = value.map { Word.quoted($0) } ?? "gone"
        return Explanation([node], "applies entry \(index): \(Word.quoted(key)) is \(value)", "§5.3", .background)
    }
}

extension Observation {
    func explanation(on node: NodeID, term: Term) -> Explanation {
        switch self {
        case .termChanged(let change):
            let from = change.peer.map { ", heard from \($0)" } ?? ""
            return Explanation([node], "goes from term \(change.from) to \(change.to)\(from)", "§5.1")
        case .roleChanged(let change): return change.explanation(on: node, term: term)
        case .voteCast(let cast): return cast.explanation(on: node)
        case .voteCounted(let counted):
            let poll = counted.isPreVote ? "asks" : "votes"
            return Explanation(
                [node, counted.voter],
                "hears \(counted.isGranted ? "yes" : "no") from \(counted.voter): has \(counted.votes) of the \(counted.needed) \(poll) it needs",
                counted.isPreVote ? "thesis §9.6" : "§5.2")
        case .timerSet(let timer):
            return Explanation(
                [node], "sets its election timer to \(timer.timeout.nanoseconds / 1_000_000) ms", "§5.2", .background)
        case .appended(let appended): return appended.explanation(on: node)
        case .truncated(let truncated):
            let range =
                truncated.first == truncated.last ? "\(truncated.first)" : "\(truncated.first)…\(truncated.last)"
            let wanted = truncated.wanted.map { ": the leader's is of term \($0)" } ?? ""
            return Explanation([node], "removes \(range) of term \(truncated.had)\(wanted)", "§5.3", .important)
        case .appendRefused(let refused): return refused.explanation(on: node)
        case .progressed(let progressed):
            if let transfer = progressed.installing {
                return Explanation(
                    [node, progressed.peer],
                    "sends \(progressed.peer) its snapshot up to \(transfer.last.index), for the entries from \(progressed.next) on are forgotten: \(transfer.received) of \(transfer.size) bytes have arrived",
                    "§7")
            }
            let what =
                progressed.isProbing
                ? "looks for the place where \(progressed.peer) agrees" : "knows \(progressed.peer)"
            return Explanation(
                [node, progressed.peer], "\(what): match \(progressed.match), next \(progressed.next)", "§5.3",
                .background)
        case .committed(let committed):
            let stored = committed.stored.map { ", stored on \($0) of \(committed.voters)" } ?? ""
            return Explanation(
                [node], "commits up to \(committed.to)\(stored)", "§5.3", committed.stored == nil ? .background : .usual
            )
        case .heldBack(let held):
            return Explanation(
                [node],
                "doesn't commit \(held.index), stored on \(held.stored) of \(held.voters): its term \(held.entryTerm) is not the leader's term \(term)",
                "§5.4.2", .important)
        case .persisted(let persisted):
            return Explanation([node], "has entries up to \(persisted.index) on disk", "Figure 2", .background)
        case .readRound(let step):
            return step.explanation(on: node)
        case .transfer(let step): return step.explanation(on: node)
        case .configured(let configured): return configured.explanation(on: node)
        case .changeRefused(let refused): return refused.explanation(on: node)
        case .compacted(let compacted): return compacted.explanation(on: node)
        case .snapshotReceived(let received): return received.explanation(on: node)
        case .snapshotInstalled(let installed): return installed.explanation(on: node)
        case .lease(let step):
            let what =
                step.until == nil ? "has no lease any more: it asks before it answers reads" : "extends its lease"
            return Explanation([node], what, "thesis §6.4.1", step.until == nil ? .usual : .background)
        case .halted(let violation): return Explanation([node], "halts: \(violation)", nil, .alarming)
        }
    }
}

extension RoleChange {
    fileprivate func explanation(on node: NodeID, term: Term) -> Explanation {
        let tally = votes.map { votes in " with \(votes) vote\(votes == 1 ? "" : "s"), \(needed ?? 0) needed" } ?? ""
        let who = peer?.description ?? "another"
        switch (role, reason) {
        case (.precandidate, _):
            return Explanation([node], "hears no leader: asks whether it could win", "thesis §9.6", .important)
        case (.candidate, .told):
            return Explanation([node], "campaigns for term \(term), as told", "thesis §3.10", .important)
        case (.candidate, .preVoteWon):
            return Explanation([node], "could win: campaigns for term \(term)", "§5.2", .important)
        case (.candidate, _):
            return Explanation([node], "hears no leader: campaigns for term \(term)", "§5.2", .important)
        case (.leader, _): return Explanation([node], "leads term \(term)\(tally)", "§5.2", .important)
        case (.follower, .laterTerm):
            return Explanation([node, peer ?? node], "steps down: \(who) has a later term", "§5.1", .important)
        case (.follower, .leaderHeard): return Explanation([node, peer ?? node], "follows \(who)", "§5.2")
        case (.follower, .removed):
            return Explanation(
                [node], "steps down: it is no member any more, and that is committed", "thesis §4.2.2", .important)
        case (.follower, .majorityLost):
            return Explanation([node], "steps down: it hears no majority", "thesis §6.2", .important)
        case (.follower, .electionLost): return Explanation([node], "can't win any more, and waits", "§5.2")
        case (.follower, _): return Explanation([node, peer ?? node], "follows: it voted for \(who)", "§5.2")
        }
    }
}

extension VoteCast {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let what = isPreVote ? "would vote for \(candidate)" : "votes for \(candidate)"
        guard let reason else {
            return Explanation([node, candidate], "\(what) in term \(forTerm)", isPreVote ? "thesis §9.6" : "§5.2")
        }
        let refusal = isPreVote ? "wouldn't vote for \(candidate)" : "refuses \(candidate) its vote"
        let why: (String, String)
        switch reason {
        case .alreadyVoted: why = ("it voted for \(votedFor?.description ?? "another")", "§5.2")
        case .newerLog: why = ("its own log ends at \(own), newer than \(last)", "§5.4.1")
        case .leaderAlive where leader == node: why = ("it leads", "thesis §4.2.3")
        case .leaderAlive: why = ("it hears from \(leader?.description ?? "a leader")", "thesis §4.2.3")
        case .earlierTerm: why = ("that term is past", "§5.1")
        case .notAVoter: why = ("it has forgotten what it promised", "thesis §3.8")
        case .justStarted: why = ("it has just started, and may have heard a leader before", "thesis §6.4.1")
        case .notAMember: why = ("\(candidate) is not the server that was a member", "thesis §3.8")
        }
        return Explanation([node, candidate], "\(refusal) for term \(forTerm): \(why.0)", why.1)
    }
}

extension Appended {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        guard let entry = entries.first else { return Explanation([node], "appends nothing", nil, .background) }
        if entries.count > 1 {
            let last = first.advanced(by: entries.count - 1)
            return Explanation([node], "appends \(first)…\(last) of term \(entry.term)", "§5.3")
        }
        return Explanation([node], "appends \(first): \(entry.summary), term \(entry.term)", "§5.3")
    }
}

extension AppendRefused {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        if isEarlierTerm {
            return Explanation([node, leader], "refuses \(leader)'s entries: its term is past", "§5.1", .important)
        }
        let has = own.map { "it has one of term \($0)" } ?? "it has none"
        return Explanation(
            [node, leader], "refuses \(leader)'s entries after \(previous): \(has) there; try \(hint)", "§5.3",
            .important)
    }
}

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
    fileprivate func explanation(number: UInt64) -> Explanation {
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

extension ReadRoundStep {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let share = "\(confirmedBy.count) of \(voters)"
        let what =
            if isConfirmed {
                "is confirmed as leader by \(share): \(reads) read\(reads == 1 ? " goes" : "s go") on"
            } else if let peer {
                "hears from \(peer) that it still leads: \(share)"
            } else {
                "asks whether it still leads"
            }
        return Explanation([node] + (peer.map { [$0] } ?? []), "\(what), round \(round.rawValue)", "thesis §6.4")
    }
}

extension TransferStep {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        let sentence =
            switch stage {
            case .began: "hands over to \(target): it takes no commands until that has the whole log and leads"
            case .told: "tells \(target), which has the whole log, to campaign now"
            case .givenUp: "serves again: \(target) has not taken over within an election timeout"
            }
        return Explanation([node, target], sentence, "thesis §3.10", .important)
    }
}

extension DiskChanged {
    fileprivate var sentence: String {
        switch condition {
        case .ok: "has a disk that works again"
        case .stall: "has a disk that stalls: nothing that is written gets done"
        case .full: "has a disk that is full"
        case .fail: "has a disk that fails"
        }
    }
}

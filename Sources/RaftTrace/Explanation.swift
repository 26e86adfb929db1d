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
            Explanation(
                [],
                began.running == nil
                    ? "a cluster of \(began.nodes) begins, seed \(began.seed)"
                    : "a cluster of \(began.nodes) that runs is watched from here on", nil, .important)
        case .node(let node, let term, let event): event.explanation(on: node, term: term)
        case .sent(let sent): sent.message.explanation(number: sent.number)
        case .delivered(let delivered):
            Explanation(
                [delivered.to, delivered.from], "gets #\(delivered.number) from \(delivered.from)", nil, .background)
        case .lost(let lost): lost.explanation
        case .link(let state): state.explanation
        case .clock(let clock): Explanation([], clock.sentence, nil, .important)
        case .stepped(let step): step.explanation
        case .settings(let settings): Explanation([], settings.sentence, nil, .important)
        case .load(let load):
            Explanation(
                [],
                load.map { "\($0.clients) clients write \($0.rate) times a second" } ?? "the load ends", nil, .important
            )
        case .called(let call): call.explanation
        case .returned(let answer):
            Explanation([], "\(answer.client): \(answer.result)", nil, answer.result.isOK ? .usual : .important)
        case .command(let command):
            Explanation(
                [], "» \(command.text)" + (command.takesBack.map { ": takes back \($0)" } ?? ""), nil, .important)
        case .violation(let broken): Explanation([], "\(broken.property): \(broken.sentence)", nil, .alarming)
        case .dropped(let dropped):
            Explanation(
                [], dropped.count.of("event was", "events were") + " left out: there were too many to tell", nil,
                .important)
        }
    }
}

extension NodeEvent {
    func explanation(on node: NodeID, term: Term) -> Explanation {
        switch self {
        case .raft(let observation): return observation.explanation(on: node, term: term)
        case .started(let started): return Explanation([node], started.sentence(term), "§5.2", .important)
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

extension NodeStarted {
    fileprivate func sentence(_ term: Term) -> String {
        let count = log.reduce(0) { $0 + $1.count }
        if isSeenAgain == true { return "can be reached: term \(term), \(count.of("entry", "entries"))" }
        let snapshot = snapshot.map { "a snapshot up to \($0.index), " } ?? ""
        let life =
            incarnation == .first
            ? ""
            : ", life \(incarnation): its disk was wiped, so it follows, but neither votes nor counts"
        let repair = repairs.isEmpty ? "" : "; " + repairs.joined(separator: "; ")
        return "starts from its disk: term \(term), \(snapshot)\(count.of("entry", "entries"))\(life)\(repair)"
    }
}

extension NodeStopped {
    fileprivate var sentence: String {
        if let unreachable { return "can't be reached, so it is shown as down: \(unreachable)" }
        return switch how {
        case .kill: "is killed: its memory is lost, its disk is kept"
        case .power: "loses power: what was not synced is lost"
        case .wipe: "loses its disk: it has forgotten what it promised"
        }
    }
}

extension Applied {
    fileprivate func explanation(on node: NodeID) -> Explanation {
        guard let key else {
            return Explanation([node], "applies entry \(index), which changes nothing", "§8", .background)
        }
        if isDuplicate {
            return Explanation(
                [node],
                "doesn't apply entry \(index): write \(sequence ?? 0) of \(client ?? "a client") was applied before",
                "§8", .usual)
        }
        let value = value.map { Word.quoted($0) } ?? "gone"
        return Explanation([node], "applies entry \(index): \(Word.quoted(key)) is \(value)", "§5.3", .background)
    }
}

extension MessageLost {
    fileprivate var explanation: Explanation {
        let why =
            switch reason {
            case .cut: "the link is cut"
            case .chance: "the link lost it"
            case .unreachable: "\(to) can't be reached"
            case .full: "\(to) takes nothing more"
            case .dropped: "it was dropped by hand"
            }
        return Explanation([from, to], "→ \(to) #\(number) is lost: \(why)", nil, .background)
    }
}

extension LinkState {
    fileprivate var explanation: Explanation {
        // What a cut link would do otherwise is nothing to anybody.
        guard !isCut else { return Explanation([from, to], "→ \(to) is cut", nil, .background) }
        var words: [String] = []
        if isHeld { words.append("holds messages back") }
        if latencyMax > .zero { words.append("takes \(Interval.text(of: latencyMin, latencyMax))") }
        if loss > 0 { words.append("loses \(RateText.plain((loss * 1_000).rounded() / 10)) %") }
        return Explanation(
            [from, to], "→ \(to) " + (words.isEmpty ? "is whole" : words.joined(separator: ", ")), nil, .background)
    }
}

extension ClientCall {
    fileprivate var explanation: Explanation {
        let what: String
        switch request {
        case .write(let operation): what = operation.description
        case .get(let key, let mode): what = "get \(Word.quoted(key))" + (mode == .readindex ? "" : " \(mode.rawValue)")
        case .keys(let prefix, let mode):
            what =
                "keys" + (prefix.isEmpty ? "" : " \(Word.quoted(prefix))")
                + (mode == .readindex ? "" : " \(mode.rawValue)")
        }
        return Explanation(
            [], "\(client): \(what)" + (via.map { " via \($0)" } ?? "") + (isRetry ? ", again" : ""), nil, .usual)
    }
}

extension ClockStepped {
    /// What happens by this step, in a sentence.
    public var sentence: String {
        guard let from else { return "nothing is due: no timer runs, and no message is on its way but on held links" }
        guard let to, let message else { return "the clock goes on to what \(from) does next" }
        return "the clock goes on to where #\(message) from \(from) reaches \(to)"
    }

    fileprivate var explanation: Explanation { Explanation([], sentence, nil, from == nil ? .important : .background) }
}

/// Rates of the clock as words.
public enum RateText {
    /// `1/10`, `1`, `0.3`, `4`.
    public static func text(of rate: Double) -> String {
        if rate < 1, rate > 0, abs((1 / rate).rounded() - 1 / rate) < 1e-9 { return "1/" + plain((1 / rate).rounded()) }
        return plain(rate)
    }

    /// A number without a fraction that it doesn't have.
    public static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }
}

extension SettingsChanged {
    fileprivate var sentence: String {
        let rules = rulesOff.isEmpty ? "" : " but \(rulesOff.joined(separator: ", "))"
        let options = options.isEmpty ? "without options" : "with " + options.joined(separator: ", ")
        let timeout = Interval.text(of: electionTimeout.first ?? .zero, electionTimeout.last ?? .zero)
        let snapshots = snapshotEvery.map { "a snapshot every \($0.of("entry", "entries"))" } ?? "no snapshots"
        return "the nodes keep every rule\(rules), \(options); election timeout \(timeout), "
            + "heartbeat \(Interval.text(of: heartbeat, heartbeat)), \(snapshots)"
    }
}

extension ClockRate {
    fileprivate var sentence: String {
        switch rate {
        case 0: "the clock stands still"
        case 1: "the clock runs at full speed"
        case ..<1: "the clock runs at \(RateText.text(of: rate)) of its speed"
        default: "the clock runs \(RateText.text(of: rate)) times as fast"
        }
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

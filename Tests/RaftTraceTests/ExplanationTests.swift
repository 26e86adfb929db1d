import RaftCore
import RaftTrace
import Testing

/// Events as sentences.
struct ExplanationTests {
    private static let n1 = NodeID(1)
    private static let n2 = NodeID(2)

    private static func line(_ kind: Event.Kind) -> String {
        Event(at: .zero, sequence: 1, kind: kind).explanation.line
    }

    private static func line(_ event: NodeEvent) -> String { line(.node(n1, Term(5), event)) }

    @Test("one is one, and many are many")
    func plurals() {
        func started(_ count: Int) -> String {
            let log = count == 0 ? [] : [TermRun(term: Term(1), count: count)]
            return Self.line(.started(NodeStarted(incarnation: .first, vote: nil, log: log)))
        }
        #expect(started(0) == "n1 starts from its disk: term 5, 0 entries (§5.2)")
        #expect(started(1) == "n1 starts from its disk: term 5, 1 entry (§5.2)")
        #expect(started(2) == "n1 starts from its disk: term 5, 2 entries (§5.2)")
        #expect(Self.line(.dropped(EventsDropped(count: 1))).hasPrefix("1 event was left out"))
        #expect(Self.line(.dropped(EventsDropped(count: 7))).hasPrefix("7 events were left out"))
    }

    @Test("entries of several terms are told so")
    func terms() {
        func appended(_ terms: [UInt64]) -> String {
            let entries = terms.map { Entry(term: Term($0), payload: .noop) }
            return Self.line(.raft(.appended(Appended(first: LogIndex(3), entries: entries))))
        }
        #expect(appended([2]) == "n1 appends 3: no-op, term 2 (§5.3)")
        #expect(appended([2, 2]) == "n1 appends 3…4 of term 2 (§5.3)")
        #expect(appended([1, 2, 2]) == "n1 appends 3…5 of terms 1 to 2 (§5.3)")
    }

    @Test("a link tells what there is to know")
    func links() {
        var state = LinkState(from: Self.n1, to: Self.n2)
        #expect(Self.line(.link(state)) == "n1 → n2 is whole")
        (state.latencyMin, state.latencyMax) = (.milliseconds(10), .milliseconds(30))
        #expect(Self.line(.link(state)) == "n1 → n2 takes 10…30 ms")
        (state.latencyMin, state.latencyMax) = (.microseconds(500), .microseconds(500))
        (state.isHeld, state.loss) = (true, 0.25)
        #expect(Self.line(.link(state)) == "n1 → n2 holds messages back, takes 0.5 ms, loses 25 %")
        state.isCut = true
        #expect(Self.line(.link(state)) == "n1 → n2 is cut")
    }

    @Test(
        "the clock",
        arguments: [
            (0, "the clock stands still"), (1, "the clock runs at full speed"),
            (0.1, "the clock runs at 1/10 of its speed"), (4, "the clock runs 4 times as fast"),
        ])
    func clock(rate: Double, line: String) { #expect(Self.line(.clock(ClockRate(rate: rate))) == line) }

    @Test("settings name the rules that are off")
    func settings() {
        var settings = Settings()
        settings.rules = .all(without: .commitOnlyOwnTerm, .persistBeforeReply)
        let line = Self.line(.settings(SettingsChanged(settings)))
        #expect(line.hasPrefix("the nodes keep every rule but commitOnlyOwnTerm, persistBeforeReply, with prevote,"))
    }
}

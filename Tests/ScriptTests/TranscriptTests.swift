import KeyValue
import Laboratory
import RaftAudit
import RaftTrace
import Testing

@testable import RaftCore
@testable import Script

/// What was done, written as a script that does it again.
struct TranscriptTests {
    /// Tells a transcript what happens, at moments in milliseconds.
    private struct Teller {
        private(set) var transcript = Transcript()
        private var picture = Picture()
        private var calls: UInt64 = 0
        private var sequence: UInt64 = 0

        init(_ nodes: Int = 3, settings: Settings = Settings(), latency: Bool = false) {
            tell(0, .began(ClusterBegan(nodes: nodes, seed: 1, settings: settings)))
            if latency {
                var link = LinkState(from: NodeID(1), to: NodeID(2))
                (link.latencyMin, link.latencyMax) = (.milliseconds(10), .milliseconds(30))
                tell(0, .link(link))
            }
            for node in 1...nodes {
                tell(0, .node(NodeID(node), .zero, .started(NodeStarted(incarnation: .first, vote: nil, log: []))))
            }
        }

        mutating func tell(_ milliseconds: Int64, _ kind: Event.Kind) {
            sequence += 1
            let event = Event(at: .zero + .milliseconds(milliseconds), sequence: sequence, kind: kind)
            picture.apply(event)
            transcript.take(event, seeing: picture)
        }

        mutating func lead(_ milliseconds: Int64, _ node: Int, term: UInt64) {
            let change = RoleChange(role: .leader, reason: .electionWon)
            tell(milliseconds, .node(NodeID(node), Term(term), .raft(.roleChanged(change))))
        }

        mutating func stop(_ milliseconds: Int64, _ node: Int, term: UInt64) {
            tell(milliseconds, .node(NodeID(node), Term(term), .stopped(NodeStopped(how: .kill))))
        }

        mutating func done(_ milliseconds: Int64, _ text: String) {
            tell(milliseconds, .command(CommandDone(text: text)))
        }

        /// A client writes; it is answered later, or never.
        @discardableResult
        mutating func write(_ milliseconds: Int64, _ value: String, answered: Int64? = nil) -> UInt64 {
            calls += 1
            let operation = Operation.set(key: Array("x".utf8), value: Array(value.utf8))
            done(milliseconds, "set x \(value)")
            tell(milliseconds, .called(ClientCall(client: "c1", call: calls, request: .write(operation))))
            if let answered { answer(answered, calls) }
            return calls
        }

        mutating func answer(_ milliseconds: Int64, _ call: UInt64) {
            tell(milliseconds, .returned(ClientReturn(client: "c1", call: call, result: .ok)))
        }

        /// The lines after the heading.
        var lines: [String] {
            let text = transcript.text(titled: "demo", savedAt: "today")
            return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") && !$0.hasPrefix("title") }
        }
    }

    @Test("the first line says who wrote it and when, and what was switched is switched before the start")
    func heading() {
        var settings = Settings()
        settings.options.preVote = false
        settings.options.lease = true
        settings.timing.heartbeat = .milliseconds(20)
        settings.compaction.every = 10
        settings.rules[.logMatching] = false
        let teller = Teller(settings: settings, latency: true)
        let text = teller.transcript.text(titled: "a \"demo\"", savedAt: "today", breaking: [.logMatching])
        #expect(
            text == """
                # Saved by raft-tui, today. What comes after this line can be changed like any script.
                title "a \\"demo\\""
                cluster 3
                latency 10ms..30ms
                option prevote off
                option lease on
                option heartbeat 20ms
                option snapshot-every 10
                rule logMatching off
                tolerate log-matching

                """)
        #expect(text.hasPrefix(Transcript.mark))
    }

    @Test("time that passed is slept in steps of 10 ms, what is too short for that is left for the next time")
    func time() {
        var teller = Teller()
        teller.done(14, "cut 1-2")
        teller.done(27, "cut 1-3")
        teller.done(1_260, "cut 2-3")
        teller.tell(1_300, .clock(ClockRate(rate: 1)))
        #expect(
            teller.lines == ["cluster 3", "cut 1-2", "sleep 30ms", "cut 1-3", "sleep 1230ms", "cut 2-3", "sleep 40ms"])
    }

    @Test("a line waits for its answer where that came before anything else was done")
    func waiting() {
        var teller = Teller()
        teller.write(100, "1", answered: 150)
        teller.write(200, "2")
        let late = teller.write(210, "3")
        teller.done(300, "cut 1-2")
        teller.answer(400, late)
        #expect(
            teller.lines == [
                "cluster 3", "sleep 100ms", "set x 1", "sleep 50ms", "set x 2 &", "set x 3 &", "sleep 100ms", "cut 1-2",
                "sleep 100ms",
            ])
    }

    @Test(
        "speeds are left out, and the clock stands still only around what was done meanwhile, which waits for nothing")
    func clock() {
        var teller = Teller()
        teller.done(100, "speed 1/1000")
        teller.done(100, "freeze")
        teller.done(100, "thaw")
        teller.done(200, "freeze")
        teller.write(200, "1", answered: 200)
        teller.done(200, "kill leader")
        teller.done(200, "thaw")
        teller.done(200, "freeze")
        teller.done(200, "revive 1")
        #expect(
            teller.lines == [
                "cluster 3", "sleep 200ms", "freeze", "set x 1 &", "kill leader", "thaw", "freeze", "revive 1",
            ])
    }

    @Test("whoever led leads again: the others' timers are held meanwhile, and the leader stays 'leader'")
    func leaders() {
        var teller = Teller()
        teller.lead(280, 2, term: 1)
        teller.done(500, "kill leader")
        teller.stop(500, 2, term: 1)
        teller.lead(800, 3, term: 2)
        teller.done(900, "isolate 1")
        teller.done(1_000, "kill leader")
        #expect(
            teller.lines == [
                "cluster 3", "hold-timer 1 3", "wait leader", "free-timer 1 3", "sleep 220ms", "wait leader",
                "hold-timer 1 2",
                "kill leader", "sleep 600ms", "free-timer 1 2", "wait leader", "isolate 1", "sleep 100ms",
                "wait leader", "kill leader",
            ])
    }

    @Test("where somebody holds timers, nobody else does")
    func heldTimers() {
        var teller = Teller()
        teller.done(10, "hold-timer 1 2 3")
        teller.tell(10, .node(NodeID(1), .zero, .timerHeld))
        teller.done(50, "timeout 1")
        teller.lead(60, 1, term: 1)
        teller.done(300, "kill leader")
        #expect(!teller.lines.contains { $0.hasPrefix("free-timer") })
        #expect(teller.lines.count { $0.hasPrefix("hold-timer") } == 1)
        #expect(teller.lines.suffix(2) == ["wait leader", "kill leader"])
    }

    @Test("a message's number is told by its link, for the next time it has another")
    func messages() {
        var teller = Teller()
        for number in [7, 9] as [UInt64] {
            let message = Message(
                from: NodeID(1), incarnation: .first, to: NodeID(2), term: Term(1), body: .timeoutNow)
            teller.tell(10, .sent(MessageSent(number: number, message: message, due: nil)))
        }
        teller.done(10, "deliver #7")
        teller.done(10, "drop #9")
        teller.done(10, "drop #11")
        #expect(teller.lines == ["cluster 3", "deliver 1>2", "drop 1>2"])
        #expect(teller.transcript.text(titled: "", savedAt: "").contains("# It was number 2 on its link then."))
    }

    @Test("a reset begins anew")
    func reset() {
        var teller = Teller()
        teller.done(100, "kill 1")
        teller.done(200, "reset")
        teller.tell(200, .began(ClusterBegan(nodes: 3, seed: 1, settings: Settings())))
        teller.done(300, "kill 2")
        #expect(teller.lines == ["cluster 3", "kill 2"])
    }

    @Test("more commands than are kept are counted, not forgotten in silence")
    func bounded() {
        var teller = Teller()
        for _ in 0..<Transcript.stepsMax + 3 { teller.done(10, "heal") }
        #expect(teller.lines.count == Transcript.stepsMax + 1)
        #expect(teller.transcript.text(titled: "", savedAt: "").hasSuffix("# 3 more commands were not kept.\n"))
    }
}

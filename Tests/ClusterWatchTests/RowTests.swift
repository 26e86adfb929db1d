import KeyValue
import RaftAudit
import RaftCore
import RaftTrace
import Testing

@testable import ClusterWatch

/// How what several nodes tell becomes one row.
struct RowTests {
    private static let (n1, n2) = (NodeID(1), NodeID(2))

    private func moment(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    private func delivered(_ number: UInt64) -> Event.Kind {
        .delivered(MessageDelivered(number: number, from: Self.n1, to: Self.n2))
    }

    @Test("events stand in the order of their times, and are held back for those that come later")
    func order() {
        var row = EventRow()
        row.add(delivered(2), at: moment(20), from: 0, arrival: moment(21))
        row.add(delivered(3), at: moment(30), from: 0, arrival: moment(31))
        #expect(row.release(at: moment(110)).isEmpty)
        #expect(row.due == moment(120))
        row.add(delivered(1), at: moment(10), from: 1, arrival: moment(115))
        #expect(row.release(at: moment(120)).map(\.kind) == [delivered(1), delivered(2)])
        #expect(row.release(at: moment(130)).map(\.kind) == [delivered(3)])
        #expect(row.due == nil)
    }

    @Test("a clock that is ahead delays nothing for long, and a node's own order is kept")
    func clocks() {
        var row = EventRow()
        row.add(delivered(1), at: moment(60_000), from: 0, arrival: moment(10))
        row.add(delivered(2), at: moment(50_000), from: 0, arrival: moment(10))
        #expect(row.release(at: moment(110)).map(\.kind) == [delivered(1), delivered(2)])
    }

    @Test("nothing is delivered before it was sent, though its clock says so, and what follows it comes after")
    func delivery() {
        var row = EventRow()
        let message = Message(
            from: Self.n1, incarnation: .first, to: Self.n2, term: Term(1), body: .timeoutNow)
        let sent = Event.Kind.sent(MessageSent(number: 9, message: message, due: nil))
        row.add(sent, at: moment(50), from: 0, arrival: moment(51))
        row.add(delivered(9), at: moment(45), from: 1, arrival: moment(52))
        row.add(delivered(10), at: moment(46), from: 1, arrival: moment(52))
        #expect(row.release(at: moment(200)).map(\.kind) == [sent, delivered(9), delivered(10)])
    }

    @Test("numbers become small, and those of a fresh process are new ones")
    func numbers() {
        var numbers = Renumbering(start: moment(1_000))
        let large = UInt64(1) << 48 | 7
        func shown(_ kind: Event.Kind) -> UInt64? {
            if case .delivered(let delivered) = numbers.event(kind, at: moment(1_500), isOwn: false).kind {
                return delivered.number
            }
            return nil
        }
        #expect(shown(delivered(large)) == 1)
        #expect(shown(delivered(large + 1)) == 2)
        #expect(shown(delivered(large)) == 1)
        var started = NodeStarted(incarnation: .first, vote: nil, log: [])
        started.isSeenAgain = true
        let event = numbers.event(.node(Self.n1, Term(1), .started(started)), at: moment(1_600), isOwn: false)
        #expect(event.sequence == 4)
        #expect(event.at == moment(600))
        #expect(shown(delivered(large)) == 3)
        let early = numbers.event(.dropped(EventsDropped(count: 1)), at: moment(1), isOwn: false)
        #expect(early.at == .zero)
    }

    @Test("many numbers are forgotten, the latest never")
    func manyNumbers() {
        var numbers = SmallNumbers()
        for large in 0..<UInt64(3 * SmallNumbers.max) { #expect(numbers.number(of: large) == large + 1) }
        let last = UInt64(3 * SmallNumbers.max)
        #expect(numbers.number(of: last - 1) == last)
        #expect(numbers.number(of: 0) == last + 1)
    }

    @Test("a call with a long value, which nodes tell cut, is known to be the prompt's own")
    func ownLongCall() {
        var calls = OwnCalls()
        let request = Request.write(.set(key: [1], value: Bytes(repeating: 0x61, count: 5_000)))
        calls.begin(ClientCall(client: "c1", call: 1, request: request), at: moment(100))
        let told = ClientCall(client: "n1-1", call: UInt64(1) << 48 | 3, request: request.abridged)
        let isOwn = calls.isOwn(.called(told), at: moment(101))
        #expect(isOwn)
        #expect(request.abridged != request)
    }

    @Test("what the prompt asks and a node tells is told once; what others ask is told")
    func ownCalls() {
        var calls = OwnCalls()
        let request = Request.write(.set(key: [1], value: [2]))
        let told = UInt64(1) << 48 | 3
        func call(_ number: UInt64, _ request: Request) -> Event.Kind {
            .called(ClientCall(client: "n1-1", call: number, request: request))
        }
        calls.begin(ClientCall(client: "c1", call: 1, request: request), at: moment(100))
        let own = calls.isOwn(call(told, request), at: moment(101))
        #expect(own)
        // Somebody else asks the same node for the same.
        let second = calls.isOwn(call(told + 1, request), at: moment(102))
        #expect(!second)
        let other = calls.isOwn(call(UInt64(2) << 48 | 1, .write(.set(key: [1], value: [3]))), at: moment(102))
        #expect(!other)
        calls.end(1, at: moment(110))
        let end = calls.isOwn(.returned(ClientReturn(client: "n1-1", call: told, result: .ok)), at: moment(109))
        #expect(end)
        let late = calls.isOwn(call(UInt64(2) << 48 | 2, request), at: moment(500))
        #expect(!late)
    }
}

/// How a node is shown by what it tells.
struct SourceTests {
    private static let node = NodeID(2)

    private func state(term: Term = Term(3)) -> Event.Kind {
        .node(
            Self.node, term,
            .state(
                NodeState(
                    incarnation: .first, role: .follower, vote: nil, leader: nil, commit: .zero, applied: .zero,
                    durable: .zero, log: [TermRun(term: Term(2), count: 4)], timer: nil, peers: [], store: [],
                    storeCount: 0)))
    }

    private func event(_ kind: Event.Kind, _ sequence: UInt64 = 1) -> News {
        .event(Event(at: .zero, sequence: sequence, kind: kind))
    }

    private func shown(_ news: [News], by source: inout Source) -> [Event.Kind] {
        news.flatMap { source.take($0, at: .zero) }.map(\.kind)
    }

    @Test("before its state a node's events mean nothing, and what was done to it comes after")
    func beginning() {
        var source = Source(nil)
        let cut = Event.Kind.link(
            {
                var link = LinkState(from: Self.node, to: NodeID(1))
                link.isCut = true
                return link
            }())
        let applied = Event.Kind.node(Self.node, Term(3), .applied(Applied(index: LogIndex(1))))
        let kinds = shown(
            [
                .reached, event(applied), event(cut), event(.node(Self.node, Term(3), .paused)), event(state()),
                event(applied),
            ],
            by: &source)
        #expect(kinds == [state(), .node(Self.node, Term(3), .paused), cut, applied])
        #expect(source.node == Self.node)
        // Somebody else begins to listen, and everybody hears what was done to it.
        #expect(shown([event(cut), event(.node(Self.node, Term(3), .paused))], by: &source).isEmpty)
    }

    @Test("a node that is lost is shown as down once, and comes back with what its state says")
    func lost() throws {
        var source = Source(nil)
        #expect(shown([.lost("connection refused")], by: &source).isEmpty)
        #expect(source.isTried)
        let first = shown([.reached, event(state())], by: &source)
        #expect(first.count == 2)
        let down = shown([.lost("the connection broke"), .lost("connection refused")], by: &source)
        #expect(
            down == [
                .node(
                    Self.node, Term(3),
                    .stopped(NodeStopped(how: .kill, unreachable: "the connection broke")))
            ])
        let back = shown([.reached, event(state(term: Term(5)))], by: &source)
        guard case .node(_, Term(5), .started(let started)) = try #require(back.first) else {
            Issue.record("it isn't told to have started: \(back)")
            return
        }
        #expect(started.isSeenAgain == true)
        #expect(started.log == [TermRun(term: Term(2), count: 4)])
        #expect(back.dropFirst() == [state(term: Term(5))])
    }

    @Test("what was left out is counted, and a node that was only too fast is not shown as down")
    func skipped() {
        var source = Source(Self.node)
        _ = shown([.reached, event(state(), 10)], by: &source)
        let kinds = shown([.skipped, .reached, event(state(), 110)], by: &source)
        #expect(kinds == [.dropped(EventsDropped(count: 99)), state()])
    }

    @Test("a node that was killed in its process starts by itself")
    func revived() {
        var source = Source(Self.node)
        let stopped = Event.Kind.node(Self.node, Term(3), .stopped(NodeStopped(how: .kill)))
        let started = Event.Kind.node(
            Self.node, Term(3), .started(NodeStarted(incarnation: .first, vote: nil, log: [])))
        #expect(
            shown([.reached, event(state()), event(stopped), event(started)], by: &source) == [
                state(), stopped, started,
            ])
        // Who comes while it is down hears nothing before it starts.
        var late = Source(nil)
        #expect(shown([.reached, event(started)], by: &late) == [started])
    }

    @Test(
        "a cluster that was running is never called fine, and nothing but what a node says of itself is held against it"
    )
    func audit() {
        var audit = Audit()
        audit.take(
            .began(ClusterBegan(running: [NodeID(1), Self.node], settings: SettingsChanged(Settings()))), sequence: 1)
        #expect(audit.isMidway)
        #expect(audit.safety.unchecked > 0 && audit.clients.unchecked > 0)
        // An entry that was never committed, a log with a hole, and an answer that nothing explains.
        for node in [NodeID(1), Self.node] {
            audit.take(.node(node, Term(1), .applied(Applied(index: LogIndex(9)))), sequence: 2)
        }
        audit.take(.node(Self.node, Term(1), .raft(.appended(Appended(first: LogIndex(9), entries: [])))), sequence: 3)
        audit.take(.called(ClientCall(client: "c1", call: 1, request: .get(key: [1], .readindex))), sequence: 4)
        audit.take(.returned(ClientReturn(client: "c1", call: 1, result: .value([1]))), sequence: 5)
        audit.finish()
        #expect(audit.findings.isEmpty)
        #expect(audit.safety.unchecked > 3 && audit.clients.unchecked > 1)
        audit.take(.node(Self.node, Term(1), .raft(.halted(.invariant("broken")))), sequence: 6)
        #expect(audit.findings.count == 1)
    }
}

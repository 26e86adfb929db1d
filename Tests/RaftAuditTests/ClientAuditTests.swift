import KeyValue
import RaftAudit
import RaftCore
import RaftTrace
import Testing

/// A history of calls, as events.
private struct History {
    var audit = ClientAudit()
    private var sequence: UInt64 = 0

    mutating func call(_ number: UInt64, _ request: Request, by client: String = "c1", isRetry: Bool = false) {
        sequence += 1
        let call = ClientCall(client: client, call: number, request: request, isRetry: isRetry)
        audit.take(.called(call), sequence: sequence)
    }

    mutating func answer(_ number: UInt64, _ result: ClientResult, to client: String = "c1") {
        sequence += 1
        audit.take(.returned(ClientReturn(client: client, call: number, result: result)), sequence: sequence)
    }

    mutating func start(_ node: Int, with log: [TermRun]) {
        sequence += 1
        let started = NodeStarted(incarnation: .first, vote: nil, log: log)
        audit.take(.node(NodeID(node), .zero, .started(started)), sequence: sequence)
    }

    /// A call that is answered before anything else happens.
    mutating func perform(_ number: UInt64, _ request: Request, _ result: ClientResult) {
        call(number, request)
        answer(number, result)
    }

    var isLinearizable: Bool {
        var whole = audit
        whole.finish()
        return whole.findings.isEmpty
    }
}

private func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

private func set(_ value: String, _ key: String = "x") -> Request {
    .write(.set(key: bytes(key), value: bytes(value)))
}

private func get(_ key: String = "x") -> Request { .get(key: bytes(key), .readindex) }

private func value(_ text: String) -> ClientResult { .value(bytes(text)) }

struct ClientAuditTests {
    @Test("calls one after the other are answered as one store would, or it is found")
    func sequential() {
        var history = History()
        history.perform(1, get(), .notFound)
        history.perform(2, set("1"), .ok)
        history.perform(3, get(), value("1"))
        history.perform(4, .write(.compareAndSet(key: bytes("x"), old: bytes("1"), new: bytes("2"))), .ok)
        history.perform(
            5, .write(.compareAndSet(key: bytes("x"), old: bytes("1"), new: bytes("3"))), .mismatch(bytes("2")))
        history.perform(6, .write(.delete(key: bytes("x"))), .ok)
        history.perform(7, .write(.increment(key: bytes("x"), by: 4)), value("4"))
        #expect(history.isLinearizable)
        history.perform(8, get(), value("2"))
        #expect(!history.isLinearizable)
        #expect(
            history.audit.findings.first?.sentence
                == "c1 is answered ok 2 to get x (call 8), which no order of the calls on x explains")
    }

    @Test("a read that misses a write that ended before it began is stale")
    func stale() {
        var history = History()
        history.perform(1, set("1"), .ok)
        history.perform(2, set("2"), .ok)
        history.perform(3, get(), value("1"))
        #expect(!history.isLinearizable)
    }

    @Test("a read during a write may see it or not, but two in a row can't see it and then not")
    func concurrent() {
        for (first, second, isPossible) in [("1", "2", true), ("2", "2", true), ("1", "1", true), ("2", "1", false)] {
            var history = History()
            history.perform(1, set("1"), .ok)
            history.call(2, set("2"), by: "writer")
            history.perform(3, get(), value(first))
            history.perform(4, get(), value(second))
            history.answer(2, .ok, to: "writer")
            #expect(history.isLinearizable == isPossible, "\(first) then \(second)")
        }
    }

    @Test("a write that nobody knows of may be done at any later time, once, or never")
    func unknown() {
        for (reads, isPossible) in [
            (["1", "1"], true), (["1", "2"], true), (["2", "2"], true), (["2", "1"], false),
        ] {
            var history = History()
            history.perform(1, set("1"), .ok)
            history.perform(2, set("2"), .unknown)
            for (offset, read) in reads.enumerated() { history.perform(UInt64(3 + offset), get(), value(read)) }
            #expect(history.isLinearizable == isPossible, "\(reads)")
        }
    }

    @Test("what was refused was not done")
    func refused() {
        for result in [ClientResult.notLeader(nil), .error("n2 is down")] {
            var history = History()
            history.perform(1, set("1"), .ok)
            history.perform(2, set("2"), result)
            history.perform(3, get(), value("2"))
            #expect(!history.isLinearizable)
        }
    }

    @Test("a call that is open to the end may have been done")
    func open() {
        var history = History()
        history.call(1, set("1"), by: "writer")
        history.perform(2, get(), value("1"))
        #expect(history.isLinearizable)
        history.perform(3, get(), .notFound)
        #expect(!history.isLinearizable)
    }

    @Test("a write that is sent again has one effect and one answer")
    func retried() {
        let increment = Request.write(.increment(key: bytes("n"), by: 1))
        func history(first: ClientResult, again: ClientResult, then read: String) -> Bool {
            var history = History()
            history.perform(1, increment, first)
            history.call(2, increment, isRetry: true)
            history.answer(2, again)
            history.perform(3, get("n"), value(read))
            return history.isLinearizable
        }
        #expect(history(first: value("1"), again: value("1"), then: "1"))
        #expect(!history(first: value("1"), again: value("2"), then: "2"), "another answer")
        #expect(!history(first: value("1"), again: value("1"), then: "2"), "another effect")
        #expect(history(first: .unknown, again: value("1"), then: "1"))
        #expect(!history(first: .unknown, again: value("1"), then: "2"))
        #expect(history(first: .unknown, again: .unknown, then: "1"))
    }

    @Test("keys have nothing to do with each other, and reads of several are not judged, but counted")
    func keys() {
        var history = History()
        history.perform(1, set("1", "x"), .ok)
        history.perform(2, get("y"), .notFound)
        history.perform(3, .keys(prefix: [], .readindex), .keys([]))
        #expect(history.isLinearizable)
        #expect(history.audit.unchecked == 1)
        #expect(history.audit.checked == 2)
    }

    @Test("what servers had on their disks when they first started may be any value, but only one")
    func olderDisks() {
        let increment = Request.write(.increment(key: bytes("x"), by: 2))
        let swap = Request.write(.compareAndSet(key: bytes("x"), old: bytes("7"), new: bytes("8")))
        let firsts: [(request: Request, result: ClientResult, then: ClientResult)] = [
            (get(), value("7"), value("7")), (get(), .notFound, .notFound), (increment, value("9"), value("9")),
            (increment, .mismatch(bytes("a")), value("a")), (swap, .ok, value("8")),
            (swap, .mismatch(bytes("9")), value("9")), (swap, .notFound, .notFound), (set("1"), .ok, value("1")),
            (.write(.delete(key: bytes("x"))), .ok, .notFound),
            (.write(.delete(key: bytes("x"))), .notFound, .notFound),
        ]
        for (request, result, then) in firsts {
            var history = History()
            for node in 1...3 { history.start(node, with: node == 2 ? [TermRun(term: Term(1), count: 2)] : []) }
            history.perform(1, request, result)
            history.perform(2, get(), then)
            #expect(history.isLinearizable, "\(result) to \(request)")
            history.perform(3, get(), value("another"))
            #expect(!history.isLinearizable)
        }
        for impossible in [ClientResult.mismatch(bytes("7")), .mismatch(bytes("-1"))] {
            var history = History()
            history.start(1, with: [TermRun(term: Term(1), count: 2)])
            history.perform(1, impossible == .mismatch(bytes("7")) ? swap : increment, impossible)
            #expect(!history.isLinearizable, "\(impossible) to what would have been done")
        }
        // Of two reads either may be the one that found what was there; a write came between.
        for first in ["2", "3"] {
            let second = first == "2" ? "3" : "2"
            var history = History()
            history.start(1, with: [TermRun(term: Term(1), count: 2)])
            history.call(1, get(), by: "a")
            history.call(2, get(), by: "b")
            history.call(3, set(second), by: "c")
            history.answer(3, .ok, to: "c")
            history.answer(1, value(second), to: "a")
            history.answer(2, value(first), to: "b")
            #expect(history.isLinearizable)
        }
        var restarted = History()
        restarted.start(1, with: [])
        restarted.start(1, with: [TermRun(term: Term(1), count: 2)])
        restarted.perform(1, get(), value("7"))
        #expect(!restarted.isLinearizable, "a log of this run holds only what this run's clients wrote")
    }

    @Test("a write of which nobody knew, and that is sent again later, may have had its effect long before")
    func lateRetry() {
        var history = History()
        history.perform(1, set("1"), .unknown)
        history.call(2, set("2"), by: "bob")
        history.answer(2, .ok, to: "bob")
        history.call(3, set("1"), isRetry: true)
        history.answer(3, .ok)
        history.perform(4, get(), value("2"))
        #expect(history.isLinearizable)
        history.perform(5, get(), value("3"))
        #expect(!history.isLinearizable)
    }

    @Test(
        "what is answered to a write that was sent again has happened by then, though the first answer is still to come"
    )
    func retryEndsFirst() {
        var history = History()
        history.call(1, set("1"))
        history.call(2, set("1"), isRetry: true)
        history.answer(2, .ok)
        history.call(3, get(), by: "bob")
        history.answer(3, .notFound, to: "bob")
        history.answer(1, .ok)
        #expect(!history.isLinearizable)
    }

    @Test("a read that promises less breaks nothing by being stale, and nothing follows from it")
    func weakReads() {
        func local() -> Request { .get(key: bytes("x"), .local) }
        var history = History()
        history.perform(1, set("1"), .ok)
        history.call(2, set("2"), by: "w")
        history.call(3, local(), by: "r")
        history.answer(2, .ok, to: "w")
        history.answer(3, value("1"), to: "r")
        #expect(!history.audit.isLastReadStale, "the write was going on when the read began")
        history.perform(4, local(), value("1"))
        #expect(history.audit.isLastReadStale)
        #expect(history.isLinearizable)
        history.perform(5, local(), value("2"))
        #expect(!history.audit.isLastReadStale)
        history.perform(6, get(), value("2"))
        #expect(history.isLinearizable)
        history.perform(7, get(), value("1"))
        #expect(history.audit.isLastReadStale)
        #expect(!history.isLinearizable, "this one promised more")
    }

    @Test("what a weak read was answered is no reason to find a later answer wrong")
    func weakReadsBindNobody() {
        var history = History()
        history.perform(1, set("1"), .ok)
        history.call(2, set("2"), by: "w")
        history.call(3, .get(key: bytes("x"), .local), by: "r")
        history.answer(3, value("2"), to: "r")
        history.perform(4, get(), value("1"))
        history.answer(2, .ok, to: "w")
        history.perform(5, get(), value("2"))
        #expect(history.isLinearizable)
    }

    @Test("it finds what trying every order finds", arguments: 0..<8)
    func everyOrder(seed: UInt64) {
        var random = Generator(seed: seed)
        var counts = (possible: 0, impossible: 0)
        for _ in 0..<400 {
            let calls = SmallHistory(&random)
            #expect(calls.isFoundLinearizable == calls.hasOrder, "\(calls)")
            if calls.hasOrder { counts.possible += 1 } else { counts.impossible += 1 }
        }
        #expect(counts.possible > 30 && counts.impossible > 30, "\(counts)")
    }
}

/// Some calls on one key that overlap at random, with answers that may be right.
private struct SmallHistory {
    struct Call {
        var request: Request
        var result: ClientResult
        var begin: Int
        var end: Int
    }

    var calls: [Call] = []

    init(_ random: inout Generator) {
        for _ in 0..<(2 + random.below(5)) {
            let value = String(random.below(2))
            let request: Request =
                switch random.below(4) {
                case 0: .write(.set(key: bytes("x"), value: bytes(value)))
                case 1: .write(.compareAndSet(key: bytes("x"), old: bytes("0"), new: bytes("1")))
                case 2: .write(.delete(key: bytes("x")))
                default: .get(key: bytes("x"), .readindex)
                }
            let results: [ClientResult] =
                switch request {
                case .get: [.notFound, .value(bytes("0")), .value(bytes("1")), .unknown]
                case .write(.set): [.ok, .ok, .unknown, .notLeader(nil)]
                case .write(.delete): [.ok, .notFound, .unknown]
                default: [.ok, .mismatch(bytes("1")), .notFound, .unknown]
                }
            let begin = Int(random.below(8))
            calls.append(
                Call(
                    request: request, result: results[Int(random.below(UInt64(results.count)))], begin: begin,
                    end: begin + Int(random.below(5))))
        }
    }

    var isFoundLinearizable: Bool {
        var history = History()
        for moment in 0..<16 {
            for (number, call) in calls.enumerated() where call.begin == moment {
                history.call(UInt64(number + 1), call.request, by: "c\(number)")
            }
            for (number, call) in calls.enumerated() where call.end == moment {
                history.answer(UInt64(number + 1), call.result, to: "c\(number)")
            }
        }
        return history.isLinearizable
    }

    /// Whether some order of the calls, with or without those nobody knows of, explains every answer.
    var hasOrder: Bool { hasOrder(after: [], value: nil) }

    private func hasOrder(after done: Set<Int>, value: Bytes?) -> Bool {
        let rest = calls.indices.filter { !done.contains($0) && calls[$0].result != .notLeader(nil) }
        if rest.allSatisfy({ calls[$0].result == .unknown }) { return true }
        for next in rest {
            // Nobody goes before one that ended before it began.
            let isEarly = rest.contains { calls[$0].result != .unknown && calls[$0].end < calls[next].begin }
            guard !isEarly else { continue }
            var outcome = Outcome.done
            var after = value
            switch calls[next].request {
            case .write(let operation): (after, outcome) = operation.applied(to: value)
            case .get: outcome = value.map { .value($0) } ?? .notFound
            case .keys: continue
            }
            let fits = calls[next].result == .unknown || calls[next].result == ClientResult(outcome)
            if fits, hasOrder(after: done.union([next]), value: after) { return true }
        }
        return false
    }
}

import KeyValue
import RaftCore
import RaftTrace
import Testing

/// What led to what, in the traces of scripts.
@Suite(.timeLimit(.minutes(10)))
struct CauseTests {
    @Test("everything but commands and the beginning has a cause before it", arguments: ScriptTrace.names)
    func everyEvent(name: String) throws {
        let events = try ScriptTrace.events(of: name)
        for (place, event) in events.enumerated() {
            let cause = event.cause(among: events[..<place])
            if let cause {
                #expect(cause.sequence < event.sequence)
                #expect(events[Int(cause.sequence) - 1] == cause)
                expectSameServer(event, cause)
            } else if !event.isFirst {
                Issue.record("\(name): no cause of \(event.sequence), \(event.explanation.line)")
            }
            // Where the whole row is at hand, what comes later doesn't count.
            if place % 16 == 0 { #expect(event.cause(among: events) == cause) }
        }
    }

    /// What happens on a server comes from itself, from a message to it, from whoever asked, or from what took others away.
    private func expectSameServer(_ event: Event, _ cause: Event) {
        guard case .node(let node, _, .raft(let observation)) = event.kind else { return }
        switch (cause.kind, observation) {
        case (.node(let other, _, _), .roleChanged), (.node(let other, _, _), .timerSet),
            (.node(let other, _, _), .lease), (.node(let other, _, _), .termChanged):
            guard other != node, case .node(_, _, let silence) = cause.kind else { return }
            switch silence {
            case .stopped, .failed, .paused, .raft(.halted), .raft(.roleChanged): break
            default: Issue.record("\(event.explanation.line) <- \(cause.explanation.line)")
            }
        case (.node(let other, _, _), _): #expect(other == node, "\(event.sequence) <- \(cause.sequence)")
        case (.delivered(let delivered), _): #expect(delivered.to == node)
        case (.command, _), (.called, _), (.link, _), (.settings, _): break
        default: Issue.record("\(event.explanation.line) <- \(cause.explanation.line)")
        }
    }

    @Test("a chain goes back step by step, and ends in a command or the beginning", arguments: ScriptTrace.names)
    func everyChain(name: String) throws {
        let events = try ScriptTrace.events(of: name)
        for (place, event) in events.enumerated() where place % 7 == 0 || place > events.count - 20 {
            let chain = event.chain(among: events[..<place], limit: .max)
            #expect(chain.first == event)
            for (later, earlier) in zip(chain, chain.dropFirst()) {
                #expect(later.cause(among: events[..<(Int(later.sequence) - 1)]) == earlier)
            }
            #expect(chain.last?.isFirst == true, "\(name): \(event.sequence) ends in \(chain.last?.sequence ?? 0)")
            #expect(event.chain(among: events[..<place], limit: 3) == Array(chain.prefix(3)))
        }
    }

    @Test("what is kept of a long row is searched no further", arguments: ["leader-crash.raft", "snapshot-lost.raft"])
    func partOfRow(name: String) throws {
        let events = try ScriptTrace.events(of: name)
        for start in stride(from: 1, to: events.count, by: 97) {
            for place in start..<min(start + 20, events.count) {
                let cause = events[place].cause(among: events[start..<place])
                #expect(cause.map { $0.sequence > UInt64(start) } ?? true)
            }
        }
    }
}

/// The chains that a lecture asks for.
struct ChainTests {
    /// The sentences of the chain of the last event that fits, the latest first.
    private func sentences(_ script: String, of fits: (Event) -> Bool) throws -> [String] {
        let events = try ScriptTrace.events(playing: script)
        let last = events.lastIndex(where: fits)
        let place = try #require(last)
        return events[place].chain(among: events[..<place], limit: 24).map(\.explanation.line)
            // Numbers of messages and times are the seed's.
            .map { $0.replacing(#/#\d+|\d+ ms/#, with: "…") }
    }

    @Test("who leads after the leader was killed leads because of that")
    func election() throws {
        let chain = try sentences(
            """
            cluster 3
            hold-timer 1 2 3
            timeout 1
            wait leader 1
            wait converged
            free-timer 2
            kill 1
            wait leader 2
            expect safe
            """
        ) { if case .node(_, _, .raft(.roleChanged(let change))) = $0.kind { change.role == .leader } else { false } }
        #expect(
            chain == [
                "n2 leads term 2 with 2 votes, 2 needed (§5.2)",
                "n2 hears yes from n3: has 2 of the 2 votes it needs (§5.2)",
                "n2 gets … from n3",
                "n3 → n2 vote granted t2 …",
                "n3 votes for n2 in term 2: log (1, 1) is no older than its own (1, 1) (§5.2)",
                "n3 gets … from n2",
                "n2 → n3 vote for me in t2, my log ends at (1, 1) …",
                "n2 could win: campaigns for term 2 (§5.2)",
                "n2 hears yes from n3: has 2 of the 2 yes it needs (thesis §9.6)",
                "n2 gets … from n3",
                "n3 → n2 pre-vote granted t2 …",
                "n3 would vote for n2 in term 2: log (1, 1) is no older than its own (1, 1) (thesis §9.6)",
                "n3 gets … from n2",
                "n2 → n3 could I win t2, my log ends at (1, 1) …",
                "n2 hears no leader: asks whether it could win (thesis §9.6)",
                "n1 is killed: its memory is lost, its disk is kept",
                "» kill 1",
            ])
    }

    @Test("an answer goes back to the call and its command, by way of the majority")
    func write() throws {
        let chain = try sentences(
            """
            cluster 3
            hold-timer 1 2 3
            timeout 1
            wait leader 1
            wait converged
            isolate 3
            latency 10ms
            set x 1
            expect result = ok
            """
        ) { if case .returned = $0.kind { true } else { false } }
        #expect(
            chain == [
                "c1: ok",
                "n1 applies entry 2: x is 1 (§5.3)",
                "n1 commits up to 2, stored on 2 of 3 (§5.3)",
                "n1 knows n2's log: match 2, next 3 (§5.3)",
                "n1 gets … from n2",
                "n2 → n1 has up to 2 t1 …",
                "n2 has entries up to 2 on disk (Figure 2)",
                "n2 appends 2: set x 1, term 1 (§5.3)",
                "n2 gets … from n1",
                "n1 → n2 append t1 2 set x 1 …",
                "n1 appends 2: set x 1, term 1 (§5.3)",
                "c1: set x 1",
                "» set x 1",
            ])
    }

    @Test("a refused vote goes back to the candidate's campaign")
    func refusedVote() throws {
        let chain = try sentences(
            """
            cluster 3
            boot 1 term=2 log=1,2
            boot 2 term=2 log=1,2
            boot 3 term=1 log=1
            option prevote off
            hold-timer 1 2 3
            timeout 3
            wait term 1 = 2
            sleep 100ms
            expect not role 3 leader
            """
        ) {
            if case .node(NodeID(1), _, .raft(.voteCast(let cast))) = $0.kind { !cast.isGranted } else { false }
        }
        #expect(
            chain == [
                "n1 refuses n3 its vote for term 2: its own log ends at (2, 2), newer than (1, 1) (§5.4.1)",
                "n1 gets … from n3",
                "n3 → n1 vote for me in t2, my log ends at (1, 1) …",
                "n3 campaigns for term 2, as told (thesis §3.10)",
                "» timeout 3",
            ])
    }

    @Test("an entry of an older term isn't committed, because of the answer that brought it to a majority")
    func heldBack() throws {
        let events = try ScriptTrace.events(of: "figure-8.raft")
        let place = try #require(
            events.firstIndex {
                if case .node(_, _, .raft(.heldBack)) = $0.kind { true } else { false }
            })
        let chain = events[place].chain(among: events[..<place])
        guard case .node(NodeID(5), Term(5), .raft(.progressed(let progressed))) = chain[1].kind,
            case .delivered(let delivered) = chain[2].kind, case .sent(let sent) = chain[3].kind
        else {
            Issue.record("\(chain.map(\.explanation.line))")
            return
        }
        #expect(progressed.match == LogIndex(2))
        #expect(delivered.from == progressed.peer && sent.number == delivered.number)
        #expect(chain.contains { $0.explanation.line == "n5 leads term 5 with 3 votes, 3 needed (§5.2)" })
        #expect(chain.last?.explanation.line == "» timeout 5")
    }

    @Test("a lost message goes back to the cut, whether it was on its way or is sent later")
    func lost() throws {
        let script = """
            cluster 3
            hold-timer 1 2 3
            timeout 1
            wait leader 1
            wait converged
            latency 1>2 200ms
            set x 1
            cut 1-2
            sleep 100ms
            expect safe
            """
        let events = try ScriptTrace.events(playing: script)
        let places = events.indices.filter { if case .lost = events[$0].kind { true } else { false } }
        let chains = places.map { events[$0].chain(among: events[..<$0]).dropFirst().map(\.explanation.line) }
        #expect(chains.contains(["» cut 1-2"]))
        #expect(chains.contains(["n1 → n2 is cut", "» cut 1-2"]))
        #expect(Set(chains).count == 2)
    }

    @Test("a command doesn't stop a server in a later life, and a message of an earlier life leads to nothing")
    func lives() {
        let (n1, n2, term) = (NodeID(1), NodeID(2), Term(1))
        let entry = Entry(term: term, payload: .noop)
        let append = Message(
            from: n2, incarnation: .first, to: n1, term: term,
            body: .append(Append(previous: .zero, entries: [entry], commit: .zero, round: .zero)))
        let started = Event.Kind.node(n1, term, .started(NodeStarted(incarnation: .first, vote: nil, log: [])))
        let appended = Event.Kind.node(n1, term, .raft(.appended(Appended(first: LogIndex(1), entries: [entry]))))
        let stopped = Event.Kind.node(n1, term, .stopped(NodeStopped(how: .kill)))
        func cause(of last: Event.Kind, after kinds: [Event.Kind]) -> UInt64? {
            let events = (kinds + [last]).enumerated().map {
                Event(at: Instant(nanoseconds: Int64($0)), sequence: UInt64($0 + 1), kind: $1)
            }
            return events.last?.cause(among: events.dropLast())?.sequence
        }
        let sent = Event.Kind.sent(MessageSent(number: 7, message: append, due: nil))
        let delivered = Event.Kind.delivered(MessageDelivered(number: 7, from: n2, to: n1))
        #expect(cause(of: appended, after: [sent, delivered]) == 2)
        #expect(cause(of: appended, after: [sent, delivered, started]) == nil)
        #expect(cause(of: stopped, after: [.command(CommandDone(text: "kill 1"))]) == 1)
        #expect(cause(of: stopped, after: [.command(CommandDone(text: "kill 2"))]) == nil)
        #expect(cause(of: stopped, after: [.command(CommandDone(text: "power 1"))]) == nil)
        let revived = [
            .command(CommandDone(text: "kill 1")), stopped, .command(CommandDone(text: "revive 1")), started,
        ]
        #expect(cause(of: stopped, after: revived) == nil)
        #expect(cause(of: stopped, after: [revived[0], revived[2], started]) == nil, "its stop is no longer kept")
        #expect(cause(of: started, after: Array(revived.dropLast())) == 3)
    }
}

extension Event {
    /// Whether it begins a chain.
    fileprivate var isFirst: Bool {
        switch kind {
        case .began, .command: true
        default: false
        }
    }
}

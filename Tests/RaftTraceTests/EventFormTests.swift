import FoundationEssentials
import KeyValue
import RaftCore
import RaftTrace
import Testing

/// The trace's form: one flat JSON object an event.
struct EventFormTests {
    private static let n1 = NodeID(1)
    private static let n2 = NodeID(2)
    private static let set = SessionCommand(
        client: "c1", sequence: 3, firstIncomplete: 2, operation: .set(key: [0x78], value: [0xff, 0x5c, 0x0a]))
    private static let entries = [
        Entry(term: Term(1), payload: .noop), Entry(term: Term(2), payload: .command(set.encoded())),
        Entry(term: Term(2), payload: .command([9, 9])),
    ]

    private static func node(_ event: NodeEvent) -> Event.Kind { .node(n1, Term(7), event) }

    private static func message(_ body: Message.Body) -> Event.Kind {
        let message = Message(from: n1, incarnation: .first, to: n2, term: Term(7), body: body)
        return .sent(MessageSent(number: 17, message: message, due: Instant(nanoseconds: 99)))
    }

    static let kinds: [Event.Kind] =
        [
            .began(ClusterBegan(nodes: 5, seed: 3, settings: Settings())),
            node(
                .started(
                    NodeStarted(
                        incarnation: .first, vote: n2, log: [TermRun(term: Term(1), count: 4)], repairs: ["cut"],
                        port: 4_000))),
            node(.stopped(NodeStopped(how: .power))), node(.paused), node(.resumed),
            node(.failed(NodeFailed(reason: "no"))), node(.hungUp(HungUp(reason: "who?"))),
            node(
                .applied(
                    Applied(index: LogIndex(4), key: [0x78], value: nil, client: "c1", sequence: 3, isDuplicate: true))),
            node(.applied(Applied(index: LogIndex(5)))),
            node(
                .state(
                    NodeState(
                        incarnation: Incarnation(2), role: .leader, vote: n1, leader: n1, commit: LogIndex(1),
                        applied: LogIndex(1), durable: LogIndex(2), log: [TermRun(term: Term(1), count: 2)], timer: nil,
                        peers: [
                            Progressed(
                                peer: n2, next: LogIndex(3), match: LogIndex(2), isProbing: false, isCounted: true)
                        ], store: [.init(key: [0x78], value: [0])], storeCount: 1))),
            node(.raft(.appended(Appended(first: LogIndex(3), entries: entries)))),
            message(
                .voteRequest(
                    VoteRequest(poll: .preVote, last: LogPosition(term: Term(1), index: LogIndex(2)), isTold: true))),
            message(.voteRequest(VoteRequest(poll: .vote, last: .zero, isTold: true, isHandedOver: true))),
            message(
                .append(Append(previous: .zero, entries: [], commit: .zero, round: .zero, lease: .milliseconds(150)))),
            message(.readIndexRequest(ReadIndexRequest(context: 1 << 52))),
            message(.readIndexResponse(ReadIndexResponse(context: 5, index: LogIndex(2)))),
            message(.readIndexResponse(ReadIndexResponse(context: 5, index: nil))),
            message(.voteResponse(VoteResponse(poll: .vote, isGranted: false))),
            message(
                .append(Append(previous: .zero, entries: entries, commit: LogIndex(2), round: ReadRound(rawValue: 4)))),
            message(.appendResponse(AppendResponse(outcome: .accepted(match: LogIndex(2)), round: .zero))),
            message(
                .appendResponse(AppendResponse(outcome: .refused(previous: LogIndex(9), hint: .zero), round: .zero))),
            message(.timeoutNow), node(.timerHeld), node(.timerFreed), node(.disk(DiskChanged(condition: .stall))),
            .settings(SettingsChanged(Settings())),
            .violation(PropertyBroken(property: "promise", sentence: "n1 votes twice")),
            .delivered(MessageDelivered(number: 17, from: n1, to: n2)),
            .lost(MessageLost(number: 17, from: n1, to: n2, reason: .cut)),
            .link(LinkState(from: n1, to: n2)), .clock(ClockRate(rate: 0.1)),
            .stepped(ClockStepped(from: n1, to: n2, message: 17)), .stepped(ClockStepped(from: n1)),
            .stepped(ClockStepped()),
            .load(Load(rate: 1_000, clients: 32)), .load(nil),
            .command(CommandDone(text: "kill 1")),
            .dropped(EventsDropped(count: 5)),
            .called(ClientCall(client: "c1", call: 1, request: .write(set.operation), via: n2, isRetry: true)),
            .called(ClientCall(client: "c1", call: 2, request: .get(key: [0x78], .readindex))),
            .called(ClientCall(client: "c1", call: 2, request: .keys(prefix: [], .readindex))),
            .called(ClientCall(client: "c1", call: 2, request: .get(key: [0x78], .lease))),
            .called(ClientCall(client: "c1", call: 2, request: .write(.increment(key: [0x78], by: -4)))),
            .called(
                ClientCall(client: "c1", call: 2, request: .write(.compareAndSet(key: [0x78], old: [1], new: [2])))),
            .called(ClientCall(client: "c1", call: 2, request: .write(.delete(key: [0x78])))),
        ]
        + [
            ClientResult.ok, .value([0x31]), .keys([[0x61], [0x62]]), .notFound, .mismatch([0x32]), .notLeader(n2),
            .notLeader(nil), .unknown, .error("n2 is down"),
        ].map { .returned(ClientReturn(client: "c1", call: 1, result: $0)) }

    @Test("every event comes back from its line as it was", arguments: kinds.indices)
    func roundTrip(place: Int) throws {
        let event = Event(at: Instant(nanoseconds: 12_345), sequence: 678, kind: Self.kinds[place])
        let line = try JSONEncoder().encode(event)
        #expect(try JSONDecoder().decode(Event.self, from: line) == event)
    }

    @Test("client events are strings that another program can read")
    func clientEvents() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        func line(_ kind: Event.Kind) throws -> String {
            String(
                decoding: try encoder.encode(Event(at: Instant(nanoseconds: 5), sequence: 2, kind: kind)), as: UTF8.self
            )
        }
        let call = ClientCall(
            client: "c1", call: 1, request: .write(.compareAndSet(key: [0x78], old: [0x31], new: [0x32])))
        #expect(
            try line(.called(call))
                == #"{"at":5,"call":1,"client":"c1","event":"client-call","key":"x","old":"1","op":"cas","seq":2,"value":"2"}"#
        )
        #expect(
            try line(.returned(ClientReturn(client: "c1", call: 1, result: .mismatch([0x37]))))
                == #"{"at":5,"call":1,"client":"c1","event":"client-return","result":"mismatch","seq":2,"value":"7"}"#)
        #expect(
            try line(.node(Self.n1, Term(7), .stopped(NodeStopped(how: .kill))))
                == #"{"at":5,"event":"stopped","how":"kill","node":1,"seq":2,"term":7}"#)
    }

    @Test(
        "a line that is no event is refused with the reason",
        arguments: [
            (#"{"at":1,"seq":1,"event":"birthday"}"#, "unknown event 'birthday'"),
            (
                #"{"at":1,"seq":1,"event":"client-call","client":"c1","call":1,"op":"jump","key":"x"}"#,
                "unknown operation 'jump'"
            ),
            (
                #"{"at":1,"seq":1,"event":"client-call","client":"c1","call":1,"op":"set","key":"x"}"#,
                "'value' is missing"
            ),
            (
                #"{"at":1,"seq":1,"event":"client-call","client":"c1","call":1,"op":"set","key":"\\q","value":""}"#,
                "'key' has a stray backslash"
            ),
        ])
    func refused(line: String, reason: String) {
        #expect(throws: TraceError(reason)) {
            try JSONDecoder().decode(Event.self, from: Data(line.utf8))
        }
    }

    @Test("bytes and their text stand for each other, one for one")
    func byteText() {
        var random = Generator(seed: 1)
        for _ in 0..<2_000 {
            let bytes = (0..<random.below(12)).map { _ in
                random.chance(0.3) ? UInt8(ascii: "\\") : UInt8(truncatingIfNeeded: random.next())
            }
            #expect(ByteText.bytes(of: ByteText.text(of: bytes)) == bytes)
        }
        #expect(ByteText.text(of: Array("käse\\".utf8)) == "käse\\\\")
        #expect(ByteText.text(of: [0x61, 0xff, 0xc3]) == "a\\xff\\xc3")
        #expect(ByteText.bytes(of: "\\") == nil)
        #expect(ByteText.bytes(of: "\\x1") == nil)
    }
}

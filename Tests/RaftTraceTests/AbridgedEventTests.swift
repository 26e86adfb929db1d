import KeyValue
import RaftCore
import RaftTrace
import Testing

/// Events as they are told from outside.
struct AbridgedEventTests {
    private static let long = Bytes(repeating: 0xff, count: 1 << 20)
    private static let command = SessionCommand(
        client: "c1", sequence: 3, firstIncomplete: 2, operation: .set(key: [1], value: long))
    private static let entry = Entry(term: Term(2), payload: .command(command.encoded()))

    private static func node(_ event: NodeEvent) -> Event.Kind { .node(NodeID(1), Term(2), event) }

    private static let kinds: [Event.Kind] = [
        node(.raft(.appended(Appended(first: LogIndex(1), entries: [entry])))),
        node(.applied(Applied(index: LogIndex(1), key: long, value: long))),
        node(
            .state(
                NodeState(
                    incarnation: .first, role: .follower, vote: nil, leader: nil, commit: .zero, applied: .zero,
                    durable: .zero, log: [], timer: nil, peers: [],
                    store: [NodeState.Pair(key: long, value: long)], storeCount: 1))),
        .sent(
            MessageSent(
                number: 1,
                message: Message(
                    from: NodeID(1), incarnation: .first, to: NodeID(2), term: Term(2),
                    body: .append(Append(previous: .zero, entries: [entry], commit: .zero, round: .zero))), due: nil)),
        .called(ClientCall(client: "c1", call: 1, request: .write(.compareAndSet(key: [1], old: long, new: long)))),
        .called(ClientCall(client: "c1", call: 1, request: .get(key: long, .local))),
        .returned(ClientReturn(client: "c1", call: 1, result: .value(long))),
        .returned(ClientReturn(client: "c1", call: 1, result: .mismatch(long))),
        .returned(
            ClientReturn(
                client: "c1", call: 1,
                result: .keys([Bytes](repeating: Bytes(repeating: 1, count: 1 << 12), count: 1_000)))),
    ]

    @Test("no event holds more than the beginning of a key or a value", arguments: kinds.indices)
    func cut(_ place: Int) {
        let event = Event(at: .zero, sequence: 1, kind: AbridgedEventTests.kinds[place])
        let (whole, told) = (event.weight, event.abridged.weight)
        #expect(whole > 1 << 20)
        #expect(told < 1 << 15)
    }

    @Test("an entry that was cut is still the command that it was, but for its value")
    func entry() throws {
        let event = Event(at: .zero, sequence: 1, kind: AbridgedEventTests.kinds[0]).abridged
        guard case .node(_, _, .raft(.appended(let appended))) = event.kind,
            case .command(let bytes)? = appended.entries.first?.payload
        else {
            Issue.record("nothing is appended")
            return
        }
        var whole = AbridgedEventTests.command
        whole.operation = .set(key: [1], value: AbridgedEventTests.long.abridged)
        let told = try SessionCommand(decoding: bytes)
        #expect(told == whole)
    }
}

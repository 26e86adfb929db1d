import KeyValue
import RaftCore
import RaftNode
import RaftTrace
import Testing

struct ToldEventsTests {
    private func applied(_ sequence: UInt64, bytes: Int) -> Event {
        let applied = Applied(index: LogIndex(sequence), key: [1], value: Bytes(repeating: 1, count: bytes))
        return Event(at: .zero, sequence: sequence, kind: .node(NodeID(1), Term(1), .applied(applied)))
    }

    @Test("rows have few events, and few bytes where the events are large")
    func rows() {
        let small = ToldEvents.rows(of: (1...200).map { applied($0, bytes: 1) })
        #expect(small.map(\.events.count) == [64, 64, 64, 8])
        #expect(small.flatMap(\.events).map(\.sequence) == Array(1...200))
        let command = SessionCommand(.set(key: [1], value: [1]))
        let entries = [Entry](repeating: Entry(term: Term(1), payload: .command(command.encoded())), count: 400)
        let large = Event(
            at: .zero, sequence: 1,
            kind: .node(NodeID(1), Term(1), .raft(.appended(Appended(first: LogIndex(1), entries: entries)))))
        #expect(ToldEvents.rows(of: [large, large]).map(\.events.count) == [1, 1])
        #expect(ToldEvents.rows(of: []).isEmpty)
    }

    @Test("the text is made once, however many need it, and again where making it failed")
    func once() throws {
        struct Failed: Error {}
        let row = try #require(ToldEvents.rows(of: [applied(1, bytes: 1)]).first)
        #expect(throws: Failed.self) { try row.text { _ in throw Failed() } }
        var made = 0
        for _ in 1...3 {
            let text = row.text { events in
                made += 1
                return [UInt8(events.count)]
            }
            #expect(text == [1])
        }
        #expect(made == 1)
    }
}

import RaftCore
import Testing

@testable import RaftAudit

struct EntryHistoryTests {
    private let nodes = (NodeID(1), NodeID(2))

    /// Notes the entry of this index and term, which holds `text`, after one of the same term.
    private func note(
        _ history: inout EntryHistory, _ index: UInt64, term: UInt64 = 1, previous: UInt64? = nil, _ text: String?,
        on node: Int
    ) -> NodeID? {
        history.conflict(
            at: LogPosition(term: Term(term), index: LogIndex(index)), previous: Term(previous ?? term),
            payload: text.map { .command(Array($0.utf8)) }, on: NodeID(node))
    }

    @Test("an entry of the same index and term that holds another thing, or follows another, is found")
    func conflicts() {
        var history = EntryHistory(size: 1_000)
        for index in 1...100 as ClosedRange<UInt64> { #expect(note(&history, index, "\(index)", on: 1) == nil) }
        #expect(note(&history, 40, "40", on: 2) == nil)
        #expect(note(&history, 40, "other", on: 2) == nodes.0)
        #expect(note(&history, 40, previous: 0, "40", on: 2) == nodes.0)
        #expect(note(&history, 40, term: 2, "other", on: 2) == nil, "of another term it is another entry")
        #expect(note(&history, 40, term: 2, "40", on: 1) == nodes.1)
        #expect(history.count == 101)
    }

    @Test("what an entry holds may be learned later")
    func learned() {
        var history = EntryHistory(size: 1_000)
        #expect(note(&history, 7, nil, on: 1) == nil)
        #expect(note(&history, 7, "x", on: 2) == nil)
        #expect(note(&history, 7, nil, on: 1) == nil)
        #expect(note(&history, 7, "y", on: 2) == nodes.0)
    }

    @Test("the latest entries are kept, as many as was said, and little more")
    func bounded() {
        var history = EntryHistory(size: 1_000)
        for index in 1...50_000 as ClosedRange<UInt64> {
            _ = note(&history, index, "\(index)", on: 1)
            #expect(history.count < 1_064)
        }
        for index in 49_001...50_000 as ClosedRange<UInt64> {
            #expect(note(&history, index, "other", on: 2) == nodes.0)
        }
        #expect(note(&history, 1, "other", on: 2) == nil, "it is forgotten")
    }

    @Test("a term for every entry doesn't take a page for each of them for ever")
    func manyTerms() {
        var history = EntryHistory(size: 100_000)
        for term in 1...30_000 as ClosedRange<UInt64> { _ = note(&history, term, term: term, "x", on: 1) }
        #expect(history.count == 10_000)
        #expect(note(&history, 30_000, term: 30_000, "y", on: 2) == nodes.0)
    }
}

struct WindowTests {
    @Test("the latest are known by their numbers, and the others counted as forgotten")
    func latest() {
        var window = Window<Int>(size: 100)
        for number in 1...1_000 { window.append(number) }
        #expect(window.count == 1_000)
        #expect(window.known == 901...1_000)
        #expect(window[LogIndex(901)] == 901 && window[LogIndex(1_000)] == 1_000)
        #expect(window[LogIndex(900)] == nil)
        #expect(window.hasForgotten(LogIndex(900)) && !window.hasForgotten(LogIndex(901)))
        window.skip(to: LogIndex(1_050), with: 0)
        #expect(window[LogIndex(1_000)] == 1_000 && window[LogIndex(1_050)] == 0 && window.count == 1_050)
        window.skip(to: LogIndex(5_000), with: 0)
        #expect(window.known == nil && window.count == 5_000 && window.hasForgotten(LogIndex(5_000)))
    }
}

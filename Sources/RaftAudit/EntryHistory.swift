import DequeModule
import RaftCore

/// Every entry that was in any log: what it held, and what it followed. Of a long history the latest part is kept.
///
/// Entries of one term follow one another; so they stand in pages, which take a fraction of the memory that a table of
/// entries would.
struct EntryHistory: Sendable {
    private struct Known: Sendable {
        var previous: Term
        var payload: Digest?
        var node: NodeID
    }

    /// The entries of one term whose indices have the same quotient.
    private struct Page: Sendable {
        var entries: [Known?] = Array(repeating: nil, count: Page.length)
        var count = 0

        static let length = 32
    }

    private struct PageNumber: Hashable, Sendable {
        var term: Term
        var number: UInt64
    }

    private var pages: [PageNumber: Page] = [:]
    /// The pages in the order in which they were begun.
    private var order = Deque<PageNumber>()
    /// How many entries there are.
    private(set) var count = 0
    /// How many of the latest entries are kept, at least; fewer only where ``pagesMax`` are begun for less.
    private let size: Int

    /// Where every entry has a term of its own, every one has its page.
    private static let pagesMax = 10_000

    /// A history of which so much is kept.
    init(size: Int) { self.size = size }

    /// Notes an entry. Answers a server that had another one of the same index and term, if there is one.
    mutating func conflict(at position: LogPosition, previous: Term, payload: Payload?, on node: NodeID) -> NodeID? {
        let (number, place) = position.index.rawValue.quotientAndRemainder(dividingBy: UInt64(Page.length))
        let page = PageNumber(term: position.term, number: number)
        let payload = payload.map(Digest.of)
        guard let before = pages[page]?.entries[Int(place)] else {
            if pages[page] == nil { begin(page) }
            pages[page]?.entries[Int(place)] = Known(previous: previous, payload: payload, node: node)
            pages[page]?.count += 1
            count += 1
            return nil
        }
        if before.previous != previous { return before.node }
        guard let payload else { return nil }
        guard let other = before.payload else {
            pages[page]?.entries[Int(place)]?.payload = payload
            return nil
        }
        return other == payload ? nil : before.node
    }

    /// Begins a page. The oldest are forgotten, as long as enough is left without them.
    private mutating func begin(_ page: PageNumber) {
        while let oldest = order.first, let few = pages[oldest]?.count,
            count - few >= size || pages.count >= EntryHistory.pagesMax
        {
            pages[oldest] = nil
            count -= few
            order.removeFirst()
        }
        pages[page] = Page()
        order.append(page)
    }
}

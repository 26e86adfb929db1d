import DequeModule
import RaftCore

/// The latest of a row of things that are numbered from 1. Older ones are forgotten.
struct Window<Element: Sendable>: Sendable {
    private var elements = Deque<Element>()
    /// How many were forgotten.
    private var forgotten = 0
    private let size: Int

    init(size: Int) { self.size = size }

    /// How many there were in all.
    var count: Int { forgotten + elements.count }

    /// The one of this number; `nil` where it isn't known, or not any more.
    subscript(index: LogIndex) -> Element? {
        let place = Int(index.rawValue) - 1 - forgotten
        return elements.indices.contains(place) ? elements[place] : nil
    }

    /// Whether the one of this number was there once, and is forgotten.
    func hasForgotten(_ index: LogIndex) -> Bool { index.rawValue <= UInt64(forgotten) }

    /// The indices of those that are known.
    var known: ClosedRange<UInt64>? {
        elements.isEmpty ? nil : UInt64(forgotten) + 1...UInt64(count)
    }

    /// Goes on after `index`; what lies between was never seen, and counts as forgotten where it is much.
    mutating func skip(to index: LogIndex, with filler: Element) {
        let missing = Int(index.rawValue) - count
        guard missing <= size else {
            elements = []
            forgotten = Int(index.rawValue)
            return
        }
        for _ in 0..<Swift.max(0, missing) { append(filler) }
    }

    mutating func append(_ element: Element) {
        elements.append(element)
        guard elements.count > size else { return }
        elements.removeFirst()
        forgotten += 1
    }
}

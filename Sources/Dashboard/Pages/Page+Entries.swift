import Canvas
import RaftCore
import RaftTrace

// The entries of all logs, the latest first: which servers have each, where it is on disk, and where it is committed. Where
// logs differ, an index has a line for each of its entries.

extension Model {
    var entryLines: [Page.Line] {
        let last = picture.nodes.map(\.log.last.rawValue).max() ?? 0
        let first = picture.nodes.map(\.log.base.index.rawValue).min() ?? 0
        guard last > first else { return [] }
        let shown = max(first + 1, last > Model.entriesMax ? last - Model.entriesMax + 1 : 1)
        var lines = [
            Page.Line(
                Page.padded("index", to: 8) + Page.padded("term", to: 6) + Page.padded("on disk at", to: 22)
                    + Page.padded("committed at", to: 22) + "what", .faint)
        ]
        for raw in (shown...last).reversed() { lines += variants(at: LogIndex(raw)) }
        return lines
    }

    private static let entriesMax: UInt64 = 200

    private func variants(at index: LogIndex) -> [Page.Line] {
        let terms = Set(picture.nodes.compactMap { $0.log.term(at: index) })
        return terms.sorted(by: >).map { term in
            let holders = picture.nodes.filter { $0.log.term(at: index) == term }
            let what = holders.lazy.compactMap { $0.log.entry(at: index)?.summary }.first ?? "?"
            let waiting = holders.filter { $0.durable < index }
            let committed = holders.filter { $0.isRunning && $0.commit >= index }
            let style = Model.style(
                of: term, isCommitted: !committed.isEmpty,
                isAtFault: picture.nodes.contains { isAtFault(index, of: $0.id) })
            let stored =
                Model.names(holders.filter { $0.durable >= index })
                + (waiting.isEmpty ? "" : " (+\(waiting.count) not yet)")
            return Page.Line([
                (Page.padded("\(index)", to: 8), .plain), (" \(term) ", style), (Page.padded("", to: 3), .plain),
                (Page.padded(stored, to: 22), .plain),
                (Page.padded(committed.isEmpty ? "nobody" : Model.names(committed), to: 22), .plain),
                (what, committed.isEmpty ? .plain : .plain.bold),
            ])
        }
    }

    private static func style(of term: Term, isCommitted: Bool, isAtFault: Bool) -> Style {
        if isAtFault { return Style(.vermilion, isBold: true, isReversed: true, isUnderlined: true) }
        return Style(Symbols.ink(of: term), isReversed: isCommitted)
    }

    private static func names(_ nodes: [NodePicture]) -> String {
        nodes.isEmpty ? "nobody" : "n" + nodes.map { "\($0.id.rawValue)" }.joined(separator: ",")
    }
}

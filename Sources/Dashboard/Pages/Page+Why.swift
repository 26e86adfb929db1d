import Canvas
import RaftCore
import RaftTrace

// Why something happened: the event in one sentence, and below it what led to it, step by step, back to what somebody did.

extension Model {
    /// Opens the explanation of the event that is chosen: the last line of the events pane, where it is looked back in.
    mutating func explain() {
        let lines = shownLines
        let upToChosen = lines.dropLast(min(eventsBack, max(0, lines.count - 1)))
        let chosen = eventsBack > 0 ? upToChosen.last : upToChosen.last { !$0.isAside } ?? upToChosen.last
        guard let chosen, timeline.indices.contains(chosen.place) else {
            notice = Notice("nothing has happened that could be explained")
            return
        }
        open(.why(causes(of: chosen.place)))
    }

    func whyLines(_ places: [Int], columns: Int) -> [Page.Line] {
        var lines: [Page.Line] = []
        for (step, place) in places.enumerated() where timeline.indices.contains(place) {
            let event = timeline[place]
            let head = event.at.clockText + (step == 0 ? "  " : "  because ")
            let style: Style = event.isCommand ? Style(.green, isBold: true) : step == 0 ? .plain.bold : .plain
            let room = max(20, columns - Glyph.width(of: head))
            for (number, text) in Glyph.wrapped(event.explanation.line, columns: room).enumerated() {
                let start = number == 0 ? head : String(repeating: " ", count: Glyph.width(of: head))
                lines.append(Page.Line([(start, .faint), (text, style)], action: .look(place)))
            }
        }
        return lines
    }

    /// The places of an event and of what led to it, the latest first.
    func causes(of place: Int) -> [Int] {
        // The search goes through many events, and is quick where they lie next to each other.
        let row = Array(timeline.events(before: place))
        return timeline[place].chain(among: row, limit: Model.causesMax).dropFirst().reduce(into: [place]) {
            places, cause in
            if let found = row.lastIndex(where: { $0.sequence == cause.sequence && $0.kind == cause.kind }) {
                places.append(timeline.start + found)
            }
        }
    }

    private static let causesMax = 40
}

extension Event {
    fileprivate var isCommand: Bool { if case .command = kind { true } else { false } }
}

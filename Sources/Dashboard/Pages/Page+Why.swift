import Canvas
import RaftCore
import RaftTrace

// Why something happened: the event in one sentence, and below it what led to it, step by step, back to what somebody did.

extension Model {
    /// Opens the explanation of the event that is chosen: the last line of the events pane, where it is looked back in.
    mutating func explain() {
        let lines = shownLines
        let chosen = lines.dropLast(min(eventsBack, max(0, lines.count - 1))).last
        guard let chosen, timeline.indices.contains(chosen.place) else {
            notice = Notice("nothing has happened that could be explained")
            return
        }
        open(.why(chosen.place))
    }

    func whyLines(_ place: Int, columns: Int) -> [Page.Line] {
        guard timeline.indices.contains(place) else {
            return [Page.Line("it is too long ago: nothing is kept of it", .faint)]
        }
        var lines: [Page.Line] = []
        for (step, place) in causes(of: place).enumerated() {
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
    private func causes(of place: Int) -> [Int] {
        var places = [place]
        while places.count < Model.causesMax, let last = places.last {
            let earlier = timeline.events(before: last)
            guard let cause = timeline[last].cause(among: earlier),
                let place = earlier.lastIndex(where: { $0.sequence == cause.sequence && $0.kind == cause.kind })
            else { break }
            places.append(place)
        }
        return places
    }

    private static let causesMax = 40
}

extension Event {
    fileprivate var isCommand: Bool { if case .command = kind { true } else { false } }
}

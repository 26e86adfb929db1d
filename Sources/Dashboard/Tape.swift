import Canvas
import RaftCore
import RaftTrace

/// What turned the story, for the line along the bottom of the screen: terms as bands; elections, faults and writes as
/// marks.
struct Tape: Sendable {
    /// Something to be seen on the line.
    struct Mark: Sendable {
        var at: Instant
        var kind: Kind
    }

    /// What a mark stands for; where there is no room for two, the later of these hides the earlier.
    enum Kind: Int, Sendable, Comparable {
        case write
        case fault
        case election
        case leader
        case violation

        static func < (left: Kind, right: Kind) -> Bool { left.rawValue < right.rawValue }
    }

    /// A term, and when the first server was in it.
    struct Band: Sendable {
        var at: Instant
        var term: Term
    }

    private(set) var marks: [Mark] = []
    private(set) var bands: [Band] = []

    private static let marksMax = 4_096
    /// What follows as closely upon its like is one mark.
    private static let closeness = Interval.milliseconds(10)

    mutating func take(_ event: Event) {
        switch event.kind {
        case .began: self = Tape()
        case .node(_, let term, _) where term > bands.last?.term ?? .zero:
            bands.append(Band(at: event.at, term: term))
            if bands.count > Tape.marksMax { bands.removeFirst(Tape.marksMax / 2) }
        default: break
        }
        if let kind = Tape.kind(of: event) { add(kind, at: event.at) }
    }

    /// A property was found broken.
    mutating func addViolation(at moment: Instant) { add(.violation, at: moment) }

    private mutating func add(_ kind: Kind, at moment: Instant) {
        if let last = marks.last(where: { $0.kind == kind }), moment - last.at < Tape.closeness { return }
        marks.append(Mark(at: moment, kind: kind))
        if marks.count > Tape.marksMax { marks.removeFirst(Tape.marksMax / 4) }
    }

    private static func kind(of event: Event) -> Kind? {
        switch event.kind {
        case .node(_, _, .raft(.roleChanged(let change))):
            switch change.role {
            case .leader: .leader
            case .candidate: .election
            case .precandidate, .follower: nil
            }
        case .node(_, _, .raft(.committed(let committed))): committed.stored == nil ? nil : .write
        case .node(_, _, .raft(.halted)): .violation
        case .node(_, _, .stopped), .node(_, _, .paused), .node(_, _, .failed): .fault
        case .node(_, _, .disk(let disk)): disk.condition == .ok ? nil : .fault
        case .link(let link): link.isCut ? .fault : nil
        case .violation: .violation
        default: nil
        }
    }
}

extension Model {
    /// The row in which the line along the bottom stands; `nil` while something else does.
    var tapeRow: Int? {
        if hasTape { return size.rows - 3 }
        switch mode {
        case .watching, .lessons, .page: return notice.text.isEmpty ? size.rows - 2 : nil
        case .prompt, .filter, .help, .link: return nil
        }
    }

    /// The time that can be looked back at, on the columns of that line.
    private var tapeAxis: TimeAxis? {
        timeline.first.map { TimeAxis(from: $0.at, to: presentNow, columns: size.columns) }
    }

    /// The place of the last event that had happened by the moment at a column of that line.
    func place(onTapeAt column: Int) -> Int? {
        // What happens between this column and the next stands here.
        guard let end = tapeAxis?.end(of: column) else { return nil }
        var (low, high) = (timeline.startIndex, timeline.endIndex - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if timeline[middle].at < end || column >= size.columns - 1 { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Draws the line along the bottom: the whole of what can be looked back at, and where the screen is in it.
    func drawTape(row: Int, on canvas: inout Canvas) {
        guard let first = timeline.first?.at, let axis = tapeAxis else { return }
        drawBands(axis, row: row, on: &canvas)
        drawMarks(tape.marks.filter { $0.at >= first }, axis, row: row, on: &canvas)
        guard let past else { return }
        let here = axis.column(of: past.picture.now)
        canvas.restyle(row: row, columns: here..<here + 1) { $0 = Style(.plain, isBold: true, isReversed: true) }
    }

    /// Each term is a band in its colour.
    private func drawBands(_ axis: TimeAxis, row: Int, on canvas: inout Canvas) {
        for (place, band) in tape.bands.enumerated() {
            let start = axis.column(of: band.at)
            let end = place + 1 < tape.bands.count ? axis.column(of: tape.bands[place + 1].at) : size.columns
            canvas.fill(
                symbols.tapeLine, row: row, columns: min(start, end)..<end, style: Style(Symbols.ink(of: band.term)))
        }
    }

    /// Marks, and the number of each term where it begins. What happens at the same time stands side by side, as
    /// far as there is room.
    private func drawMarks(_ marks: [Tape.Mark], _ axis: TimeAxis, row: Int, on canvas: inout Canvas) {
        var items = marks.map { mark in
            let (sign, style) = symbols.sign(of: mark.kind)
            return (at: mark.at, rank: mark.kind.rawValue, text: sign, style: style)
        }
        items += tape.bands.filter { $0.term > .zero }.map { band in
            (at: band.at, rank: Int.max, text: "\(band.term)", style: Style(Symbols.ink(of: band.term), isBold: true))
        }
        var free = Array(repeating: true, count: size.columns)
        for item in items.sorted(by: { ($0.at, $1.rank) < ($1.at, $0.rank) }) {
            let start = axis.column(of: item.at)
            let width = item.text.count
            let place = (start..<start + 4).first { place in
                place + width <= size.columns && free[place..<place + width].allSatisfy(\.self)
            }
            guard let place else {
                // That something is broken is never left out.
                if item.rank == Tape.Kind.violation.rawValue {
                    canvas.write(item.text, row: row, column: start, style: item.style)
                }
                continue
            }
            for taken in place..<place + width { free[taken] = false }
            canvas.write(item.text, row: row, column: place, style: item.style)
        }
    }
}

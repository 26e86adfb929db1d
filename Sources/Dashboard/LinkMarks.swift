import Canvas
import RaftCore
import RaftTrace

// The marks of links that are cut, or on which messages wait: which they are, and which way.

extension Model {
    /// What the signs in the pane mean: those of messages, and of links where one is marked; where there is no room for both,
    /// those of links.
    func clusterLegend(columns: Int) -> String {
        let links = picture.links.values
        let isOneWay = links.contains { $0.isCut && !picture.link(from: $0.to, to: $0.from).isCut }
        let marks = [
            links.contains(where: \.isCut) ? "\(symbols.cut) cut" : nil,
            isOneWay ? "\(symbols.cut)1>2 one way" : nil,
            links.contains { $0.isHeld && !$0.isCut } ? "\(symbols.held) held" : nil,
        ].compactMap { $0 }
        let all = ([symbols.legend] + marks).joined(separator: " ")
        return marks.isEmpty || Glyph.width(of: all) <= columns ? all : marks.joined(separator: " ")
    }

    /// Marks links that are cut: in the middle where both ways are, nearer to the one who can't send where one is; and those on
    /// which messages wait, where they wait. Where it is one way only, it stands beside the mark, as commands have it: `1>2`.
    func drawLinkMarks(_ ring: Ring, on canvas: inout Canvas) {
        var taken = Set<[Int]>()
        for node in picture.nodes {
            guard let name = name(of: node, ring) else { continue }
            for column in 0..<Glyph.width(of: name.text) { taken.insert([name.row, name.column + column]) }
        }
        let links = picture.links.values.sorted { ($0.from, $0.to) < ($1.from, $1.to) }
        for state in links where state.isCut || state.isHeld {
            let other = picture.link(from: state.to, to: state.from)
            let isBothWays = state.isCut ? other.isCut : other.isHeld && !other.isCut
            let share = !state.isCut ? 0.12 : isBothWays ? 0.5 : 0.22
            guard let point = ring.point(from: state.from, to: state.to, share: share) else { continue }
            let style = Style(state.isCut ? .vermilion : .purple, isBold: true)
            let (row, column) = (1 + point.row, 1 + point.column)
            canvas.write(state.isCut ? symbols.cut : symbols.held, row: row, column: column, style: style)
            taken.insert([row, column])
            guard !isBothWays else { continue }
            let label = "\(state.from.rawValue)>\(state.to.rawValue)"
            let starts = [column + 1, column - label.count]
            let start = starts.first { start in
                start > 0 && start + label.count < canvas.size.columns
                    && (start..<start + label.count).allSatisfy { !taken.contains([row, $0]) }
            }
            guard let start else { continue }
            canvas.write(label, row: row, column: start, style: style)
            for place in start..<start + label.count { taken.insert([row, place]) }
        }
    }
}

import Canvas
import RaftCore
import RaftTrace

/// What stands at a place of the screen, for somebody who points at it.
enum Target: Hashable, Sendable {
    /// A server, in this pane.
    case node(NodeID, Model.Pane)
    /// A line of the events; the place of its event in the timeline.
    case event(Int)
    /// Anything else in a pane.
    case pane(Model.Pane)
    /// The line along the bottom; the place of the last event that had happened by then.
    case moment(Int)
    /// A line of the page that is open, by its number.
    case line(Int)
    /// A line of the list of lessons, by its number.
    case lesson(Int)
    /// The help.
    case help
}

// Hit testing: the same layout that is drawn, asked the other way round.

extension Model {
    /// What stands at a place of the screen; `nil` where nothing can be pointed at.
    func target(row: Int, column: Int) -> Target? {
        guard isLargeEnough, row >= 0, row < size.rows, column >= 0, column < size.columns else { return nil }
        if row == tapeRow { return place(onTapeAt: column).map { .moment($0) } }
        switch mode {
        case .help: return body.contains(row: row - 1, column: column) ? .help : nil
        case .lessons(let chosen): return lesson(row: row - 1, chosen: chosen).map { .lesson($0) }
        case .page(let page): return line(row: row - 1, column: column, of: page).map { .line($0) }
        case .watching, .prompt, .filter, .link: break
        }
        if showsBigType {
            return bigBoxes.first { $0.place.contains(row: row - 1, column: column) }.map { .node($0.node.id, .nodes) }
        }
        for (pane, place) in panes {
            let (row, column) = (row - 1 - place.row, column - place.column)
            guard place.size.contains(row: row, column: column) else { continue }
            return target(in: pane, place.size, row: row, column: column)
        }
        return nil
    }

    private func target(in pane: Pane, _ size: Size, row: Int, column: Int) -> Target {
        switch pane {
        case .cluster:
            if let node = clusterNode(row: row, column: column, in: size) { return .node(node, pane) }
        case .nodes:
            let nodes = Array(visibleNodes(rows: size.rows - 3))
            if nodes.indices.contains(row - 2), row < size.rows - 1 { return .node(nodes[row - 2].id, pane) }
        case .events:
            let lines = Array(visibleLines(rows: size.rows - 2))
            if lines.indices.contains(row - 1) { return .event(lines[row - 1].place) }
        case .logs, .store: break
        }
        return .pane(pane)
    }

    private func line(row: Int, column: Int, of page: Page) -> Int? {
        let (place, lines) = laidOut(page)
        let (row, column) = (row - place.row, column - place.column)
        guard place.size.contains(row: row, column: column), row >= 1, row < place.size.rows - 1 else { return nil }
        let number = row - 1 + Model.top(chosen: page.chosen, rows: place.size.rows - 2, count: lines.count)
        return number < lines.count ? number : nil
    }

    private func lesson(row: Int, chosen: Int) -> Int? {
        let count = lessonLines.count
        guard row >= 1, row < body.rows - 1 else { return nil }
        let number = row - 1 + Model.lessonsTop(chosen: chosen, rows: body.rows - 2, count: count)
        return number < count ? number : nil
    }
}

extension Model.Place {
    /// Whether a place of the screen, counted from below its first line, is in it.
    fileprivate func contains(row: Int, column: Int) -> Bool {
        size.contains(row: row - self.row, column: column - self.column)
    }
}

extension Size {
    /// Whether a place is on a grid of this size.
    fileprivate func contains(row: Int, column: Int) -> Bool {
        row >= 0 && row < rows && column >= 0 && column < columns
    }
}

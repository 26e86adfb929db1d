import Canvas
import RaftCore
import RaftTrace

/// What is on the screen: a grid, and where the cursor stands, if it is shown.
public struct Scene: Hashable, Sendable {
    /// The grid.
    public var canvas: Canvas
    /// The row and column of the cursor; `nil` where it is hidden.
    public var cursor: Cursor?

    /// A place of the cursor.
    public struct Cursor: Hashable, Sendable {
        /// The row.
        public var row: Int
        /// The column.
        public var column: Int
    }
}

extension Model {
    /// The smallest terminal that everything fits, and the smallest that anything does.
    static let fullSize = Size(rows: 24, columns: 80)
    static let leastSize = Size(rows: 12, columns: 40)

    /// Draws the screen.
    public func view() -> Scene {
        var canvas = Canvas(size)
        guard isLargeEnough else {
            let least = Model.leastSize
            canvas.write(
                "raft-tui needs \(least.columns)x\(least.rows), here are \(size.columns)x\(size.rows)", row: 0,
                column: 0)
            return Scene(canvas: isASCII ? canvas.inASCII() : canvas)
        }
        drawStatus(on: &canvas)
        if hasTape { drawTape(row: size.rows - 3, on: &canvas) }
        switch mode {
        case .help(let line, let top): canvas.draw(helpPane(body, filter: line.line, top: top), row: 1, column: 0)
        case .lessons(let chosen): canvas.draw(lessonsPane(body, chosen: chosen), row: 1, column: 0)
        case .page(let page): draw(page, on: &canvas)
        case .watching, .prompt, .filter, .link:
            if let pageBehind {
                draw(pageBehind, on: &canvas)
            } else {
                showsBigType ? drawBigType(on: &canvas) : drawPanes(on: &canvas)
            }
        }
        let cursor = drawPrompt(on: &canvas)
        drawFooter(on: &canvas)
        return Scene(canvas: isASCII ? canvas.inASCII() : canvas, cursor: cursor)
    }

    /// A page, and of the panes what it leaves free.
    private func draw(_ page: Page, on canvas: inout Canvas) {
        drawPanes(on: &canvas)
        let (place, lines) = laidOut(page)
        canvas.draw(pagePane(place.size, page, lines), row: 1 + place.row, column: place.column)
    }

    /// Whether there is room for anything.
    var isLargeEnough: Bool { size.rows >= Model.leastSize.rows && size.columns >= Model.leastSize.columns }

    /// What is between the first line and the last ones.
    var body: Size { Size(rows: size.rows - (hasTape ? 4 : 3), columns: size.columns) }

    /// Where a page stands, and what it says there: it covers as much of the panes as it needs, from below; on a wide screen
    /// only those at the right.
    func laidOut(_ page: Page) -> (place: Place, lines: [Page.Line]) {
        let body = body
        let columns = body.columns >= 150 ? body.columns - leftColumns(body) : body.columns
        let room = body.rows - lectureRows
        let lines = lines(of: page.subject, columns: columns - 4)
        // The lower half at least, so that a page doesn't move about while it grows.
        let rows = min(room, max(lines.count + 2, room / 2))
        let size = Size(rows: rows, columns: columns)
        return (Place(row: body.rows - rows, column: body.columns - columns, size: size), lines)
    }

    /// The lesson that is presented, and the panes below it.
    private func drawPanes(on canvas: inout Canvas) {
        let rows = lectureRows
        if rows > 0 { canvas.draw(lecturePane(Size(rows: rows, columns: body.columns)), row: 1, column: 0) }
        for (pane, place) in panes { draw(pane, at: place, on: &canvas) }
    }

    /// Whether the line of what happened when has a row of its own. In a small terminal it shares the prompt's.
    var hasTape: Bool { size.rows >= 28 && size.columns >= Model.fullSize.columns && !showsBigType }

    /// Whether the screen changes by itself as time passes: a timer drains, or a message is on its way.
    public var isMoving: Bool {
        guard past == nil, picture.rate > 0 else { return false }
        let hasTimer = picture.nodes.contains { $0.isRunning && !$0.isPaused && $0.halted == nil }
        return hasTimer || !picture.inFlight.isEmpty
    }

    // MARK: - Layout

    /// A rectangle of the screen, counted from below the status line.
    struct Place {
        var row: Int
        var column: Int
        var size: Size
    }

    /// Where each pane is.
    var panes: [(Pane, Place)] {
        let rows = lectureRows
        return layout(Size(rows: body.rows - rows, columns: body.columns)).map { pane, place in
            (pane, Place(row: place.row + rows, column: place.column, size: place.size))
        }
    }

    private func layout(_ body: Size) -> [(Pane, Place)] {
        if isZoomed { return [(focus, Place(row: 0, column: 0, size: body))] }
        if size.rows < Model.fullSize.rows || size.columns < Model.fullSize.columns { return reduced(body) }
        return openLecture != nil && body.rows < 22 ? short(body) : full(body)
    }

    /// Beside a lesson in a small terminal there is room for two rows of panes: the events take the place of the logs while
    /// they have the focus.
    private func short(_ body: Size) -> [(Pane, Place)] {
        let top = min(picture.nodes.count + 3, body.rows - 4)
        let left = leftColumns(body)
        let lower: Pane = focus == .events || focus == .store ? focus : .logs
        return [
            (.cluster, Place(row: 0, column: 0, size: Size(rows: top, columns: left))),
            (.nodes, Place(row: 0, column: left, size: Size(rows: top, columns: body.columns - left))),
            (lower, Place(row: top, column: 0, size: Size(rows: body.rows - top, columns: body.columns))),
        ]
    }

    private func leftColumns(_ body: Size) -> Int { max(36, min(body.columns * 45 / 100, body.columns - 44)) }

    /// A small terminal shows the nodes, or the pane that has the focus in their place, and the events where there is
    /// room.
    private func reduced(_ body: Size) -> [(Pane, Place)] {
        guard body.rows >= picture.nodes.count + 7 else { return [(focus, Place(row: 0, column: 0, size: body))] }
        let top = picture.nodes.count + 4
        let upper: Pane = focus == .events ? .nodes : focus
        return [
            (upper, Place(row: 0, column: 0, size: Size(rows: top, columns: body.columns))),
            (.events, Place(row: top, column: 0, size: Size(rows: body.rows - top, columns: body.columns))),
        ]
    }

    private func full(_ body: Size) -> [(Pane, Place)] {
        let nodes = picture.nodes.count
        let isTall = body.rows >= 30
        // The nodes' table with its heading and the line below it; more where there is room for a larger cluster.
        let top = min(isTall ? max(nodes + 4, body.rows * 2 / 5) : max(7, nodes + (nodes > 5 ? 3 : 4)), body.rows - 9)
        let logs = max(4, min(nodes + 3, body.rows - top - 4))
        let rest = body.rows - top - logs
        let left = leftColumns(body)
        var places: [(Pane, Place)] = [
            (.cluster, Place(row: 0, column: 0, size: Size(rows: top, columns: left))),
            (.nodes, Place(row: 0, column: left, size: Size(rows: top, columns: body.columns - left))),
            (.logs, Place(row: top, column: 0, size: Size(rows: logs, columns: body.columns))),
        ]
        let hasStore = body.columns >= 110 && rest >= 8
        let side = hasStore ? body.columns * 35 / 100 : 0
        places.append(
            (.events, Place(row: top + logs, column: 0, size: Size(rows: rest, columns: body.columns - side))))
        if hasStore {
            places.append(
                (.store, Place(row: top + logs, column: body.columns - side, size: Size(rows: rest, columns: side))))
        } else if focus == .store {
            // Where the store has no place of its own, it takes that of the events while it has the focus.
            places[places.count - 1].0 = .store
        }
        return places
    }

    private func draw(_ pane: Pane, at place: Place, on canvas: inout Canvas) {
        guard place.size.rows >= 3 else { return }
        let drawn =
            switch pane {
            case .nodes: nodesPane(place.size)
            case .logs: logsPane(place.size)
            case .store: storePane(place.size)
            case .events: eventsPane(place.size)
            case .cluster: clusterPane(place.size)
            }
        canvas.draw(drawn, row: 1 + place.row, column: place.column)
    }

    /// An empty pane with its frame.
    func framed(_ pane: Pane?, _ size: Size, title: String, note: String = "") -> Canvas {
        var canvas = Canvas(size)
        let hasFocus = pane == focus
        canvas.frame(
            hasFocus ? symbols.focusFrame : symbols.frame, title: title, note: note, style: hasFocus ? .plain : .faint,
            titleStyle: hasFocus ? .plain.bold : .plain)
        return canvas
    }
}

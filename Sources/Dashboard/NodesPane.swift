import Canvas
import KeyValue
import RaftCore
import RaftTrace

// The servers as a table: role, term, last index, commit, and what each waits for.

extension Model {
    func nodesPane(_ size: Size) -> Canvas {
        var canvas = framed(.nodes, size, title: "Nodes", note: loadNote)
        let inside = canvas.inside
        let isWide = inside.columns >= 60
        canvas.write(
            " node role      term  last commit " + (isWide ? "applied disk  vote  " : "") + "election", row: 1,
            column: 1,
            style: .faint, limit: inside.columns)
        for (place, node) in visibleNodes(rows: inside.rows - 1).enumerated() {
            drawNode(node, row: 2 + place, isWide: isWide, on: &canvas)
        }
        let free = inside.rows - 1 - picture.nodes.count
        if free >= 1 { drawStores(row: inside.rows, on: &canvas) }
        if free >= 4 { drawActivity(row: inside.rows - 2, on: &canvas) }
        return canvas
    }

    /// What the load asks for, and what of it is done.
    private var loadNote: String {
        guard let load = picture.load else { return "" }
        let through = Int(statistics.loadPerSecond(at: now).rounded())
        return "load \(load.rate.grouped)/s: \(through.grouped)/s through"
    }

    /// The servers that there is room for, the selected one among them.
    func visibleNodes(rows: Int) -> ArraySlice<NodePicture> {
        let nodes = picture.nodes
        guard nodes.count > rows, rows > 0 else { return nodes[...] }
        let place = nodes.firstIndex { $0.id == selected } ?? 0
        let first = min(max(0, place - rows / 2), nodes.count - rows)
        return nodes[first..<first + rows]
    }

    private func drawNode(_ node: NodePicture, row: Int, isWide: Bool, on canvas: inout Canvas) {
        let style = Symbols.style(of: node)
        let isSelected = node.id == selected
        canvas.write(isSelected ? symbols.selection : " ", row: row, column: 1, style: Style(.sky, isBold: true))
        canvas.write("\(node.id)", row: row, column: 2, style: isSelected ? style.bold : style)
        canvas.write(symbols.sign(of: node), row: row, column: 5, style: style)
        canvas.write(Symbols.word(for: node), row: row, column: 7, style: style)
        let term = node.isRunning ? Style(Symbols.ink(of: node.term)) : .faint
        canvas.writeRight("\(node.term)", row: row, before: 21, style: term)
        let numbers = node.isRunning ? Style.plain : .faint
        canvas.writeRight(end(of: node.log.last, width: 5), row: row, before: 27, style: numbers)
        // What is committed and applied a server knows only in memory.
        canvas.writeRight(node.isRunning ? end(of: node.commit, width: 6) : "-", row: row, before: 34, style: numbers)
        var column = 35
        if isWide {
            canvas.writeRight(
                node.isRunning ? end(of: node.applied, width: 7) : "-", row: row, before: 42, style: numbers)
            canvas.writeRight(end(of: node.durable, width: 4), row: row, before: 47, style: numbers)
            canvas.writeRight(node.vote?.description ?? "-", row: row, before: 53, style: numbers)
            column = 55
        }
        let room = canvas.size.columns - 1 - column
        let told = waitingFor(node)
        if let told {
            canvas.write(told, row: row, column: column, style: style, limit: room)
        } else if node.standing == .leader {
            drawLeadership(of: node, row: row, column: column, room: room, on: &canvas)
        } else {
            drawTimer(of: node, row: row, column: column, width: min(10, room), on: &canvas)
        }
    }

    /// An index in so many columns; of a long one its end, for that is where logs differ.
    private func end(of index: LogIndex, width: Int) -> String {
        let digits = "\(index)"
        return digits.count <= width ? digits : (isASCII ? "~" : symbols.ellipsis) + digits.suffix(width - 1)
    }

    /// What stands in the place of the election timer; `nil` where the timer does, or what a leader has of its own.
    func waitingFor(_ node: NodePicture) -> String? {
        if node.failure != nil { return "failed" }
        guard node.isRunning else { return node.isWiped ? "wiped" : "on disk" }
        if node.isPaused { return "paused" }
        if node.disk != .ok { return Model.word(for: node.disk) }
        let needed = (node.members ?? Configuration(count: max(1, picture.nodes.count))).majority
        switch node.standing {
        case .leader: return node.handsOverTo.map { "to \($0)" }
        case .candidate: return "\(node.votes?.votes ?? 0)/\(needed) votes"
        case .precandidate: return "\(node.votes?.votes ?? 1)/\(needed) yes"
        case .halted: return "halted"
        case .learner: return "learning"
        case .follower, .down: return node.isTimerHeld ? "held" : nil
        }
    }

    /// What is wrong with a disk, in the eight columns that there are at least.
    private static func word(for disk: DiskChanged.Condition) -> String {
        switch disk {
        case .ok: ""
        case .stall: "stalled"
        case .full: "full"
        case .fail: "failing"
        }
    }

    /// The time that is left before the server campaigns.
    func drawTimer(of node: NodePicture, row: Int, column: Int, width: Int, on canvas: inout Canvas) {
        guard let timer = node.timer, timer.timeout > .zero, width > 0 else { return }
        let left = max(0, Double((timer.deadline - now).nanoseconds) / Double(timer.timeout.nanoseconds))
        drawGauge(
            left, row: row, column: column, width: width, style: left < 0.25 ? Style(.orange) : .plain, on: &canvas)
    }

    func drawGauge(_ share: Double, row: Int, column: Int, width: Int, style: Style, on canvas: inout Canvas) {
        let gauge = Spark.gauge(share, width: width, isASCII: isASCII)
        let end = canvas.write(gauge.filled, row: row, column: column, style: style)
        canvas.write(gauge.empty, row: row, column: end, style: .faint)
    }

    /// The stores in one line: servers that hold the same are told together.
    private func drawStores(row: Int, on canvas: inout Canvas) {
        let edge = canvas.size.columns - 1
        var column = 2
        for group in storeGroups() where column < edge {
            let names = group.nodes.map { String($0.rawValue) }.joined(separator: ",")
            column = canvas.write("n\(names) ", row: row, column: column, style: .faint, limit: edge - column)
            let text = group.pairs.isEmpty ? "empty" : group.pairs.joined(separator: " ")
            column = canvas.write(text, row: row, column: column, limit: edge - column) + 2
        }
    }

    /// Servers with the same store, and that store as words.
    private func storeGroups() -> [(nodes: [NodeID], pairs: [String])] {
        var groups: [(nodes: [NodeID], store: StorePicture)] = []
        for node in picture.nodes where node.isRunning {
            if let place = groups.firstIndex(where: { $0.store == node.store }) {
                groups[place].nodes.append(node.id)
            } else {
                groups.append(([node.id], node.store))
            }
        }
        return groups.map { ($0.nodes, pairs(of: $0.store, limit: 12)) }
    }

    /// A store as words, in ascending order of its keys.
    func pairs(of store: StorePicture, limit: Int) -> [String] {
        let shown = store.keys(limit: limit).map { "\(Word.quoted($0))=\(Word.quoted(store[$0] ?? []))" }
        return store.count > limit ? shown + ["\(symbols.ellipsis)\(store.count - limit) more"] : shown
    }

    /// Commits a second and elections, as small columns.
    private func drawActivity(row: Int, on canvas: inout Canvas) {
        let width = min(60, canvas.size.columns - 26)
        guard width >= 8 else { return }
        let rate = statistics.commitsPerSecond(at: now)
        let commits = Spark.line(statistics.commits(width, until: now), isASCII: isASCII)
        let elections = Spark.line(statistics.elections(width, until: now), isASCII: isASCII)
        canvas.write("commits/s", row: row, column: 2, style: .faint)
        canvas.write(commits, row: row, column: 13, style: Style(.green))
        canvas.write(RateText.plain((rate * 10).rounded() / 10), row: row, column: 14 + width)
        canvas.write("elections", row: row + 1, column: 2, style: .faint)
        canvas.write(elections, row: row + 1, column: 13, style: Style(.orange))
    }
}

extension Int {
    /// The number with its thousands set apart: `10,000`.
    fileprivate var grouped: String {
        self < 1_000 ? "\(self)" : (self / 1_000).grouped + "," + String("\(1_000 + self % 1_000)".dropFirst())
    }
}

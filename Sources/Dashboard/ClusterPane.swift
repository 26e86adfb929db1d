import Canvas
import Glibc
import Laboratory
import RaftCore
import RaftTrace

// The servers on a ring, the links between them, and the messages on their way.

extension Model {
    /// The pane's name, and what links do to messages.
    private var clusterTitle: String {
        let links = picture.links.values
        let slowest = links.map(\.latencyMax).max() ?? .zero
        let quickest = links.map(\.latencyMin).min() ?? .zero
        let loss = links.map(\.loss).max() ?? 0
        let latency = slowest > .zero ? ", \(DurationText.text(of: quickest...max(quickest, slowest)))" : ""
        return "Cluster" + latency + (loss > 0 ? ", up to \(PercentText.text(of: loss)) lost" : "")
    }

    func clusterPane(_ size: Size) -> Canvas {
        var canvas = framed(.cluster, size, title: clusterTitle, note: clusterLegend(columns: size.columns - 4))
        let ring = Ring(nodes: picture.nodes.map(\.id), inside: canvas.inside)
        drawLinks(ring, on: &canvas)
        drawMessages(ring, on: &canvas)
        drawLinkMarks(ring, on: &canvas)
        for node in picture.nodes { drawNode(node, ring, on: &canvas) }
        return canvas
    }

    /// Where the servers stand: on an ellipse, the first one at the top, the others clockwise. Columns are counted within
    /// the frame.
    struct Ring {
        private var places: [NodeID: (row: Double, column: Double)] = [:]
        let inside: Size

        init(nodes: [NodeID], inside: Size) {
            self.inside = inside
            let angles = nodes.indices.map { 2 * Double.pi * Double($0) / Double(nodes.count) - Double.pi / 2 }
            let rows = Ring.spread(angles.map { sin($0) }, over: 0...Double(inside.rows - 1))
            let columns = Ring.spread(angles.map { cos($0) }, over: 4...Double(inside.columns - 5))
            for (place, node) in nodes.enumerated() { places[node] = (rows[place].rounded(), columns[place].rounded()) }
        }

        /// Stretches numbers so that the least and the greatest lie at the ends of a range; equal ones in its middle.
        private static func spread(_ numbers: [Double], over range: ClosedRange<Double>) -> [Double] {
            let (least, greatest) = (numbers.min() ?? 0, numbers.max() ?? 0)
            guard greatest - least > 0.01 else { return numbers.map { _ in (range.lowerBound + range.upperBound) / 2 } }
            return numbers.map {
                range.lowerBound + ($0 - least) / (greatest - least) * (range.upperBound - range.lowerBound)
            }
        }

        /// The place of a server, in cells.
        func place(of node: NodeID) -> (row: Double, column: Double)? { places[node] }

        /// A point on the way from one server to another, by the share of the way; outside the two names.
        func point(from: NodeID, to: NodeID, share: Double) -> (row: Int, column: Int)? {
            guard let start = places[from], let end = places[to] else { return nil }
            let share = 0.18 + 0.64 * min(max(share, 0), 1)
            return (
                Int((start.row + (end.row - start.row) * share).rounded()),
                Int((start.column + (end.column - start.column) * share).rounded())
            )
        }
    }

    /// Draws the links that are open; each half of a line is the way of the server that it begins at.
    private func drawLinks(_ ring: Ring, on canvas: inout Canvas) {
        guard !isASCII else { return }
        var plane = Braille(ring.inside)
        for node in picture.nodes {
            for other in picture.nodes where other.id != node.id && !picture.link(from: node.id, to: other.id).isCut {
                // The links of a large cluster would be a thicket: those of the leader are the ones that matter.
                let isShown = picture.nodes.count <= 5 || node.role == .leader || other.role == .leader
                guard isShown, node.isRunning, other.isRunning, let start = ring.place(of: node.id),
                    let end = ring.place(of: other.id)
                else { continue }
                let middle = ((start.column + end.column) / 2, (start.row + end.row) / 2)
                plane.line(
                    from: (start.column * 2 + 1, start.row * 4 + 2), to: (middle.0 * 2 + 1, middle.1 * 4 + 2), step: 3)
            }
        }
        plane.draw(on: &canvas, row: 1, column: 1, style: .faint)
    }

    /// Draws messages where they are by the clock; those that matter most last, so that none of them hides another.
    private func drawMessages(_ ring: Ring, on canvas: inout Canvas) {
        let flights = picture.inFlight.all.sorted { one, other in
            let (rank, otherRank) = (symbols.sign(of: one.sent.message).rank, symbols.sign(of: other.sent.message).rank)
            return rank != otherRank ? rank < otherRank : one.sent.number < other.sent.number
        }
        var drawn: [(row: Int, column: Int, flight: Picture.InFlight)] = []
        for flight in flights {
            let message = flight.sent.message
            guard let share = share(of: flight),
                let point = ring.point(from: message.from, to: message.to, share: share)
            else { continue }
            let (sign, style, _) = symbols.sign(of: message)
            canvas.write(sign, row: 1 + point.row, column: 1 + point.column, style: style)
            drawn.append((1 + point.row, 1 + point.column, flight))
        }
        // Where nothing moves there is time to read.
        if picture.rate == 0 || past != nil { drawLabels(drawn.reversed(), on: &canvas) }
    }

    /// Writes beside each message its number and what decides about it, as far as there is room; those that matter most
    /// first.
    private func drawLabels(_ drawn: [(row: Int, column: Int, flight: Picture.InFlight)], on canvas: inout Canvas) {
        var taken = Set(drawn.map { [$0.row, $0.column] })
        for (row, column, flight) in drawn {
            let message = flight.sent.message
            let texts = ["\(message.label)#\(flight.sent.number)", message.label]
            for text in texts where !text.isEmpty {
                let columns = column + 1..<column + 1 + text.count
                guard columns.upperBound < canvas.size.columns - 1,
                    columns.allSatisfy({ !taken.contains([row, $0]) && !taken.contains([row, $0 + 1]) })
                else { continue }
                canvas.write(text, row: row, column: column + 1, style: symbols.sign(of: message).style)
                for place in columns { taken.insert([row, place]) }
                break
            }
        }
    }

    /// How much of its way a message has behind it: none on a link that is held; `nil` for one that nothing delays, or that
    /// should be there.
    private func share(of flight: Picture.InFlight) -> Double? {
        let isHeld = picture.link(from: flight.sent.message.from, to: flight.sent.message.to).isHeld
        guard !isHeld, let due = flight.sent.due else { return isHeld || picture.rate == 0 ? 0 : nil }
        let whole = (due - flight.at).nanoseconds
        guard whole > 0 else { return 0 }
        let share = Double((now - flight.at).nanoseconds) / Double(whole)
        return share <= 1.5 ? share : nil
    }

    private func drawNode(_ node: NodePicture, _ ring: Ring, on canvas: inout Canvas) {
        guard let (name, row, column) = name(of: node, ring) else { return }
        let style = Symbols.style(of: node)
        canvas.write(name, row: row, column: column, style: node.id == selected ? style.bold.reversed : style)
        // A tall pane has room for what matters most beside the name.
        guard ring.inside.rows >= 13 else { return }
        let below = "t\(node.term)" + (node.isRunning ? " c\(node.commit)" : "")
        let isLast = row >= ring.inside.rows
        canvas.write(below, row: row + (isLast ? -1 : 1), column: column, style: .faint)
    }

    /// A server's name with its sign, and where that stands in the pane.
    func name(of node: NodePicture, _ ring: Ring) -> (text: String, row: Int, column: Int)? {
        guard let place = ring.place(of: node.id) else { return nil }
        let text = "[\(symbols.sign(of: node)) \(node.id)]"
        return (text, 1 + Int(place.row), 1 + Int(place.column) - Glyph.width(of: text) / 2)
    }

    /// The server whose name stands at a place of the pane.
    func clusterNode(row: Int, column: Int, in size: Size) -> NodeID? {
        let ring = Ring(
            nodes: picture.nodes.map(\.id), inside: Size(rows: size.rows - 2, columns: size.columns - 2))
        return picture.nodes.last { node in
            name(of: node, ring).map {
                $0.row == row && ($0.column..<$0.column + Glyph.width(of: $0.text)).contains(column)
            } ?? false
        }?.id
    }
}

extension Message {
    /// What decides about it, in a few letters: the term, and the entry or the answer.
    fileprivate var label: String {
        switch body {
        case .voteRequest(let request): "t\(term)\(request.poll == .preVote ? "?" : "")"
        case .voteResponse: "t\(term)"
        case .append(let append):
            append.entries.isEmpty
                ? "t\(term)"
                : "t\(term):\(append.previous.index.next)"
                    + (append.entries.count > 1 ? "-\(append.previous.index.advanced(by: append.entries.count))" : "")
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted(let match): "\(match)"
            case .refused(_, let hint): "\(hint.index)?"
            }
        case .timeoutNow: "t\(term)"
        case .snapshot(let chunk): "\(chunk.mark.last.index)"
        case .snapshotResponse(let response): "\(response.received)"
        case .readIndexRequest: ""
        case .readIndexResponse(let response): response.index.map { "\($0)" } ?? "no"
        }
    }
}

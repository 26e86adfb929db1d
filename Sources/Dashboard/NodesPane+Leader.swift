import Canvas
import RaftCore
import RaftTrace

// What stands beside a leader in the place of an election timer: how many have its last entry, its lease, and the round
// in which it asks whether it still leads.

extension Model {
    /// As much of it as there is room for; what lasts the shortest is the last to go.
    func drawLeadership(of node: NodePicture, row: Int, column: Int, room: Int, on canvas: inout Canvas) {
        let acknowledgements = "acks \(node.acknowledgements)/\(node.members?.electorate.count ?? picture.nodes.count)"
        let round = node.readRound.map { step in
            let share = "\(step.confirmedBy.count)/\(step.voters)"
            return (short: "read \(share)", long: "read round \(step.round.rawValue): \(share)")
        }
        let lease = min(Model.leaseWidth, room)
        var left = room
        func takes(_ width: Int?) -> Bool {
            guard let width, width <= left else { return false }
            left -= width + 1
            return true
        }
        let showsRound = takes(round?.short.count)
        let showsLease = takes(picture.settings?.hasLeases == true ? lease : nil)
        let showsAcknowledgements = takes(acknowledgements.count) || !showsRound && !showsLease
        var column = column
        if showsAcknowledgements {
            let style = Symbols.style(of: node)
            column = canvas.write(acknowledgements, row: row, column: column, style: style, limit: room) + 1
        }
        if showsLease {
            let style = Style(.green)
            drawGauge(leaseLeft(of: node), row: row, column: column, width: lease, style: style, on: &canvas)
            column += lease + 1
        }
        if showsRound, let round {
            let isLong = round.long.count - round.short.count <= left + 1
            canvas.write(isLong ? round.long : round.short, row: row, column: column, style: Style(.purple))
        }
    }

    private static let leaseWidth = 10

    /// The share of its lease that a leader has left.
    private func leaseLeft(of node: NodePicture) -> Double {
        guard let lease = node.lease, let until = lease.until, lease.length > .zero, until > now else { return 0 }
        return Double((until - now).nanoseconds) / Double(lease.length.nanoseconds)
    }
}

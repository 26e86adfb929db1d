import Canvas
import RaftCore
import RaftTrace

/// The signs that the panes draw with. Each thing is told by a sign and a word or a place, never by its colour alone, and
/// none of the signs is one that some terminals draw as a picture.
struct Symbols {
    let isASCII: Bool

    var frame: Frame { isASCII ? .ascii : .lines }
    var focusFrame: Frame { isASCII ? .ascii : .strong }
    var separator: String { isASCII ? "|" : "│" }
    var commitMark: String { isASCII ? "|" : "┃" }
    var nextMark: String { isASCII ? ">" : "▸" }
    var matchMark: String { isASCII ? "." : "·" }
    var cut: String { isASCII ? "X" : "╳" }
    var held: String { isASCII ? "=" : "‖" }
    var atWork: String { isASCII ? "*" : "●" }
    var selection: String { isASCII ? ">" : "▌" }
    var arrow: String { isASCII ? "->" : "→" }
    var tick: String { isASCII ? "ok" : "✓" }
    var ellipsis: String { isASCII ? "..." : "…" }
    var tapeLine: String { isASCII ? "-" : "─" }
    var star: String { isASCII ? "*" : "★" }

    /// The sign of what a server is.
    func sign(of node: NodePicture) -> String {
        if node.isRunning, node.isPaused { return isASCII ? "=" : "‖" }
        switch node.standing {
        case .follower: return isASCII ? "o" : "○"
        case .precandidate: return isASCII ? "?" : "◔"
        case .candidate: return isASCII ? "%" : "◐"
        case .leader: return star
        case .learner: return isASCII ? "," : "◌"
        case .down: return isASCII ? "x" : "✕"
        case .halted: return "!"
        }
    }

    /// The word for what a server is.
    static func word(for node: NodePicture) -> String {
        if node.isRunning, node.isPaused { return "paused" }
        switch node.standing {
        case .leader: return "LEADER"
        case .candidate: return "CANDIDATE"
        case .precandidate: return "pre-cand."
        case .follower where node.isOutside: return "outside"
        case .follower, .learner, .down, .halted: return node.standing.rawValue
        }
    }

    /// The look of what a server is.
    static func style(of node: NodePicture) -> Style {
        if node.isRunning, node.isPaused { return Style(.purple) }
        switch node.standing {
        case .follower: return node.isOutside ? .faint : .plain
        case .precandidate: return Style(.yellow)
        case .candidate: return Style(.orange, isBold: true)
        case .leader: return Style(.green, isBold: true)
        case .learner: return Style(.blue)
        case .down: return .faint
        case .halted: return Style(.vermilion, isBold: true, isReversed: true)
        }
    }

    /// The colour of a term; terms that follow one another differ.
    static func ink(of term: Term) -> Ink {
        let inks: [Ink] = [.sky, .orange, .green, .purple, .yellow, .blue, .vermilion]
        return inks[Int(term.rawValue % UInt64(inks.count))]
    }

    /// The sign and the look of a message on its way.
    func sign(of message: Message) -> (sign: String, style: Style, rank: Int) {
        switch message.body {
        case .append(let append):
            append.entries.isEmpty
                ? (isASCII ? "." : "◦", Style(.sky), 1) : (isASCII ? "@" : "●", Style(.sky, isBold: true), 3)
        case .appendResponse(let response):
            switch response.outcome {
            case .accepted: (isASCII ? "+" : "◂", Style(.green), 0)
            case .refused: (isASCII ? "!" : "◃", Style(.vermilion, isBold: true), 4)
            }
        case .timeoutNow: (isASCII ? ">" : "»", Style(.green, isBold: true), 4)
        case .snapshot: (isASCII ? "#" : "▣", Style(.purple, isBold: true), 4)
        case .snapshotResponse: (isASCII ? "-" : "◁", Style(.purple), 2)
        case .readIndexRequest: (isASCII ? "r" : "◇", Style(.purple), 2)
        case .readIndexResponse: (isASCII ? "R" : "◆", Style(.purple), 2)
        case .voteRequest: ("?", Style(.orange, isBold: true), 4)
        case .voteResponse(let response):
            response.isGranted
                ? (isASCII ? "y" : "✓", Style(.orange, isBold: true), 4) : (isASCII ? "n" : "✗", Style(.vermilion), 4)
        }
    }

    /// The sign and the look of a mark on the tape.
    func sign(of mark: Tape.Kind) -> (String, Style) {
        switch mark {
        case .write: (isASCII ? "." : "·", .plain)
        case .fault: (isASCII ? "x" : "✕", Style(.vermilion, isBold: true))
        case .election: (isASCII ? "?" : "◐", Style(.orange, isBold: true))
        case .leader: (star, Style(.green, isBold: true))
        case .violation: ("!", Style(.vermilion, isBold: true, isReversed: true))
        }
    }

    /// What the signs of messages mean.
    var legend: String {
        isASCII ? "@ append . beat + ack ? vote" : "● append ◦ beat ◂ ack ? vote"
    }
}

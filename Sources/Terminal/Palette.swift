import CNcurses
import Canvas

/// Which of a terminal's colours an ink is. The eight of Okabe and Ito where it has 256, likenesses where it has eight,
/// none where it has none or its user wants none.
struct Palette {
    private enum Depth {
        case full
        case eight
        case none
    }

    private let depth: Depth

    init(colors: Int32, isPlain: Bool) {
        if isPlain || colors < 8 {
            depth = .none
        } else {
            depth = colors >= 256 ? .full : .eight
        }
    }

    /// Tells the terminal's library the pairs of colours: an ink's number is its pair's.
    func define() {
        guard depth != .none else { return }
        for ink in Ink.allCases where ink != .plain { cn_define_pair(Int16(ink.rawValue), color(of: ink)) }
    }

    /// The attributes and the pair that a style is written with.
    func look(of style: Style) -> (attributes: UInt32, pair: Int16) {
        var attributes = 0
        if style.isBold { attributes |= CNBold }
        if style.isReversed { attributes |= CNReverse }
        if style.isUnderlined { attributes |= CNUnderline }
        // Without a grey of its own, what matters little is written faintly.
        if style.isDim || style.ink == .grey && depth != .full { attributes |= CNDim }
        return (UInt32(attributes), depth == .none ? 0 : Int16(style.ink.rawValue))
    }

    private func color(of ink: Ink) -> Int16 {
        let (full, eight): (Int16, Int16) =
            switch ink {
            case .plain: (-1, -1)
            case .orange: (214, 3)
            case .sky: (75, 6)
            case .green: (36, 2)
            case .yellow: (227, 3)
            case .blue: (32, 4)
            case .vermilion: (166, 1)
            case .purple: (175, 5)
            case .grey: (244, -1)
            }
        return depth == .full ? full : eight
    }
}

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
        (depth == .full ? ink.colorOf256 : ink.colorOf8).map(Int16.init) ?? -1
    }
}

import CNcurses
import Canvas

/// Which of a terminal's colours a theme's are: of its 256, or of its eight, or none where it has none.
struct Palette {
    private enum Depth {
        case full
        case eight
        case none
    }

    private let depth: Depth
    private let theme: Theme

    init(colors: Int32, theme: Theme) {
        self.theme = theme
        depth = theme == .mono || colors < 8 ? .none : colors >= 256 ? .full : .eight
    }

    /// Tells the terminal's library the pairs of colours: an ink's number is its pair's.
    func define() {
        guard depth != .none else { return }
        for ink in Ink.allCases where ink != .plain {
            let color = theme.color(of: ink)
            cn_define_pair(Int16(ink.rawValue), depth == .full ? color.full : color.eight)
        }
    }

    /// The attributes and the pair that a style is written with.
    func look(of style: Style) -> (attributes: UInt32, pair: Int16) {
        let look = theme.look(of: style)
        var attributes = 0
        if look.isBold { attributes |= CNBold }
        if look.isReversed { attributes |= CNReverse }
        if look.isUnderlined { attributes |= CNUnderline }
        // Without a grey of its own, what matters little is written faintly.
        if look.isDim || look.ink == .grey && depth != .full { attributes |= CNDim }
        return (UInt32(attributes), depth == .none ? 0 : Int16(look.ink.rawValue))
    }
}

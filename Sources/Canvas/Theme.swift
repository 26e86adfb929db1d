/// What the inks are, and how strongly they are written: one table for the terminal and for pictures of the screen.
public enum Theme: String, Hashable, Sendable, CaseIterable {
    /// For dark backgrounds: the eight colours of Okabe and Ito, which people who see colours differently can tell apart.
    case dark
    /// For light backgrounds: darker likenesses of them, and no yellow.
    case light
    /// For weak projectors: few strong colours that any background bears, all of them bold, and nothing grey or faint.
    case contrast
    /// No colours: bold, reversed and underlined only.
    case mono

    /// A colour, in each way that it may have to be named.
    public struct Color: Hashable, Sendable {
        /// Its number among a terminal's 256; -1 for the terminal's own.
        public let full: Int16
        /// Its number among a terminal's eight; -1 for the terminal's own.
        public let eight: Int16
        /// Its red, green and blue as a picture names them: `#e69f00`.
        public let hex: String

        init(_ full: Int16, _ eight: Int16, _ hex: String) { (self.full, self.eight, self.hex) = (full, eight, hex) }
    }

    /// The theme that comes after this one; the first after the last.
    public var next: Theme {
        let all = Theme.allCases
        return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
    }

    /// The background of a picture of the screen. That of a terminal is left alone.
    public var background: String {
        switch self {
        case .dark: "#16181d"
        case .light, .mono: "#ffffff"
        case .contrast: "#000000"
        }
    }

    /// The colour of what is written with an ink.
    public func color(of ink: Ink) -> Color {
        switch self {
        case .dark: Table.dark[ink]
        case .light: Table.light[ink]
        case .contrast: Table.contrast[ink]
        case .mono: Color(-1, -1, "#000000")
        }
    }

    /// How a style is written: what the theme has no faintness or colour for is told by other means.
    public func look(of style: Style) -> Style {
        var look = style
        switch self {
        case .dark, .light: break
        case .contrast:
            look.isDim = false
            if style.ink == .grey { look.ink = .plain } else if style.ink != .plain { look.isBold = true }
        case .mono:
            look.ink = .plain
            // A line below says what faintness says elsewhere, as that an entry is not committed.
            if style.isDim { (look.isDim, look.isUnderlined) = (false, true) }
        }
        return look
    }

    // MARK: - The tables

    /// A colour for each ink.
    private struct Table: Sendable {
        var plain: Color
        var orange: Color
        var sky: Color
        var green: Color
        var yellow: Color
        var blue: Color
        var vermilion: Color
        var purple: Color
        var grey: Color

        subscript(ink: Ink) -> Color {
            switch ink {
            case .plain: plain
            case .orange: orange
            case .sky: sky
            case .green: green
            case .yellow: yellow
            case .blue: blue
            case .vermilion: vermilion
            case .purple: purple
            case .grey: grey
            }
        }

        static let dark = Table(
            plain: Color(-1, -1, "#e6e6e6"), orange: Color(214, 3, "#e69f00"), sky: Color(75, 6, "#56b4e9"),
            green: Color(36, 2, "#2fc08e"), yellow: Color(227, 3, "#f0e442"), blue: Color(32, 4, "#4f9fdc"),
            vermilion: Color(166, 1, "#e8703a"), purple: Color(175, 5, "#d58fb8"), grey: Color(244, -1, "#8a8f98"))

        static let light = Table(
            plain: Color(-1, -1, "#1a1a1a"), orange: Color(130, 1, "#af5f00"), sky: Color(24, 4, "#005f87"),
            green: Color(29, 2, "#00875f"), yellow: Color(58, -1, "#5f5f00"), blue: Color(19, 4, "#0000af"),
            vermilion: Color(160, 1, "#d70000"), purple: Color(127, 5, "#af00af"), grey: Color(242, -1, "#6c6c6c"))

        static let contrast = Table(
            plain: Color(-1, -1, "#ffffff"), orange: Color(202, 3, "#ff5f00"), sky: Color(33, 6, "#0087ff"),
            green: Color(34, 2, "#00af00"), yellow: Color(-1, -1, "#ffffff"), blue: Color(33, 6, "#0087ff"),
            vermilion: Color(196, 1, "#ff0000"), purple: Color(-1, -1, "#ffffff"), grey: Color(-1, -1, "#ffffff"))
    }
}

/// A colour by its part in the picture; which one that is says a ``Theme``.
public enum Ink: UInt8, Hashable, Sendable, CaseIterable {
    /// The terminal's own.
    case plain
    /// Orange.
    case orange
    /// Sky blue.
    case sky
    /// Bluish green.
    case green
    /// Yellow.
    case yellow
    /// Blue.
    case blue
    /// Vermilion.
    case vermilion
    /// Reddish purple.
    case purple
    /// For what is there but doesn't matter now.
    case grey
}

/// How a cell looks.
public struct Style: Hashable, Sendable {
    /// The colour of what is written.
    public var ink: Ink
    /// Written strongly.
    public var isBold: Bool
    /// Written faintly.
    public var isDim: Bool
    /// Written in the background's colour on the ink's.
    public var isReversed: Bool
    /// Underlined.
    public var isUnderlined: Bool

    /// The terminal's own.
    public static let plain = Style()
    /// What is there but doesn't matter now.
    public static let faint = Style(.grey)

    /// A style.
    public init(
        _ ink: Ink = .plain, isBold: Bool = false, isDim: Bool = false, isReversed: Bool = false,
        isUnderlined: Bool = false
    ) {
        self.ink = ink
        self.isBold = isBold
        self.isDim = isDim
        self.isReversed = isReversed
        self.isUnderlined = isUnderlined
    }

    /// The same, written strongly.
    public var bold: Style { changed { $0.isBold = true } }
    /// The same, written faintly.
    public var dim: Style { changed { $0.isDim = true } }
    /// The same, filled.
    public var reversed: Style { changed { $0.isReversed = true } }

    private func changed(_ change: (inout Style) -> Void) -> Style {
        var style = self
        change(&style)
        return style
    }
}

internal import CWidth

/// Text cut into what takes one place on a screen, and made safe to be shown whatever it is.
///
/// Nothing that was typed or stored can disturb a screen: controls become their pictures (U+2400…), what could turn the
/// direction of writing or join its neighbours becomes U+FFFD, and marks that combine stay with the letter before them,
/// three at the most.
public struct Glyph: Hashable, Sendable {
    /// The letter and its marks.
    public let text: String
    /// How many columns it takes, 1 or 2.
    public let width: Int

    private static let marksMax = 3
    static let replacement: Unicode.Scalar = "\u{fffd}"

    /// The glyphs of `text`.
    public static func all(in text: String) -> [Glyph] {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) {
            return text.unicodeScalars.map { Glyph(text: String($0), width: 1) }
        }
        var glyphs: [Glyph] = []
        var marks = 0
        for scalar in text.unicodeScalars {
            let (shown, width) = safe(scalar)
            guard let shown else { continue }
            if width == 0 {
                guard marks < marksMax else { continue }
                marks += 1
                // A mark without a letter gets a circle to stand on.
                let letter = glyphs.popLast() ?? Glyph(text: "\u{25cc}", width: 1)
                glyphs.append(Glyph(text: letter.text + String(shown), width: letter.width))
            } else {
                marks = 0
                glyphs.append(Glyph(text: String(shown), width: width))
            }
        }
        return glyphs
    }

    /// How many columns `text` takes.
    public static func width(of text: String) -> Int {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text.utf8.count }
        return all(in: text).reduce(0) { $0 + $1.width }
    }

    /// The scalar that is shown for `scalar`, if any, and the columns it takes.
    static func safe(_ scalar: Unicode.Scalar) -> (Unicode.Scalar?, Int) {
        switch scalar.value {
        case 0x20..<0x7f: return (scalar, 1)
        case 0..<0x20: return (Unicode.Scalar(0x2400 + scalar.value) ?? replacement, 1)
        case 0x7f: return ("\u{2421}", 1)
        case 0x80..<0xa0: return (replacement, 1)
        // Selectors of variants can make a terminal draw a letter wider than it says.
        case 0xfe00...0xfe0f, 0xe0100...0xe01ef: return (nil, 0)
        // Tones of skin join the letter before them on some terminals and not on others.
        case 0x1f3fb...0x1f3ff: return (replacement, 1)
        default: break
        }
        switch scalar.properties.generalCategory {
        case .format, .privateUse, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator: return (replacement, 1)
        default: break
        }
        // The width that the terminal's own library will count with.
        let width = Int(character_width(scalar.value))
        return width < 0 ? (replacement, 1) : (scalar, width)
    }
}

import Canvas
import Foundation
import Testing

struct ThemeTableTests {
    /// How light a colour is, from 0 to 1, as WCAG 2 counts it.
    private func luminance(_ hex: String) -> Double {
        let number = Int(hex.dropFirst(), radix: 16) ?? 0
        let parts = [number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff].map { part in
            let share = Double(part) / 255
            return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    private func contrast(_ one: String, _ other: String) -> Double {
        let (dark, light) = (min(luminance(one), luminance(other)), max(luminance(one), luminance(other)))
        return (light + 0.05) / (dark + 0.05)
    }

    /// What a terminal's colour is, by its number among 256.
    private func hex(_ number: Int16) -> String {
        let steps = [0, 95, 135, 175, 215, 255]
        let place = Int(number) - 16
        let parts =
            number >= 232
            ? Array(repeating: 8 + 10 * (Int(number) - 232), count: 3)
            : number >= 16 ? [steps[place / 36], steps[place / 6 % 6], steps[place % 6]] : [255, 0, 0]
        return "#" + parts.map { String(format: "%02x", $0) }.joined()
    }

    @Test(
        "every ink can be read on the theme's background, as far as that is known",
        arguments: [(Theme.dark, 4.5), (.light, 4.5), (.contrast, 5), (.mono, 20)])
    func readable(theme: Theme, least: Double) {
        for ink in Ink.allCases {
            let color = theme.color(of: ink)
            #expect(contrast(color.hex, theme.background) >= least, "\(theme) \(ink)")
            guard color.full >= 0 else { continue }
            // A terminal's own background is only more or less the theme's.
            #expect(contrast(hex(color.full), theme == .light ? "#ffffff" : "#000000") >= 4, "\(theme) \(ink)")
            if theme == .contrast { #expect(contrast(hex(color.full), "#ffffff") > 2.8, "\(ink) on a light terminal") }
        }
    }

    @Test("a picture of the screen has the theme's colours and its background", arguments: Theme.allCases)
    func picture(theme: Theme) {
        var canvas = Canvas(Size(rows: 2, columns: 20))
        canvas.write("leader", row: 0, column: 0, style: Style(.green, isBold: true))
        canvas.write("faint", row: 1, column: 0, style: .faint)
        canvas.write("dim", row: 1, column: 10, style: .plain.dim)
        let svg = canvas.svg(theme)
        #expect(svg.contains("fill=\"\(theme.background)\"/>"))
        #expect(svg.contains("fill=\"\(theme.color(of: .green).hex)\" font-weight=\"bold\">leader"))
        #expect(svg.contains("opacity") == (theme == .dark || theme == .light))
        #expect(Set(Theme.allCases.map { canvas.svg($0) }).count == Theme.allCases.count)
    }

    @Test("a theme without faintness shows what is faint plainly")
    func faint() {
        #expect(Theme.contrast.look(of: .faint) == .plain)
        #expect(Theme.mono.look(of: .faint) == .plain)
        #expect(Theme.mono.look(of: Style(.sky, isDim: true)) == Style(isUnderlined: true))
        #expect(Theme.contrast.look(of: Style(.orange)) == Style(.orange, isBold: true))
        #expect(Theme.dark.look(of: .faint) == .faint)
    }
}

extension Glyph {
    /// `text` as a line that is printed where no screen is: controls become their pictures, as on a screen, so that no
    /// script and no value can do anything to a terminal. All else stays, for how wide it is nobody asks.
    public static func line(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            line.append(scalar.properties.generalCategory == .control ? safe(scalar).0 ?? replacement : scalar)
        }
        return String(line)
    }
}

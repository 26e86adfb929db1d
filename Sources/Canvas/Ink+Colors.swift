extension Ink {
    /// The colour's number where there are 256 of them; `nil` for the terminal's own.
    public var colorOf256: UInt8? {
        switch self {
        case .plain: nil
        case .orange: 214
        case .sky: 75
        case .green: 36
        case .yellow: 227
        case .blue: 32
        case .vermilion: 166
        case .purple: 175
        case .grey: 244
        }
    }

    /// A likeness where there are eight; `nil` for the terminal's own.
    public var colorOf8: UInt8? {
        switch self {
        case .plain, .grey: nil
        case .orange, .yellow: 3
        case .sky: 6
        case .green: 2
        case .blue: 4
        case .vermilion: 1
        case .purple: 5
        }
    }
}

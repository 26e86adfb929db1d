import Canvas

/// How somebody likes the screen: what stays as it is whatever cluster or lesson is shown.
public struct Taste: Hashable, Sendable {
    /// In which colours.
    public var theme: Theme
    /// What the mouse is for.
    public var mouse: MouseUse

    /// Whether it is drawn in big type, for those who sit far away.
    public var isBig = false

    /// What a mouse is for.
    public enum MouseUse: Hashable, Sendable {
        /// Nothing: the terminal says nothing of it.
        case none
        /// It selects text, as the terminal does it.
        case off
        /// It points at things.
        case on
    }

    /// A taste.
    public init(theme: Theme = .dark, mouse: MouseUse = .none) {
        self.theme = theme
        self.mouse = mouse
    }
}

// The keys that work whatever is on the screen, unless a line is typed.

extension Model {
    /// Takes a key that does the same everywhere; `nil` for any other, and while letters are text.
    mutating func takeAnywhere(_ key: Key) -> [Effect]? {
        if case .mouse(let mouse) = key { return take(mouse) }
        guard !isTyping, case .character(let letter) = key else { return nil }
        switch letter {
        case "T":
            taste.theme = taste.theme.next
            notice = Notice("colours: \(taste.theme.rawValue) (T: \(taste.theme.next.rawValue))")
        case "b": toggleBigType()
        case "m": toggleMouse()
        case "y": return copy()
        case "Y": return copyPage()
        default: return nil
        }
        return []
    }

    private mutating func toggleBigType() {
        taste.isBig.toggle()
        let least = Model.fullSize
        let isLarge = size.rows >= least.rows && size.columns >= least.columns
        notice = Notice(
            !taste.isBig
                ? "" : isLarge ? "big type: b goes back" : "big type needs \(least.columns)x\(least.rows)",
            isTrouble: taste.isBig && !isLarge)
    }

    /// Whether letters are text now.
    private var isTyping: Bool {
        switch mode {
        case .prompt, .filter, .help: true
        case .watching, .link, .page, .lessons: false
        }
    }
}

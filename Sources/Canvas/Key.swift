/// A key, as a terminal tells it.
public enum Key: Hashable, Sendable {
    /// A letter, a digit, a sign.
    case character(Character)
    /// A letter together with Control.
    case control(Character)
    /// Return.
    case enter
    /// Escape.
    case escape
    /// Tab.
    case tab
    /// Tab together with Shift.
    case backTab
    /// Takes away the letter before the cursor.
    case backspace
    /// Takes away the letter at the cursor.
    case delete
    /// The arrow up.
    case up
    /// The arrow down.
    case down
    /// The arrow to the left.
    case left
    /// The arrow to the right.
    case right
    /// To the beginning.
    case home
    /// To the end.
    case end
    /// A page back.
    case pageUp
    /// A page on.
    case pageDown
    /// No key, but what comes with them: the mouse.
    case mouse(Mouse)
}

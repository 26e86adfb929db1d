/// What a mouse did, and where.
public struct Mouse: Hashable, Sendable {
    /// What it did.
    public enum Action: Hashable, Sendable {
        /// Its first button was pressed.
        case press
        /// Its wheel was turned away from the hand: to what is above.
        case wheelUp
        /// Its wheel was turned towards the hand: to what is below.
        case wheelDown
    }

    /// What it did.
    public var action: Action
    /// The row of the screen, counted from zero.
    public var row: Int
    /// The column of the screen, counted from zero.
    public var column: Int

    /// Something that a mouse did.
    public init(_ action: Action, row: Int, column: Int) {
        (self.action, self.row, self.column) = (action, row, column)
    }
}

/// What an audience is told or asked.
public enum Slide: Hashable, Sendable {
    /// A sentence.
    case sentence(String)
    /// A question; its answer is shown when everybody has guessed.
    case question(Question, isAnswered: Bool)
}

extension Script {
    /// How often the script speaks to its audience.
    public var slideCount: Int {
        statements.count { statement in
            switch statement.kind {
            case .say, .ask: true
            default: false
            }
        }
    }
}

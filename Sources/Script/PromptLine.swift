import Laboratory

/// What can be typed at the prompt.
public enum PromptLine: Hashable, Sendable {
    /// Something is done to the cluster.
    case command(Command)
    /// A condition is looked at.
    case expect(Condition)
    /// A sentence for the audience.
    case say(String)
    /// The screen is kept in this file, as text or, where it is called so, as SVG.
    case screenshot(String)
    /// What was done since the cluster began is kept in this file, as a script.
    case save(String)
    /// The screen is recorded in this file from now on; without one, no more.
    case record(String?)
    /// What led to the last event that is shown.
    case why
    /// The screen goes back by so many events.
    case back(Int)
    /// The screen shows what is now.
    case live
    /// This lesson is presented; without a name, the list of lessons is opened.
    case lesson(String?)
    /// The lesson goes on.
    case next
    /// It goes back by a step.
    case previous
    /// The help is opened, with this in its filter.
    case help(String)
    /// The program ends.
    case quit

    /// Reads a line; `nil` where it says nothing.
    ///
    /// - Throws: ``ScriptError`` where it can't be read, or belongs into a script.
    public init?(parsing line: String, nodes: Int) throws(ScriptError) {
        var parser = try LineParser(line, nodes: nodes)
        guard let word = parser.take() else { return nil }
        switch word.isQuoted ? "" : word.text {
        case "help", "?":
            self = .help(parser.next == nil ? "" : try parser.text("a command"))
            try parser.finish()
        case "back":
            self = .back(parser.next == nil ? 1 : try parser.count("a count of events", in: 1...100_000))
            try parser.finish()
        case "live", "why":
            try parser.finish()
            self = word.text == "live" ? .live : .why
        case "lesson":
            let column = parser.column
            let name = parser.next == nil ? nil : try parser.text("a lesson")
            if let name, Lesson(named: name) == nil { throw ScriptError(Lesson.unknown(name), column: column) }
            self = .lesson(name)
            try parser.finish()
        case "next", "previous":
            try parser.finish()
            self = word.text == "next" ? .next : .previous
        case "screenshot":
            self = .screenshot(try parser.text("a file"))
            try parser.finish()
        case "save":
            self = .save(try parser.text("a file"))
            try parser.finish()
        case "record":
            let isOff = parser.takes("off")
            self = .record(isOff ? nil : try parser.text("a file, or off,"))
            try parser.finish()
        case "quit", "q", "exit":
            try parser.finish()
            self = .quit
        default:
            guard let kind = try Statement.Kind(parsing: line, nodes: nodes) else { return nil }
            switch kind {
            case .command(let command): self = .command(command)
            case .expect(let condition): self = .expect(condition)
            case .say(let sentence): self = .say(sentence)
            case .title, .source, .cluster, .boot, .ask, .tolerate, .sleep, .wait, .when:
                throw ScriptError("'\(word.text)' belongs into a script: raft-tui run plays one", column: word.column)
            }
        }
    }
}

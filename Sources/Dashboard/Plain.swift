import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Script

/// What happens and what is typed, a line each, without a screen: for screen readers, and for other programs.
///
/// An error begins with `! `, what a lesson says with `» `, and what it asks with `? `.
public struct Plain: Sendable {
    /// What was seen of the cluster.
    public private(set) var witness = Witness()
    /// What was done, as a script that does it again.
    public private(set) var transcript = Transcript()
    private var findingsTold = 0
    private var slide: Slide?

    /// Nothing has happened yet.
    public init() {}

    /// What is known of the cluster.
    public var picture: Picture { witness.picture }
    /// What holds the cluster to Raft's properties.
    public var audit: Audit { witness.audit }

    // MARK: - What happens

    /// Takes note of what happened. Answers the lines that tell it.
    public mutating func take(_ events: [Event]) -> [String] {
        var lines: [String] = []
        for event in events {
            witness.take(event)
            transcript.take(event, seeing: picture)
            if Plain.isTold(event) { lines.append("\(event.at.clockText)  \(event.explanation.line)") }
            let findings = audit.findings
            if findings.count > findingsTold { lines += findings[findingsTold...].map { Plain.error("\($0)") } }
            findingsTold = findings.count
        }
        return lines
    }

    /// Whether an event is one to read about. What a voter answers it tells itself, and what was broken is found here, too.
    private static func isTold(_ event: Event) -> Bool {
        switch event.kind {
        case .violation: return false
        case .sent(let sent): if case .voteResponse = sent.message.body { return false }
        default: break
        }
        return event.explanation.weight >= .usual
    }

    /// A script begins to be presented, on a fresh cluster.
    public mutating func begin(_ script: Script, named name: String) -> [String] {
        self = Plain()
        return ["\(script.title ?? name): an empty line goes on"]
    }

    /// The script that is presented has come so far.
    public mutating func take(_ progress: LectureProgress) -> [String] {
        var lines: [String] = []
        if progress.slide != slide {
            slide = progress.slide
            lines += progress.slide.map(Plain.lines) ?? []
        }
        if let ending = progress.ending { lines.append(ending.isTrouble ? Plain.error(ending.text) : ending.text) }
        return lines
    }

    private static func lines(of slide: Slide) -> [String] {
        switch slide {
        case .sentence(let sentence): ["» \(sentence)"]
        case .question(let question, isAnswered: false):
            ["? \(question.sentence)"] + question.lines.map { "    \($0)" }
        case .question(let question, isAnswered: true): ["  answer: \(question.solution)"]
        }
    }

    /// A line that says what went wrong.
    public static func error(_ sentence: String) -> String { "! \(sentence)" }

    // MARK: - What is typed

    /// Takes a line of the prompt's language; an empty one goes on with the lesson. Answers what to print, and what to do.
    public mutating func enter(_ text: String) -> (lines: [String], effects: [Effect]) {
        do throws(ScriptError) {
            guard let line = try PromptLine(parsing: text, nodes: picture.nodes.count) else {
                return ([], text.contains("#") ? [] : [.turnPage])
            }
            return carryOut(line)
        } catch {
            return ([Plain.error(error.description)], [])
        }
    }

    private func carryOut(_ line: PromptLine) -> (lines: [String], effects: [Effect]) {
        switch line {
        case .command(let command): ([], [.perform(command)])
        case .expect(let condition):
            condition.holds(for: witness)
                ? (["yes: \(condition)"], []) : (["no: \(condition.actual(for: witness))"], [])
        case .say(let sentence): (["» \(sentence)"], [])
        case .lesson(let name?): ([], [.lesson(name)])
        case .lesson(nil): (Lesson.all.map { "\($0.name)  \($0.title)" }, [])
        case .next: ([], [.turnPage])
        case .save(let path): ([], [.save(path)])
        case .help(let filter): (Plain.help(matching: filter), [])
        case .quit: ([], [.quit])
        case .why, .previous, .back, .live, .screenshot, .record:
            ([Plain.error("this needs a screen: start raft-tui without --plain")], [])
        }
    }

    private static func help(matching filter: String) -> [String] {
        let wanted = filter.lowercased()
        let lines = (Catalogue.items + Catalogue.conditions).filter { $0.chapter != .scripts }.map { item in
            [item.name, item.arguments].filter { !$0.isEmpty }.joined(separator: " ") + "  " + item.sentence
        }.filter { wanted.isEmpty || $0.lowercased().contains(wanted) }
        return lines.isEmpty ? [error("nothing is called so")] : lines
    }
}

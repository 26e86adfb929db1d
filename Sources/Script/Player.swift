import KeyValue
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

/// Plays a script on a laboratory, a step at a time.
///
/// Its host takes the laboratory's events, hands them in with ``take(_:)``, and calls ``advance(on:)`` until it is
/// finished; in between it waits for events, or for the moment that ``Step/waiting(until:)`` names.
public struct Player {
    /// What is to be done next.
    public enum Step: Sendable {
        /// Wait for events, or for this moment of cluster time.
        case waiting(until: Instant?)
        /// It is over.
        case finished(Outcome)
    }

    /// How a script ended.
    public enum Outcome: Hashable, Sendable {
        /// Every expectation held; so many there were.
        case passed(expectations: Int)
        /// An expectation didn't hold: where, and what was there instead.
        case failed(line: Int, String)
    }

    /// What is known of the cluster.
    public private(set) var picture = Picture()
    /// What holds the cluster to Raft's properties.
    public private(set) var audit = Audit()
    /// What was played, as lines for a person; the host takes them.
    private var lines: [String] = []
    private let script: Script
    private var place = 0
    private var expectations = 0
    private var state = State.ready

    private enum State {
        /// The next line can begin.
        case ready
        /// A command is to take effect.
        case settling(String)
        /// A client is to be answered.
        case awaiting(call: UInt64, String)
        /// A condition is to become true.
        case waiting(Condition, since: Instant, until: Instant)
        /// Time is to pass.
        case sleeping(until: Instant)
    }

    /// A player at the beginning of a script.
    public init(_ script: Script) { self.script = script }

    /// Takes note of what happened.
    public mutating func take(_ events: [Event]) {
        for event in events {
            picture.apply(event)
            audit.take(event.kind, sequence: event.sequence)
            noteAnswer(event)
        }
    }

    /// The lines since this was called last: what was played, and what came of it.
    public mutating func takeLines() -> [String] {
        defer { lines = [] }
        return lines
    }

    /// Plays as far as can be now.
    public mutating func advance(on laboratory: any Laboratory) -> Step {
        while true {
            if let finding = audit.firstFinding {
                let line = place > 0 ? script.statements[place - 1].line : 1
                return .finished(.failed(line: line, "\(finding)"))
            }
            switch state {
            case .ready:
                guard laboratory.isSettled else { return .waiting(until: nil) }
                guard place < script.statements.count else {
                    return .finished(.passed(expectations: expectations))
                }
                let statement = script.statements[place]
                place += 1
                if let failure = begin(statement, on: laboratory) {
                    return .finished(.failed(line: statement.line, failure))
                }
            case .settling(let text):
                guard laboratory.isSettled else { return .waiting(until: nil) }
                lines.append(text)
                state = .ready
            case .awaiting: return .waiting(until: nil)
            case .waiting(let condition, let since, let deadline):
                if condition.holds(in: picture) {
                    let length = DurationText.text(
                        of: Interval.milliseconds((laboratory.now - since).nanoseconds / 1_000_000))
                    lines.append("wait \(condition) → after \(length)")
                    state = .ready
                } else if laboratory.now >= deadline {
                    let line = script.statements[place - 1].line
                    return .finished(
                        .failed(line: line, "waited for \(condition), but \(condition.actual(in: picture))"))
                } else {
                    return .waiting(until: deadline)
                }
            case .sleeping(let moment):
                if laboratory.now < moment { return .waiting(until: moment) }
                state = .ready
            }
        }
    }

    private static let frozen =
        "the clock stands still, so that this would wait for ever: thaw it first, or end the line in &"

    /// Begins a line. Answers why the script fails with it, where it does.
    private mutating func begin(_ statement: Statement, on laboratory: any Laboratory) -> String? {
        switch statement.kind {
        case .title, .source, .cluster: lines.append("\(statement.kind)")
        case .say(let sentence): lines.append("» \(sentence)")
        case .sleep where picture.rate == 0: return Player.frozen
        case .wait(let condition, _) where picture.rate == 0 && !condition.holds(in: picture):
            return "\(condition) is not so, and " + Player.frozen
        case .command(.client(let command)) where picture.rate == 0 && !command.isBackground: return Player.frozen
        case .sleep(let length):
            lines.append("\(statement.kind)")
            state = .sleeping(until: laboratory.now + length)
        case .wait(let condition, let patience):
            let now = laboratory.now
            state = .waiting(condition, since: now, until: now + patience)
        case .expect(let condition):
            guard condition.holds(in: picture) else {
                return "expected \(condition), but \(condition.actual(in: picture))"
            }
            expectations += 1
            lines.append("\(statement.kind) → yes")
        case .command(let command): begin(command, on: laboratory)
        }
        return nil
    }

    private mutating func begin(_ command: Command, on laboratory: any Laboratory) {
        do throws(Refusal) {
            let call = try laboratory.perform(command, leader: picture.leader?.id)
            if case .client(let client) = command, let call {
                if client.isBackground {
                    lines.append("\(command)")
                } else {
                    state = .awaiting(call: call, "\(command)")
                }
            } else {
                state = .settling("\(command)")
            }
        } catch {
            lines.append("\(command) → refused: \(error)")
        }
    }

    /// Ends the wait for a client's answer when it is there.
    private mutating func noteAnswer(_ event: Event) {
        guard case .awaiting(let call, let text) = state, case .returned(let answer) = event.kind, answer.call == call
        else { return }
        lines.append("\(text) → \(answer.result)")
        state = .ready
    }
}

extension Picture {
    /// The servers as a table, for a person who wants to know why something isn't so.
    public var table: [String] {
        let header = ["node", "role", "term", "last", "commit", "applied", "log"]
        let rows = nodes.map { node in
            [
                "\(node.id)", node.standing.rawValue, "\(node.term)", "\(node.log.last)", "\(node.commit)",
                "\(node.applied)", Condition.text(of: Array(node.log.terms.suffix(24))),
            ]
        }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            zip(row, widths).map { text, width in text + String(repeating: " ", count: width - text.count) }
                .joined(separator: "  ")
        }
    }
}

import KeyValue
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

/// Plays a script on a laboratory, a step at a time.
///
/// Its host takes the laboratory's events, hands them in with ``take(_:)``, and calls ``advance(on:)`` until it is
/// finished; in between it waits for events, or for the moment that ``Step/waiting(until:)`` names. The servers are
/// started at the first line that needs them.
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
        /// A server can't start: why.
        case unstartable(String)
    }

    /// Whether somebody presents the script: it waits for them where it speaks to the audience, and while the clock stands
    /// still.
    public let isPresented: Bool
    /// Whether the presenter has left it for a while: only what is armed goes on.
    public var isLeft = false
    /// When they did.
    private var leftAt: Instant?
    /// What the audience was told or asked last.
    public private(set) var slide: Slide?
    /// What was seen of the cluster.
    public private(set) var witness = Witness()
    /// What was played, as lines for a person; the host takes them.
    private var lines: [String] = []
    private let script: Script
    private var place = 0
    private var expectations = 0
    private var state = State.ready
    /// Why the servers can't start, where that is known before they are told to.
    private var unstartable: String?
    private var armed: [Trigger] = []
    /// Whether the servers have started: before that, nothing of them is as it will be.
    private var areServersUp = false
    /// What armed lines are to do now.
    private var due: [Trigger] = []
    private var tolerated: Set<Property> = []

    private enum State {
        /// The next line can begin.
        case ready
        /// The servers start.
        case starting
        /// A command is to take effect.
        case settling(String)
        /// A client is to be answered.
        case awaiting(call: UInt64, String)
        /// A condition is to become true.
        case waiting(Condition, since: Instant, until: Instant)
        /// Time is to pass.
        case sleeping(until: Instant)
        /// The presenter is to say when to go on.
        case presenting
    }

    /// An armed line.
    private struct Trigger: Hashable {
        var condition: Condition
        var command: Command
    }

    /// A player at the beginning of a script.
    public init(_ script: Script, isPresented: Bool = false) {
        self.script = script
        self.isPresented = isPresented
    }

    /// The presenter goes on: to the answer of a question, or to what comes next.
    public mutating func next() {
        guard case .presenting = state else { return }
        if case .question(let question, isAnswered: false)? = slide {
            slide = .question(question, isAnswered: true)
        } else {
            state = .ready
        }
    }

    /// The line that is being played, where it takes its time; `nil` while the presenter is waited for.
    public var work: String? {
        switch state {
        case .presenting: nil
        case .waiting(let condition, _, _): "wait \(condition)"
        case .awaiting(_, let text), .settling(let text): text
        case .ready, .starting, .sleeping: place > 0 ? "\(script.statements[place - 1].kind)" : nil
        }
    }

    /// What is known of the cluster.
    public var picture: Picture { witness.picture }

    /// Takes note of what happened.
    public mutating func take(_ events: [Event]) {
        for event in events {
            witness.take(event)
            noteAnswer(event)
            pullTriggers(after: event)
        }
    }

    /// The same, where somebody else has a witness, who had seen so much before: it is looked at, and not kept, so that what
    /// it holds is not held twice.
    public mutating func take(_ events: [Event], after witness: @autoclosure () -> Witness) {
        guard !armed.isEmpty else {
            for event in events { noteAnswer(event) }
            return
        }
        self.witness = witness()
        take(events)
        self.witness = Witness()
    }

    /// Plays as far as can be now, as far as somebody else's witness has seen.
    public mutating func advance(on laboratory: any Laboratory, seeing witness: Witness) -> Step {
        self.witness = witness
        defer { self.witness = Witness() }
        return advance(on: laboratory)
    }

    /// There is nothing more to come: what is still open is judged as it is. Answers what is broken then.
    private mutating func finish() -> Outcome? {
        for trigger in armed { lines.append("when \(trigger.condition) do \(trigger.command) → never came true") }
        witness.finish()
        return witness.audit.firstFinding(besides: tolerated).map { .failed(line: max(1, line), "\($0)") }
    }

    /// The lines since this was called last: what was played, and what came of it.
    public mutating func takeLines() -> [String] {
        defer { lines = [] }
        return lines
    }

    /// Plays as far as can be now.
    public mutating func advance(on laboratory: any Laboratory) -> Step {
        while true {
            if let finding = witness.audit.firstFinding(besides: tolerated) {
                return .finished(.failed(line: max(1, line), "\(finding)"))
            }
            // Servers wait for nobody once nothing is armed, and what armed lines have ordered is done.
            if laboratory.isWatched, armed.isEmpty, due.isEmpty, laboratory.isSettled { laboratory.isWatched = false }
            fire(on: laboratory)
            if isLeft {
                leftAt = leftAt ?? laboratory.now
                return .waiting(until: nil)
            }
            takeUp(at: laboratory.now)
            if let step = advanceOnce(on: laboratory) { return step }
        }
    }

    /// Goes on after the presenter had left the script: that time doesn't count as waiting.
    private mutating func takeUp(at now: Instant) {
        guard let left = leftAt else { return }
        leftAt = nil
        guard case .waiting(let condition, let since, let deadline) = state else { return }
        state = .waiting(condition, since: since, until: deadline + (now - left))
    }

    /// The line that is played.
    private var line: Int { place > 0 ? script.statements[place - 1].line : 0 }

    /// Goes on by as much as can be done at once. Answers what to do before the next time, where there is something.
    private mutating func advanceOnce(on laboratory: any Laboratory) -> Step? {
        switch state {
        case .ready: return advanceReady(on: laboratory)
        case .presenting: return .waiting(until: nil)
        case .starting:
            guard laboratory.isSettled else { return .waiting(until: nil) }
            if let failure = picture.nodes.compactMap(\.failure).first { return .finished(.unstartable(failure)) }
            state = .ready
            areServersUp = true
            pullTriggers()
        case .settling(let text):
            guard laboratory.isSettled else { return .waiting(until: nil) }
            lines.append(text)
            state = .ready
        case .awaiting: return picture.rate == 0 ? standstill : .waiting(until: nil)
        case .waiting(let condition, let since, let deadline):
            if condition.holds(for: witness) {
                let length = Interval.milliseconds((laboratory.now - since).nanoseconds / 1_000_000)
                lines.append("wait \(condition) → after \(DurationText.text(of: length))")
                state = .ready
            } else if laboratory.now >= deadline {
                return .finished(
                    .failed(line: line, "waited for \(condition), but \(condition.actual(for: witness))"))
            } else {
                return picture.rate == 0 ? standstill : .waiting(until: deadline)
            }
        case .sleeping(let moment):
            if laboratory.now < moment { return picture.rate == 0 ? standstill : .waiting(until: moment) }
            state = .ready
        }
        return nil
    }

    private mutating func advanceReady(on laboratory: any Laboratory) -> Step? {
        guard laboratory.isSettled else { return .waiting(until: nil) }
        let next = place < script.statements.count ? script.statements[place] : nil
        if !laboratory.hasStarted, next?.kind.isPrologue != true {
            laboratory.start()
            state = .starting
            return nil
        }
        guard let next else { return .finished(finish() ?? .passed(expectations: expectations)) }
        // Whoever has stopped the clock lets it go on.
        if isPresented, picture.rate == 0, next.kind.takesTime { return .waiting(until: nil) }
        place += 1
        let failure = begin(next, on: laboratory)
        if let unstartable { return .finished(.unstartable("line \(next.line): \(unstartable)")) }
        return failure.map { .finished(.failed(line: next.line, $0)) }
    }

    /// An armed line, or the presenter, has stopped the clock while this one waits.
    private var standstill: Step {
        isPresented ? .waiting(until: nil) : .finished(.failed(line: line, Player.frozen))
    }

    private static let frozen =
        "the clock stands still, so that this would wait for ever: thaw it first, or end the line in &"

    /// Begins a line. Answers why the script fails with it, where it does.
    private mutating func begin(_ statement: Statement, on laboratory: any Laboratory) -> String? {
        switch statement.kind {
        case .title, .source, .cluster: lines.append("\(statement.kind)")
        case .say(let sentence):
            lines.append("» \(sentence)")
            present(.sentence(sentence))
        case .ask(let question):
            lines.append("? \(question.sentence)")
            lines += question.lines.map { "    \($0)" }
            lines.append("  answer: \(question.solution)")
            present(.question(question, isAnswered: false))
        case .boot(let boot):
            do throws(Refusal) {
                try laboratory.prepare(boot)
                state = .settling("\(boot)")
            } catch {
                unstartable = "\(error)"
            }
        case .tolerate(let property):
            tolerated.insert(property)
            lines.append("\(statement.kind)")
        case .when(let condition, let command):
            armed.append(Trigger(condition: condition, command: command))
            laboratory.isWatched = true
            lines.append("\(statement.kind)")
            pullTriggers()
        case .sleep where picture.rate == 0: return Player.frozen
        case .wait(let condition, _) where picture.rate == 0 && !condition.holds(for: witness):
            return "\(condition) is not so, and " + Player.frozen
        case .command(.client(let command)) where picture.rate == 0 && !command.isBackground: return Player.frozen
        case .sleep(let length):
            lines.append("\(statement.kind)")
            state = .sleeping(until: laboratory.now + length)
        case .wait(let condition, let patience):
            let now = laboratory.now
            state = .waiting(condition, since: now, until: now + patience)
        case .expect(let condition):
            guard condition.holds(for: witness) else {
                return "expected \(condition), but \(condition.actual(for: witness))"
            }
            expectations += 1
            lines.append("\(statement.kind) → yes")
        case .command(let command): begin(command, on: laboratory)
        }
        return nil
    }

    private mutating func present(_ slide: Slide) {
        guard isPresented else { return }
        self.slide = slide
        state = .presenting
    }

    private mutating func begin(_ command: Command, on laboratory: any Laboratory) {
        do throws(Refusal) {
            let call = try laboratory.perform(command, seeing: picture)
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
        if case .settling(let text) = state, case .stepped(let step) = event.kind, step.from == nil {
            state = .settling("\(text) → \(step.sentence)")
        }
        guard case .awaiting(let call, let text) = state else { return }
        if case .began = event.kind {
            lines.append("\(text) → the cluster began anew, and nobody answers")
            state = .ready
        }
        guard case .returned(let answer) = event.kind, answer.call == call else { return }
        lines.append("\(text) → \(answer.result)")
        state = .ready
    }

    // MARK: - Armed lines

    /// Finds the armed lines whose condition is true now. Each is carried out once.
    private mutating func pullTriggers(after event: Event? = nil) {
        guard !armed.isEmpty, areServersUp else { return }
        var isAnswer = event == nil
        if case .returned = event?.kind { isAnswer = true }
        let pulled = armed.filter { (isAnswer || !$0.condition.isAboutAnswers) && $0.condition.holds(for: witness) }
        armed.removeAll { pulled.contains($0) }
        due += pulled
    }

    /// Does what armed lines say, before the step that made their conditions true goes on.
    private mutating func fire(on laboratory: any Laboratory) {
        guard !due.isEmpty else { return }
        for trigger in due {
            let line = "when \(trigger.condition): \(trigger.command)"
            do throws(Refusal) {
                try laboratory.perform(trigger.command, seeing: picture)
                lines.append(line)
            } catch {
                lines.append("\(line) → refused: \(error)")
            }
        }
        due = []
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

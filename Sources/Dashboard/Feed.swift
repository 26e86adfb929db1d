import Canvas
import RaftCore
import RaftTrace

/// What happened, as lines to read, the latest last.
public struct Feed: Sendable {
    /// A line.
    public struct Line: Hashable, Sendable {
        /// When it happened.
        public var at: Instant
        /// The place of its event in the timeline; of the last one, where it stands for several.
        public var place: Int
        /// The servers it is about, the one it happened on first.
        public var nodes: [NodeID]
        /// What happened.
        public var text: String
        /// How much it matters.
        public var weight: Explanation.Weight
        /// Whether it only says what was done to the clock, or what the program has to say: whoever goes back event by
        /// event doesn't stop there.
        public var isAside = false
        /// The servers that got the same message, where it is one.
        fileprivate var receivers: [NodeID] = []
        fileprivate var message = ""
        fileprivate var numbers: [UInt64] = []
    }

    /// The lines.
    public private(set) var lines: [Line] = []

    /// Whether so much is written that only what turns the story can be read.
    private var isLoaded = false

    /// How many lines are kept.
    private static let linesMax = 2_000

    /// Takes note of an event, if it is one to read about.
    mutating func take(_ event: Event, place: Int) {
        if case .load(let load) = event.kind { isLoaded = load != nil }
        if case .began = event.kind { isLoaded = false }
        if case .sent(let sent) = event.kind {
            if !isLoaded { take(sent, at: event.at, place: place) }
            return
        }
        // What a trace says was broken the screen's own audit finds, too.
        if case .violation = event.kind { return }
        // What a step leads to says more than that there was one.
        if case .command(let command) = event.kind, command.verb == "step" { return }
        let explanation = event.explanation
        guard explanation.weight >= (isLoaded && event.isOfNode ? .important : .usual) else { return }
        append(
            Line(
                at: event.at, place: place, nodes: explanation.nodes, text: explanation.line,
                weight: explanation.weight, isAside: event.isAboutClock))
    }

    /// Takes note of a message that says something new; one that goes to several servers is one line.
    private mutating func take(_ sent: MessageSent, at moment: Instant, place: Int) {
        let message = sent.message
        guard !message.isRoutine else { return }
        // What a voter answers is told by the voter itself.
        if case .voteResponse = message.body { return }
        let summary = message.summary
        if let last = lines.last, last.message == summary, last.nodes.first == message.from, last.at == moment {
            lines[lines.count - 1].receivers.append(message.to)
            lines[lines.count - 1].numbers.append(sent.number)
            lines[lines.count - 1].nodes.append(message.to)
            lines[lines.count - 1].place = place
        } else {
            var line = Line(at: moment, place: place, nodes: [message.from, message.to], text: "", weight: .usual)
            line.receivers = [message.to]
            line.message = summary
            line.numbers = [sent.number]
            append(line)
        }
        let line = lines[lines.count - 1]
        let receivers = line.receivers.map(\.description).joined(separator: ",")
        lines[lines.count - 1].text = "\(message.from) → \(receivers)  \(summary)  \(Feed.text(of: line.numbers))"
    }

    /// The numbers of one message's copies, as `deliver` takes them: `#17`, `#17-20`, or `#17,19`.
    private static func text(of numbers: [UInt64]) -> String {
        guard let first = numbers.first, let last = numbers.last, numbers.count > 1 else {
            return numbers.map { "#\($0)" }.joined()
        }
        let isRow = last &- first == UInt64(numbers.count - 1)
        return "#" + (isRow ? "\(first)-\(last)" : numbers.map(String.init).joined(separator: ","))
    }

    /// Adds a line that no event stands for: what the program has to say itself.
    ///
    /// - Parameter place: The place of the event that it is about; that of the line before, where it is about none.
    mutating func say(_ text: String, at moment: Instant, weight: Explanation.Weight, place: Int? = nil) {
        append(
            Line(
                at: moment, place: place ?? lines.last?.place ?? 0, nodes: [], text: text, weight: weight,
                isAside: place == nil))
    }

    private mutating func append(_ line: Line) {
        lines.append(line)
        if lines.count > 2 * Feed.linesMax { lines.removeFirst(lines.count - Feed.linesMax) }
    }

    /// The lines up to the event at `place` that contain `filter`, in any case of letters; all, where that is empty.
    func lines(matching filter: String, upTo place: Int) -> ArraySlice<Line> {
        let then = lines.prefix { $0.place <= place }
        guard !filter.isEmpty else { return then }
        let wanted = filter.lowercased()
        return then.filter { $0.text.lowercased().contains(wanted) }[...]
    }
}

extension Event {
    /// Whether it says what was done to the clock.
    fileprivate var isAboutClock: Bool {
        switch kind {
        case .clock, .stepped: true
        case .command(let command): ["freeze", "thaw", "speed", "step"].contains(command.verb)
        default: false
        }
    }

    fileprivate var isOfNode: Bool { if case .node = kind { true } else { false } }
}

extension Instant {
    /// The moment as minutes, seconds and milliseconds: `12:41.203`.
    var clockText: String {
        let milliseconds = nanoseconds / 1_000_000
        func padded(_ number: Int64, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return
            "\(padded(milliseconds / 60_000, 2)):\(padded(milliseconds / 1_000 % 60, 2)).\(padded(milliseconds % 1_000, 3))"
    }
}

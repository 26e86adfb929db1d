import Canvas
import Dashboard
import Glibc
import Laboratory
import RaftCore
import RaftTrace
import Script
import Terminal

/// The loop without a screen: events go to standard output, a line each, and lines from standard input to the cluster.
///
/// It needs no terminal. It ends when it is told to quit, or at the end of its input, once everybody was answered. Whoever
/// types sees what goes on and need not wait for answers; where the input is no terminal, a line waits for the answer to
/// the one before it, as in a script.
final class PlainSession {
    private var laboratory: any RunningLaboratory
    private let writer: TraceWriter?
    /// Makes a fresh cluster for a script, in the place of the one there is.
    private let freshCluster: FreshCluster?
    private var plain = Plain()
    private var presenter: Presenter?
    private var input = InputLines()
    private let signals: SignalPipe
    /// Lines that were read and wait.
    private var lines: [String?] = []
    /// The call whose answer they wait for.
    private var openCall: UInt64?
    private let waitsForAnswers = isatty(STDIN_FILENO) == 0
    /// How often the lesson is to go on as soon as it can.
    private var turns = 0
    private var isStarting = true
    private var isOver = false

    /// As many empty lines are read ahead.
    private static let turnsMax = 1_000

    init(
        laboratory: any RunningLaboratory, writer: TraceWriter?, signals: SignalPipe, freshCluster: FreshCluster? = nil
    ) {
        self.laboratory = laboratory
        self.signals = signals
        self.writer = writer
        self.freshCluster = freshCluster
    }

    /// Presents `script` from its beginning.
    func present(_ script: Script, named name: String) {
        presenter = Presenter(script)
        turns = 0
        tell(plain.begin(script, named: name))
    }

    /// Whoever interrupts it, or no longer reads what it prints, leaves no directory behind either: this comes before there
    /// is one.
    static func expectSignals() -> SignalPipe {
        signal(SIGPIPE, SIG_IGN)
        return SignalPipe([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
    }

    /// Runs until it is over. Answers the exit status.
    func run() throws -> Int32 {
        defer { laboratory.close() }
        while true {
            try takeEvents()
            advance()
            try takeLines()
            guard fflush(nil) == 0 else { return 128 + SIGPIPE }
            if let signal = signals.take().first { return 128 + signal }
            if isOver || isDone { return 0 }
            try wait()
        }
    }

    private func tell(_ lines: [String]) { for line in lines { print(Glyph.line(line)) } }

    /// Whether the input is at its end, and nothing that was typed goes on.
    private var isDone: Bool {
        guard input.isAtEnd, lines.isEmpty, !isStarting, laboratory.isSettled else { return false }
        let isPlaying = presenter.map { !$0.isOver && !$0.isWaiting } ?? false
        // A load never ends by itself.
        let isAnswered = plain.picture.openCalls.allSatisfy { Load.number(of: $0.client) != nil }
        return plain.picture.rate == 0 || isAnswered && !isPlaying
    }

    // MARK: - Waiting and taking

    private func wait() throws {
        let isReading = !input.isAtEnd && lines.isEmpty && !isStarting && turns < PlainSession.turnsMax
        // One that is negative is left out.
        var requests = [isReading ? STDIN_FILENO : -1, signals.descriptor, laboratory.eventDescriptor ?? -1].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        poll(&requests, nfds_t(requests.count), timeout)
        if requests[0].revents != 0 { lines += input.take() }
    }

    /// Does what the lines say that were read, as far as can be now.
    private func takeLines() throws {
        while !isOver, openCall == nil, !lines.isEmpty {
            guard let line = lines.removeFirst() else {
                tell([Plain.error("this line is no text")])
                continue
            }
            let (answers, effects) = plain.enter(line)
            tell(answers)
            for effect in effects { carryOut(effect) }
            // What came of it is told before the next line.
            try takeEvents()
            advance()
        }
    }

    private var timeout: Int32 {
        var rest = laboratory.delay
        if let delay = presenter?.delay(at: laboratory.now, rate: plain.picture.rate) {
            rest = min(rest ?? delay, delay)
        }
        return rest.map { Int32(clamping: ($0 + 999_999) / 1_000_000) } ?? -1
    }

    private func takeEvents() throws {
        let events = laboratory.takeEvents()
        presenter?.take(events, after: plain.witness)
        tell(plain.take(events))
        tell(laboratory.takeRefusals().map { Plain.error($0.description) })
        // While the clock stands still nobody is answered.
        if plain.picture.rate == 0 { openCall = nil }
        for event in events {
            if case .returned(let answer) = event.kind, answer.call == openCall { openCall = nil }
            if case .began = event.kind { openCall = nil }
        }
        try writer?.write(events, plain.audit)
        guard isStarting, laboratory.isSettled else { return }
        isStarting = false
        // A server that can't start at all is a matter for whoever started the program.
        if let failure = plain.picture.nodes.compactMap(\.failure).first { throw Failure(failure) }
    }

    /// Lets the script that is presented go on as far as it can.
    private func advance() {
        while presenter != nil {
            for message in presenter?.advance(on: laboratory, seeing: plain.witness) ?? [] {
                switch message {
                case .refused(let reason): tell([Plain.error(reason)])
                case .progress(let progress): tell(plain.take(progress))
                default: break
                }
            }
            guard turns > 0, presenter?.isWaiting == true else { break }
            turns -= 1
            presenter?.turnPage()
        }
        if presenter?.isOver ?? true { turns = 0 }
    }

    // MARK: - Doing

    private func carryOut(_ effect: Effect) {
        do {
            switch effect {
            case .perform(let command): try perform(command)
            case .save(let path):
                tell([try Saving.save(plain.transcript, breaking: plain.audit, to: Files.expanded(path))])
            case .lesson(let name): try begin(name)
            case .turnPage: turns += 1
            case .quit: isOver = true
            default: break
            }
        } catch {
            tell([Plain.error("\(error)")])
        }
    }

    private func perform(_ command: Command) throws(Refusal) {
        let call = try laboratory.perform(command, seeing: plain.picture)
        guard waitsForAnswers, case .client(let client) = command, !client.isBackground else { return }
        openCall = call
    }

    /// Presents a lesson from its beginning on a fresh cluster.
    private func begin(_ name: String) throws {
        let script = try Lesson.read(name)
        guard let freshCluster else { throw Failure(Session.noLessons(on: laboratory)) }
        try takeEvents()
        laboratory = try freshCluster(script, laboratory, plain.picture)
        present(script, named: name)
    }
}

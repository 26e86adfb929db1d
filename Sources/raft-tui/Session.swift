import Canvas
import Dashboard
import Glibc
import Laboratory
import RaftCluster
import RaftCore
import RaftTrace
import RaftTransport
import Script
import Terminal

/// The loop around the dashboard: keys, signals and events go into its model, and its scenes to the terminal.
///
/// It sleeps until something comes, and draws only what changed: at once after a key, otherwise not more often than
/// ``frame`` allows.
@MainActor
final class Session {
    private var laboratory: any RunningLaboratory
    /// Makes a fresh cluster for a script, in the place of the one there is.
    private let freshCluster: FreshCluster?
    /// The script that is presented, with its name.
    private var script: (name: String, script: Script)?
    private var presenter: Presenter?
    private let terminal: Terminal
    private let writer: TraceWriter?
    private let history: History
    private var model: Model
    private var recorder: Recorder?
    /// The nodes' HTTP faces, where they have any.
    private var faces: Faces?
    private var isStarting = true
    private var isTraceOver = false
    private var exitStatus: Int32?
    private var lastDrawn: Int64 = 0
    private var isStale = true
    /// Whether so much happens that events are better taken together.
    private var isBusy = false

    /// The least time between two drawings, in nanoseconds.
    private static let frame: Int64 = 50_000_000
    /// So many events at once are much, and so many milliseconds pass then before the next are taken.
    private static let busyCount = 200
    private static let busyPause: Int32 = 5

    init(
        laboratory: any RunningLaboratory, writer: TraceWriter?, isASCII: Bool, taste: Taste, speed: Double,
        slowsTo: Double?, freshCluster: FreshCluster? = nil
    ) throws {
        self.laboratory = laboratory
        self.writer = writer
        self.freshCluster = freshCluster
        history = History()
        do { terminal = try Terminal(theme: taste.theme) } catch { throw Failure("\(error)") }
        var taste = taste
        taste.mouse = terminal.hasMouse ? .on : .none
        model = Model(
            size: terminal.size, isASCII: isASCII, history: history.lines, speed: speed, slowsTo: slowsTo,
            isReplay: laboratory is Replay, canBranch: laboratory is any BranchingLaboratory, taste: taste,
            frameBytes: { $0.frame(number: $1) })
    }

    /// Presents `script` from its beginning.
    func present(_ script: Script, named name: String) {
        self.script = (name, script)
        presenter = Presenter(script)
        update(.presenting(script, name: name))
    }

    /// Serves every node's store over HTTP.
    func serve(_ options: Faces.Options) {
        faces = Faces(options, of: laboratory as? LiveCluster)
        update(.done(options.sentence(nodes: laboratory.members.count)))
    }

    /// Records the screen in a file from now on; without one, no more.
    func record(in path: String?) {
        do {
            if let path = path.map(Files.expanded) {
                let next = try Recorder(path: path, size: model.size)
                let former = recorder
                recorder = next
                try former?.close()
                let ended = former.map { "the recording in \($0.path) is done; " } ?? ""
                update(.done("\(ended)the screen is recorded in \(path): record off ends it"))
            } else if let recorder {
                self.recorder = nil
                try recorder.close()
                update(.done("the recording is in \(recorder.path)"))
            } else {
                update(.refused("nothing is recorded: record FILE begins it"))
            }
        } catch {
            update(.refused("\(error)"))
        }
    }

    /// Runs until its user leaves. Answers the exit status.
    func run() throws -> Int32 {
        defer {
            terminal.close()
            faces?.close()
            laboratory.close()
            try? recorder?.close()
        }
        draw()
        while exitStatus == nil {
            wait()
            try takeEvents()
            advance()
            takeOccurrences()
            for trouble in faces?.takeTroubles() ?? [] { update(.refused(trouble)) }
            takeKeys()
            drawIfDue()
        }
        return exitStatus ?? 0
    }

    // MARK: - Waiting

    /// Sleeps until there is a key, a signal or an event, or until it is time to draw what has moved.
    private func wait() {
        // One that is negative is left out.
        var requests = (terminal.descriptors + [faces?.descriptor ?? -1, laboratory.eventDescriptor ?? -1]).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        if isBusy {
            // Keys and signals alone are not kept waiting.
            poll(&requests, nfds_t(requests.count - 1), Session.busyPause)
            if requests.dropLast().contains(where: { $0.revents != 0 }) { return checkTerminal(requests[0]) }
        }
        poll(&requests, nfds_t(requests.count), timeout)
        checkTerminal(requests[0])
    }

    private func checkTerminal(_ request: pollfd) {
        // A terminal that is gone has nothing to be drawn on any more.
        if request.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { exitStatus = 129 }
    }

    private var timeout: Int32 {
        var rest = laboratory.delay
        if isStale || model.isMoving {
            let next = max(0, lastDrawn + Session.frame - Session.realTime())
            rest = min(rest ?? next, next)
        }
        if let delay = presenter?.delay(at: laboratory.now, rate: model.present.rate) {
            rest = min(rest ?? delay, delay)
        }
        return rest.map { Int32(clamping: ($0 + 999_999) / 1_000_000) } ?? -1
    }

    private static func realTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    // MARK: - Taking

    private func takeEvents() throws {
        let events = laboratory.takeEvents()
        if !events.isEmpty { isStale = true }
        isBusy = events.count >= Session.busyCount
        presenter?.take(events, after: model.witness)
        faces?.take(events)
        update(.events(events, now: laboratory.now))
        for refusal in laboratory.takeRefusals() { update(.refused(refusal.description)) }
        try writer?.write(events, model.audit)
        noteEndOfTrace()
        guard isStarting, laboratory.isSettled else { return }
        isStarting = false
        // A server that can't start at all is a matter for whoever started the program.
        if let failure = model.present.nodes.compactMap(\.failure).first { throw Failure(failure) }
    }

    /// Says that there is nothing more to come, where a trace has just come to its end.
    private func noteEndOfTrace() {
        let isOver = (laboratory as? Replay)?.isOver ?? false
        if isOver, !isTraceOver, !isStarting { update(.done(Replay.end)) }
        isTraceOver = isOver
    }

    private func takeOccurrences() {
        for occurrence in terminal.takeOccurrences() {
            switch occurrence {
            case .resized, .resumed:
                update(.resized(terminal.size))
                draw()
            case .ended(let signal): exitStatus = 128 + signal
            }
        }
    }

    private func takeKeys() {
        let keys = terminal.takeKeys()
        guard !keys.isEmpty else { return }
        for key in keys { update(.key(key)) }
        // What a key does is to be seen at once, its events too, where they are there already.
        try? takeEvents()
        advance()
        draw()
    }

    private func update(_ message: DashboardMessage) {
        for effect in model.update(message) {
            switch effect {
            case .perform(let command): perform(command)
            case .remember(let line): history.add(line)
            case .screenshot(let path): keepScreen(in: path)
            case .copy(let text): terminal.copy(text)
            case .save(let path): save(in: path)
            case .record(let path): record(in: path)
            case .lesson(let name): begin(name)
            case .turnPage: presenter?.turnPage()
            case .leaveLesson(let isLeft): presenter?.leave(isLeft)
            case .branch(let sequence, let command): branch(after: sequence, then: command)
            case .endLesson: (presenter, script) = (nil, nil)
            case .quit: exitStatus = 0
            case .redraw: terminal.forget()
            }
        }
    }

    private func perform(_ command: Command) {
        do throws(Refusal) {
            let call = try laboratory.perform(command, seeing: model.present)
            if let call { update(.called(call, line: command.description)) }
        } catch {
            update(.refused(error.description))
        }
    }

    /// Goes back to a moment, and on from there on another way.
    private func branch(after sequence: UInt64, then command: Command) {
        do throws(Refusal) {
            if writer != nil { throw Refusal("a trace tells one story: without --trace another way can be taken") }
            let call = try (laboratory as? any BranchingLaboratory)?.branch(
                after: sequence, then: command, seeing: model.picture)
            (presenter, script) = (nil, nil)
            update(.branched)
            if let call { update(.called(call, line: command.description)) }
        } catch {
            update(.refused(error.description))
        }
    }

    private func keepScreen(in path: String) {
        let path = Files.expanded(path)
        let canvas = model.view().canvas
        do {
            let isPicture = path.hasSuffix(".svg")
            try Files.requireReplaceable(
                path, beginningWith: isPicture ? Canvas.svgMark : nil, "a picture that screenshot made")
            try Files.write(isPicture ? canvas.svg(model.taste.theme) : canvas.text, to: path)
            update(.done("the screen is kept in \(path)"))
        } catch {
            update(.refused("\(error)"))
        }
    }

    /// Keeps what was done as a script.
    private func save(in path: String) {
        let path = Files.expanded(path)
        do {
            update(.done(try Saving.save(model.transcript, breaking: model.audit, to: path)))
        } catch {
            update(.refused("\(error)"))
        }
    }

    // MARK: - Lessons

    /// Lets the script that is presented go on as far as it can.
    private func advance() {
        guard let messages = presenter?.advance(on: laboratory, seeing: model.witness) else { return }
        for message in messages {
            isStale = true
            update(message)
        }
    }

    /// Presents a lesson, or the script that is presented already, from its beginning on a fresh cluster.
    private func begin(_ name: String) {
        do {
            let script = try script.flatMap { $0.name == name ? $0.script : nil } ?? Lesson.read(name)
            guard let freshCluster else { throw Failure(Session.noLessons(on: laboratory)) }
            try takeEvents()
            laboratory = try freshCluster(script, laboratory, model.present)
            faces?.adopt(laboratory as? LiveCluster)
            present(script, named: name)
        } catch {
            update(.refused("\(error)"))
        }
    }

    /// Why lessons can't begin where there is no cluster of their own.
    nonisolated static func noLessons(on laboratory: any RunningLaboratory) -> String {
        laboratory is Replay
            ? "a trace has happened: lessons need a cluster"
            : "lessons need a cluster of their own: raft-tui lesson NAME makes one"
    }

    // MARK: - Drawing

    private func drawIfDue() {
        guard isStale || model.isMoving, Session.realTime() - lastDrawn >= Session.frame else { return }
        draw()
    }

    private func draw() {
        let scene = model.view()
        terminal.theme = model.taste.theme
        terminal.isMouseTold = model.taste.mouse == .on
        terminal.draw(scene.canvas, cursor: scene.cursor.map { ($0.row, $0.column) })
        lastDrawn = Session.realTime()
        isStale = false
        do { try recorder?.take(scene, model.taste.theme) } catch {
            recorder = nil
            isStale = true
            update(.refused("the recording ends: \(error)"))
        }
    }
}

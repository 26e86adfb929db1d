import Canvas
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Script

// How messages change the model.

extension Model {
    /// Takes a message, and answers what is to be done about it.
    public mutating func update(_ message: DashboardMessage) -> [Effect] {
        switch message {
        case .key(let key): return take(key)
        case .events(let events, let now): return take(events, at: now)
        case .resized(let size):
            self.size = size
            return []
        case .called(let call, let line):
            openCall = (call, line)
            notice = Notice("\(line) …")
            return []
        case .done(let sentence):
            notice = Notice(sentence)
            return []
        case .branched:
            branch()
            return []
        case .presenting(let script, let name):
            begin(script, named: name)
            return []
        case .progress(let progress):
            return take(progress)
        case .refused(let reason):
            notice = Notice(reason, isTrouble: true)
            feed.say(reason, at: presentNow, weight: .usual)
            return []
        }
    }

    private mutating func take(_ events: [Event], at now: Instant) -> [Effect] {
        presentNow = now
        for event in events {
            // A trace begins anew: what was told of it is told again.
            if isReplay, case .began = event.kind { forgetStory() }
            fold(event)
            note(event)
        }
        if let effects = tellFindings() { return effects }
        selectExisting()
        guard let slower = slowsTo, lecture?.isSilent ?? true, present.leader != nil else { return [] }
        // The first leader is there: from here on everything can be followed by eye.
        slowsTo = nil
        speed = slower
        return [.perform(.speed(slower))]
    }

    /// Takes an event into everything that is made of events.
    mutating func fold(_ event: Event) {
        // No copy of the picture may live while it changes, or it would be copied as a whole, event by event.
        if timeline.beginsChapter { timeline.beginChapter(with: present, service) }
        let place = timeline.append(event)
        service.takeBefore(event, seeing: present)
        witness.take(event)
        transcript.take(event, seeing: present)
        service.take(event, place: place, seeing: present)
        feed.take(event, place: place)
        rulesAtWork.take(event, place: place)
        statistics.take(event)
        tape.take(event)
    }

    /// A broken property is told, and freezes the cluster, so that everybody can look at it.
    private mutating func tellFindings() -> [Effect]? {
        let findings = audit.findings
        guard findings.count > findingsTold else {
            findingsTold = findings.count
            return nil
        }
        for finding in findings[findingsTold...] {
            let place = timeline.lastIndex { $0.sequence == finding.sequence }
            feed.say("\(finding)", at: presentNow, weight: .alarming, place: place)
            tape.addViolation(at: presentNow)
        }
        findingsTold = findings.count
        if let first = audit.firstFinding { notice = Notice("\(first)", isTrouble: true) }
        // A cluster that is only watched can't be stopped.
        return present.rate == 0 || audit.isMidway ? [] : [.perform(.freeze)]
    }

    /// Forgets everything that ``fold(_:)`` has made of events, but for the witness.
    mutating func forgetStory() {
        (feed, timeline, tape, service, past) = (Feed(), Timeline(), Tape(), Service(), nil)
        (rulesAtWork, statistics, transcript) = (RulesAtWork(), Statistics(), Transcript())
    }

    /// Says what came of the line that was typed last.
    private mutating func note(_ event: Event) {
        switch event.kind {
        case .returned(let answer):
            guard let call = openCall, call.call == answer.call else { return }
            notice = Notice("\(call.line) \(symbols.arrow) \(answer.result)", isTrouble: !answer.result.isOK)
            openCall = nil
        case .node(let node, _, .failed(let failed)):
            notice = Notice("\(node): \(failed.reason)", isTrouble: true)
        case .command(let command):
            guard let before = command.takesBack else { return }
            notice = Notice("\(command.text): takes back \(before)")
        case .began: openCall = nil
        // In a trace it is the clock's own, that of the replay.
        case .clock(let clock) where clock.rate > 0: speed = clock.rate
        default: break
        }
    }

    // MARK: - Keys

    mutating func take(_ key: Key) -> [Effect] {
        if let effects = takeAnywhere(key) { return effects }
        switch mode {
        case .watching: return watch(key)
        case .prompt(let line, let recall):
            defer { reopenPage() }
            return prompt(key, line, recall)
        case .filter(let line): return filter(key, line)
        case .help(let line, let top): return help(key, line, top)
        case .link: return chooseLink(key)
        case .lessons(let place): return chooseLesson(key, place)
        case .page(let page): return take(key, on: page)
        }
    }

    private mutating func watch(_ key: Key) -> [Effect] {
        notice = Notice("")
        if key != .character("r") { wantsReset = false }
        guard case .character(let letter) = key else { return move(key) }
        if let number = letter.wholeNumberValue, letter.isASCII {
            if openLecture != nil, lecture?.guess(number) == true { return [] }
            if let node = NodeID(rawValue: UInt8(number)), picture[node] != nil { selected = node }
            return []
        }
        if let command = command(for: letter) {
            notice = Notice("\(command)")
            return perform(command)
        }
        switch letter {
        case "[": return changeSpeed(by: -1)
        case "]": return changeSpeed(by: 1)
        case "c", "r":
            guard past == nil else {
                notice = Notice(Model.pastNotice, isTrouble: true)
                return []
            }
            if letter == "c" {
                mode = .link
                return []
            }
            // One wrong key must not cost a lecture's cluster.
            guard wantsReset else {
                notice = Notice(
                    openLecture != nil
                        ? "r again begins the lesson anew"
                        : isReplay
                            ? "r again goes back to the beginning of the trace"
                            : "r again takes all disks away and starts the cluster anew")
                wantsReset = true
                return []
            }
            wantsReset = false
            if let lecture = openLecture { return [.lesson(lecture.name)] }
            return [.perform(.reset)]
        case ":": mode = .prompt(LineEditor(), Recall(place: history.count))
        case "/": mode = .filter(LineEditor(filter))
        case "?": mode = .help(LineEditor(), top: 0)
        case "e": explain()
        case "o": open(.options)
        case "!": open(.rules)
        case "a": open(.operations)
        case "s":
            guard !isReplay else { break }
            mode = .lessons(0)
        case "+": isZoomed.toggle()
        case "q": return [.quit]
        default:
            notice = Notice("no key '\(letter)': ? shows the keys", isTrouble: true)
        }
        return []
    }

    /// The command that a key stands for.
    private func command(for letter: Character) -> Command? {
        let node = NodeReference.node(selected)
        switch letter {
        case "x": return .nodes(picture[selected]?.isRunning == false ? .revive : .kill, [node])
        case "X": return .nodes(.kill, [.leader])
        case "P": return .nodes(.power, [node])
        case "w": return .nodes(.wipe, [node])
        case "z": return .nodes(picture[selected]?.isPaused == true ? .resume : .pause, [node])
        case "t": return .nodes(.timeout, [node])
        case "i": return .isolate(node)
        case "H": return .heal([])
        case "u": return .undo
        case " ", ".": return present.rate == 0 ? .thaw : .freeze
        default: return nil
        }
    }

    /// The speeds that the keys go through: each about three times the one before it.
    private static let speeds = [0.001, 1.0 / 300, 0.01, 1.0 / 30, 0.1, 1.0 / 3, 1, 2, 4]

    private mutating func changeSpeed(by step: Int) -> [Effect] {
        let speeds = Model.speeds
        let next = step > 0 ? speeds.first { $0 > speed * 1.01 } : speeds.last { $0 < speed * 0.99 }
        guard let next else {
            notice = Notice("the clock can't go any \(step > 0 ? "faster" : "slower")")
            return []
        }
        slowsTo = nil
        speed = next
        return [.perform(.speed(next))]
    }

    /// Moves through panes and in them.
    private mutating func move(_ key: Key) -> [Effect] {
        switch key {
        case .tab: changeFocus(by: 1)
        case .backTab: changeFocus(by: -1)
        case .up: focus == .events ? scrollEvents(by: 1) : select(by: -1)
        case .down: focus == .events ? scrollEvents(by: -1) : select(by: 1)
        case .pageUp: openLecture == nil ? scrollEvents(by: 10) : turnBack()
        case .pageDown:
            if openLecture != nil { return turnForward() }
            scrollEvents(by: -10)
        case .left: focus == .logs ? scrollLogs(by: 1) : lookBack(by: 1)
        case .right where focus == .logs: scrollLogs(by: -1)
        case .right:
            // At the end of what has happened, the next thing happens.
            if past == nil, !isReplay, present.rate == 0 { return [.perform(.step(1))] }
            lookForward(by: 1)
        case .home: focus == .logs ? scrollLogs(by: Int(longestLog)) : lookAtBeginning()
        case .end:
            entriesBack = 0
            lecture?.turnToLatest()
            returnToPresent()
        case .escape:
            if past == nil, !isZoomed, filter.isEmpty, openLecture != nil { return leaveLecture() }
            if past != nil {
                lecture?.turnToLatest()
                returnToPresent()
                return []
            }
            (isZoomed, filter, eventsBack) = (false, "", 0)
        case .enter: inspect()
        case .control("l"): return [.redraw]
        default: break
        }
        return []
    }

    /// Opens what there is to know of what has the focus.
    private mutating func inspect() {
        switch focus {
        case .nodes, .store: open(.node(selected))
        case .cluster: open(.messages)
        case .logs: open(.entries)
        case .events: explain()
        }
    }

    mutating func scrollLogs(by step: Int) {
        entriesBack = min(max(0, entriesBack + step), Int(longestLog))
    }

    private var longestLog: UInt64 { picture.nodes.map(\.log.last.rawValue).max() ?? 0 }

    private mutating func changeFocus(by step: Int) {
        let panes = Pane.allCases
        focus = panes[(focus.rawValue + step + panes.count) % panes.count]
    }

    private mutating func select(by step: Int) {
        guard let place = picture.nodes.firstIndex(where: { $0.id == selected }) else { return }
        selected = picture.nodes[(place + step + picture.nodes.count) % picture.nodes.count].id
    }

    mutating func scrollEvents(by step: Int) {
        eventsBack = min(max(0, eventsBack + step), max(0, shownLines.count - 1))
    }

    // MARK: - Links

    /// Takes the digit of a link's other end. A link goes from whole to cut, to cut one way, to cut the other way, and to
    /// whole again.
    private mutating func chooseLink(_ key: Key) -> [Effect] {
        guard case .character(let letter) = key, let number = letter.wholeNumberValue, letter.isASCII else {
            if key == .character("c") { return [] }
            // Any other key has done with links, and does what it always does.
            mode = .watching
            return key == .escape || key == .enter ? [] : watch(key)
        }
        guard let other = NodeID(rawValue: UInt8(clamping: number)), picture[other] != nil, other != selected else {
            notice = Notice("\(selected) has no link to n\(number)", isTrouble: true)
            return []
        }
        guard past == nil else {
            notice = Notice(Model.pastNotice, isTrouble: true)
            return []
        }
        notice = Notice("")
        let there = picture.link(from: selected, to: other).isCut
        let back = picture.link(from: other, to: selected).isCut
        let both = LinkReference(from: .node(selected), to: .node(other))
        let oneWay = LinkReference(from: .node(selected), to: .node(other), isBothWays: false)
        let otherWay = LinkReference(from: .node(other), to: .node(selected), isBothWays: false)
        switch (there, back) {
        case (false, false): return [.perform(.cut([both]))]
        case (true, true): return [.perform(.heal([otherWay]))]
        case (true, false): return [.perform(.heal([oneWay])), .perform(.cut([otherWay]))]
        case (false, true): return [.perform(.heal([otherWay]))]
        }
    }

    // MARK: - Filter and help

    private mutating func filter(_ key: Key, _ line: LineEditor) -> [Effect] {
        var line = line
        switch key {
        case .enter: mode = .watching
        case .escape:
            filter = ""
            mode = .watching
        default:
            guard line.take(key) else { return [] }
            filter = line.line
            eventsBack = 0
            mode = .filter(line)
        }
        return []
    }

    private mutating func help(_ key: Key, _ line: LineEditor, _ top: Int) -> [Effect] {
        var line = line
        let last = helpScroll(matching: line.line)
        switch key {
        case .escape, .enter: mode = .watching
        case .character("?") where line.text.isEmpty, .character("q") where line.text.isEmpty: mode = .watching
        case .down: mode = .help(line, top: min(top + 1, last))
        case .up: mode = .help(line, top: max(0, min(top, last) - 1))
        case .pageDown: mode = .help(line, top: min(top + helpPage, last))
        case .pageUp: mode = .help(line, top: max(0, min(top, last) - helpPage))
        default:
            if line.take(key) { mode = .help(line, top: 0) }
        }
        return []
    }
}

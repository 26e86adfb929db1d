import RaftAudit
import RaftTrace
import RaftAudit
import Script

/// What the help shows: the keys that work, and the commands.
enum Help {
    /// A key and what it does.
    struct Item {
        var keys: String
        var sentence: String
    }

    /// The keys, by what they are for.
    static let chapters: [(title: String, items: [Item])] = [
        (
            "Nodes",
            [
                Item(keys: "1–9", sentence: "select a node"),
                Item(keys: "x", sentence: "kill it, or revive it"),
                Item(keys: "X", sentence: "kill the leader"),
                Item(keys: "P", sentence: "cut its power: what was not synced is lost"),
                Item(keys: "w", sentence: "wipe its disk; u brings it back"),
                Item(keys: "z", sentence: "pause it, or let it go on"),
                Item(keys: "t", sentence: "let it campaign now"),
            ]
        ),
        (
            "Links",
            [
                Item(keys: "c N N …", sentence: "cut its link to N; again: one way, other, whole"),
                Item(keys: "i", sentence: "isolate it"),
                Item(keys: "H", sentence: "heal all links"),
            ]
        ),
        (
            "Time",
            [
                Item(keys: "Space .", sentence: "freeze the clock, or let it go on"),
                Item(keys: "[ ]", sentence: "slower, faster"),
                Item(keys: "left", sentence: "look back by one event, while the cluster does as it likes"),
                Item(keys: "right", sentence: "look forward; when all is frozen now: the next thing happens"),
                Item(keys: "Home End", sentence: "look at the first event that is kept; at what is now"),
            ]
        ),
        (
            "Pages",
            [
                Item(keys: "e", sentence: "why: what led to the last event that is shown"),
                Item(keys: "Enter", sentence: "all of a node; in Cluster messages, in Logs entries, in Events why"),
                Item(keys: "a", sentence: "what clients asked and were told, promises, outages"),
                Item(keys: "!", sentence: "the rules, and which was at work last; x keeps or breaks one"),
                Item(keys: "o", sentence: "the options of the protocol"),
            ]
        ),
        (
            "Lessons",
            [
                Item(keys: "s", sentence: "list the lessons, or take up the one that was left"),
                Item(keys: "Page Down", sentence: "go on with the lesson, or show the answer"),
                Item(keys: "Page Up", sentence: "back to the step before, as the cluster was then"),
                Item(keys: "1–9", sentence: "while it asks: what the audience guesses"),
                Item(keys: "Esc", sentence: "leave it, and play freely"),
                Item(keys: "r r", sentence: "begin it anew"),
            ]
        ),
        (
            "Session",
            [
                Item(keys: "u", sentence: "undo the last fault"),
                Item(keys: "r r", sentence: "reset: the same cluster, fresh"),
                Item(keys: ":", sentence: "type a command; Tab completes, arrows recall"),
                Item(keys: "/", sentence: "filter the events; Esc shows all again"),
                Item(keys: "Tab", sentence: "go to the next pane"),
                Item(keys: "+", sentence: "give the pane the whole screen, or its place again"),
                Item(keys: "arrows", sentence: "up and down: nodes, or events; left and right in Logs: entries"),
                Item(keys: "y", sentence: "copy the chosen line, or the last event"),
                Item(keys: "Y", sentence: "copy all of a page"),
                Item(keys: "click", sentence: "select a node, an event, a line; again: open"),
                Item(keys: "wheel", sentence: "scroll what is below it"),
                Item(keys: "m", sentence: "leave the mouse to the terminal, or take it"),
                Item(keys: "Shift", sentence: "held, mostly lets the mouse select text"),
                Item(keys: "b", sentence: "big type, for the last row of a hall"),
                Item(keys: "T", sentence: "colours: dark, light, contrast, mono"),
                Item(keys: "Ctrl-L", sentence: "draw the screen anew"),
                Item(keys: "?", sentence: "this help"),
                Item(keys: "q", sentence: "quit"),
            ]
        ),
    ]

    /// The lines of the help that contain `filter`, each a heading or what is on its left and right.
    static func lines(matching filter: String, _ model: Model) -> [(left: String, right: String, isHeading: Bool)] {
        let wanted = filter.lowercased()
        func matches(_ item: Item) -> Bool {
            wanted.isEmpty || "\(item.keys) \(item.sentence)".lowercased().contains(wanted)
        }
        let commands = Catalogue.Chapter.allCases.map { chapter in
            (
                title: chapter == .conditions ? chapter.rawValue : "Commands: \(chapter.rawValue.lowercased())",
                items: (Catalogue.items + Catalogue.conditions).filter { $0.chapter == chapter }.map {
                    Item(keys: $0.arguments.isEmpty ? $0.name : "\($0.name) \($0.arguments)", sentence: $0.sentence)
                }
            )
        }
        let signs = (title: "Signs", items: signs(model.symbols))
        let all = chapters.map { (title: "Keys: \($0.title.lowercased())", items: $0.items) } + [signs] + commands
        return all.flatMap { chapter -> [(left: String, right: String, isHeading: Bool)] in
            let items = chapter.items.filter(matches)
            guard !items.isEmpty else { return [] }
            return [(chapter.title, "", true)] + items.map { ($0.keys, $0.sentence, false) }
        }
    }

    /// What the panes draw with.
    private static func signs(_ symbols: Symbols) -> [Item] {
        let isASCII = symbols.isASCII
        return [
            Item(
                keys: isASCII ? "o * % ?" : "○ ★ ◐ ◔",
                sentence: "a follower, leader, candidate; one that asks first (PreVote)"),
            Item(keys: isASCII ? ", x = !" : "◌ ✕ ‖ !", sentence: "a learner; a node that is down, paused, halted"),
            Item(keys: symbols.cut, sentence: "a link that is cut, in its middle"),
            Item(keys: "\(symbols.cut)1>2", sentence: "cut one way: nothing gets from n1 to n2, but from n2 to n1"),
            Item(keys: "\(symbols.held)1>2", sentence: "messages from n1 to n2 wait, until release"),
            Item(keys: isASCII ? "@ . + !" : "● ◦ ◂ ◃", sentence: "append, heartbeat; accepted, refused"),
            Item(keys: isASCII ? "? y n" : "? ✓ ✗", sentence: "a vote is asked for, given, refused"),
            Item(
                keys: isASCII ? "# - r R >" : "▣ ◁ ◇ ◆ »",
                sentence: "snapshot, its answer; read index, its answer; hand-over"),
        ]
    }

    /// The keys that work while a trace is shown.
    private static func replayKeys(isFrozen: Bool) -> [Item] {
        [
            Item(keys: "Space", sentence: isFrozen ? "go on" : "stop"), Item(keys: "[ ]", sentence: "speed"),
            Item(keys: "r r", sentence: "back to the beginning"), Item(keys: "Tab", sentence: "next pane"),
            Item(keys: "?", sentence: "help"), Item(keys: "q", sentence: "quit"),
        ]
    }

    private static let pastLectureKeys = [
        Item(keys: "Page Down", sentence: "on"), Item(keys: "Page Up", sentence: "back"),
    ]

    /// The keys that work while a lesson is presented.
    private static func lectureKeys(isFrozen: Bool) -> [Item] {
        [
            Item(keys: "Page Down", sentence: "on"), Item(keys: "Page Up", sentence: "back"),
            Item(keys: ".", sentence: isFrozen ? "thaw" : "freeze"), Item(keys: "[ ]", sentence: "speed"),
            Item(keys: "Esc", sentence: "leave"), Item(keys: ":", sentence: "command"),
            Item(keys: "?", sentence: "help"), Item(keys: "q", sentence: "quit"),
        ]
    }

    /// The keys that work while somebody looks back.
    private static let pastKeys = [
        Item(keys: "left right", sentence: "event by event"), Item(keys: "Home", sentence: "first"),
        Item(keys: "End", sentence: "now"), Item(keys: "/", sentence: "filter"), Item(keys: "?", sentence: "help"),
        Item(keys: "q", sentence: "quit"),
    ]

    /// The keys that work now, for the last line of the screen.
    static func footer(_ model: Model) -> [Item] {
        if model.past != nil { return model.openLecture == nil ? pastKeys : pastLectureKeys + pastKeys }
        if model.isReplay { return replayKeys(isFrozen: model.picture.rate == 0) }
        if model.openLecture != nil { return lectureKeys(isFrozen: model.present.rate == 0) }
        let isDown = model.picture[model.selected]?.isRunning == false
        let isPaused = model.picture[model.selected]?.isPaused == true
        let isFrozen = model.picture.rate == 0
        let isCut = model.picture.links.values.contains(where: \.isCut)
        var items = [Item(keys: ":", sentence: "command"), Item(keys: "x", sentence: isDown ? "revive" : "kill")]
        if !isDown { items.append(Item(keys: "z", sentence: isPaused ? "resume" : "pause")) }
        items.append(Item(keys: "c", sentence: "cut"))
        if isCut { items.append(Item(keys: "H", sentence: "heal")) }
        // The time of processes that are only watched passes as it does.
        if !model.audit.isMidway {
            items += [
                Item(keys: "s", sentence: "lessons"), Item(keys: "Space", sentence: isFrozen ? "thaw" : "freeze"),
                Item(keys: "[ ]", sentence: "speed"),
            ]
        }
        items += [
            Item(keys: "u", sentence: "undo"), Item(keys: "?", sentence: "help"), Item(keys: "q", sentence: "quit"),
        ]
        return items
    }
}

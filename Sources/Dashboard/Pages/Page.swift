import Canvas
import Laboratory
import RaftCore
import RaftTrace

/// A page that opens over the panes: a list to go through, about one thing. What it says is made anew whenever it is drawn,
/// from what is known at the moment that the screen shows.
struct Page: Sendable {
    /// What it is about.
    enum Subject: Hashable, Sendable {
        /// Everything that is known of a server.
        case node(NodeID)
        /// The messages that are on their way.
        case messages
        /// A message, field by field, and the place of the event that it was sent; `nil` where that is no longer kept.
        case message(UInt64, sentAt: Int?)
        /// The entries of all logs: who has them, and for whom they are.
        case entries
        /// What clients asked, and what they were told.
        case operations
        /// The options of the protocol.
        case options
        /// The rules of the protocol, and which of them was at work last.
        case rules
        /// Why something happened: the places in the timeline of an event and of what led to it, the latest first.
        case why([Int])
    }

    /// A line of a page.
    struct Line: Sendable {
        /// What stands there, in pieces of their own looks.
        var pieces: [(text: String, style: Style)]
        /// What Enter does with it.
        var action: Action?

        init(_ text: String, _ style: Style = .plain, action: Action? = nil) {
            pieces = [(text, style)]
            self.action = action
        }

        init(_ pieces: [(String, Style)], action: Action? = nil) {
            self.pieces = pieces.map { ($0.0, $0.1) }
            self.action = action
        }

        /// A line above others.
        static func heading(_ text: String) -> Line { Line(text, Style(.sky, isBold: true)) }

        /// A name, and what there is of it.
        static func fact(_ name: String, _ value: String, _ style: Style = .plain, action: Action? = nil) -> Line {
            Line([(Page.padded(name, to: 18), .faint), (value, style)], action: action)
        }
    }

    /// What a line can do.
    enum Action: Hashable, Sendable {
        /// Another page is opened.
        case open(Subject)
        /// The message of this number is shown, field by field.
        case inspect(UInt64)
        /// What led to the event at this place is shown.
        case explain(Int)
        /// The screen shows the moment after the event at this place.
        case look(Int)
        /// A command is carried out.
        case perform(Command)
        /// A line is put at the prompt, to be finished there.
        case type(String)
    }

    var subject: Subject
    /// Which line is chosen.
    var chosen = 0
    /// The pages that it was opened from, the latest last.
    var earlier: [Subject] = []

    /// The keys that do something with a message.
    static let messageKeys: Set<Character> = ["d", "x", "D", "h"]

    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - Glyph.width(of: text)))
    }
}

extension Model {
    /// What the page says now.
    func lines(of subject: Page.Subject, columns: Int) -> [Page.Line] {
        switch subject {
        case .node(let node): nodeLines(node)
        case .messages: messagesLines
        case .message(let number, let place): messageLines(number, sentAt: place, columns: columns)
        case .entries: entryLines
        case .operations: operationLines(columns: columns)
        case .options: optionLines
        case .rules: ruleLines
        case .why(let places): whyLines(places, columns: columns)
        }
    }

    func title(of subject: Page.Subject) -> String {
        switch subject {
        case .node(let node): "\(node)"
        case .messages: "Messages on their way"
        case .message(let number, _): "Message #\(number)"
        case .entries: "Entries"
        case .operations: "Clients"
        case .options: "Options"
        case .rules: "Rules"
        case .why: "Why"
        }
    }

    /// What the signs on a page mean, where it has some of its own.
    private func legend(on subject: Page.Subject) -> String {
        guard case .rules = subject else { return "" }
        return "\(symbols.tick) kept, \(symbols.atWork) at work just now, OFF switched off"
    }

    /// What can be done on a page, besides going through it.
    func hint(on subject: Page.Subject) -> String {
        switch subject {
        case .node: "Enter opens, Esc closes"
        case .messages, .message: "d deliver, x drop, D double, h hold its link, Enter all of it, Esc closes"
        case .entries: "Esc closes"
        case .operations: "Enter: what led to the answer, Esc closes"
        case .options: "Enter changes, Esc closes"
        case .rules: "Enter: where it was at work, x keeps or breaks it, Esc closes"
        case .why: "Enter goes to that moment, Esc closes"
        }
    }

    // MARK: - Keys

    mutating func open(_ subject: Page.Subject) {
        var earlier: [Page.Subject] = []
        if case .page(let page) = mode { earlier = page.earlier + [page.subject] }
        mode = .page(Page(subject: subject, earlier: earlier))
    }

    mutating func take(_ key: Key, on page: Page) -> [Effect] {
        var page = page
        let lines = laidOut(page).lines
        let last = max(0, lines.count - 1)
        page.chosen = min(page.chosen, last)
        let chosen = lines.indices.contains(page.chosen) ? lines[page.chosen] : nil
        switch key {
        case .up: page.chosen = max(0, page.chosen - 1)
        case .down: page.chosen = min(last, page.chosen + 1)
        case .pageUp: page.chosen = max(0, page.chosen - 10)
        case .pageDown: page.chosen = min(last, page.chosen + 10)
        case .home: page.chosen = 0
        case .end: page.chosen = last
        case .left: lookBack(by: 1)
        case .right: lookForward(by: 1)
        case .escape, .backspace, .character("q"):
            close(page)
            return []
        case .enter: return chosen?.action.map { carryOut($0, page) } ?? []
        case .character(let letter): return take(letter, on: page, chosen)
        default: break
        }
        mode = .page(page)
        return []
    }

    /// Goes back to the page over which a line was typed, once it is.
    mutating func reopenPage() {
        if case .prompt = mode { return }
        if case .watching = mode, let page = pageBehind { mode = .page(page) }
        pageBehind = nil
    }

    private mutating func close(_ page: Page) {
        guard let before = page.earlier.last else {
            mode = .watching
            return
        }
        mode = .page(Page(subject: before, earlier: page.earlier.dropLast()))
    }

    private mutating func carryOut(_ action: Page.Action, _ page: Page) -> [Effect] {
        switch action {
        case .open(let subject): open(subject)
        case .inspect(let number):
            // Looked for once: it may be far back.
            open(.message(number, sentAt: timeline.lastIndex { $0.isSending(of: number) }))
        case .explain(let place):
            guard timeline.indices.contains(place) else {
                notice = Notice("that is too long ago: nothing is kept of what led to it")
                return []
            }
            open(.why(causes(of: place)))
        case .look(let place):
            mode = .watching
            look(at: place)
        case .perform(let command): return perform(command)
        case .type(let line): mode = .prompt(LineEditor(line), Recall(place: history.count))
        }
        return []
    }

    /// Takes a letter; those that mean nothing here do what they always do.
    private mutating func take(_ letter: Character, on page: Page, _ chosen: Page.Line?) -> [Effect] {
        switch (page.subject, letter) {
        case (.messages, _) where Page.messageKeys.contains(letter):
            guard case .inspect(let number)? = chosen?.action else { return [] }
            return handle(number, letter)
        case (.message(let number, _), _) where Page.messageKeys.contains(letter): return handle(number, letter)
        case (.rules, "x"): return switchRule(page.chosen)
        case (_, " "), (_, "."): return [.perform(present.rate == 0 ? .thaw : .freeze)]
        case (_, ":"):
            pageBehind = page
            mode = .prompt(LineEditor(), Recall(place: history.count))
            return []
        case (_, "["), (_, "]"), (_, "u"), (_, "?"), (_, "!"), (_, "o"), (_, "s"), (_, "a"), (_, "e"):
            mode = .watching
            return take(.character(letter))
        default: return []
        }
    }

    // MARK: - Drawing

    func pagePane(_ pane: Size, _ page: Page, _ lines: [Page.Line]) -> Canvas {
        var canvas = Canvas(pane)
        let style = Style(.sky, isBold: true)
        canvas.frame(
            symbols.focusFrame, title: title(of: page.subject), note: legend(on: page.subject), style: style,
            titleStyle: style)
        let rows = canvas.inside.rows
        let chosen = min(page.chosen, max(0, lines.count - 1))
        let top = Model.top(chosen: chosen, rows: rows, count: lines.count)
        for (place, line) in lines.enumerated().dropFirst(top).prefix(rows) {
            draw(line, row: 1 + place - top, isChosen: place == chosen, on: &canvas)
        }
        if lines.isEmpty { canvas.write("there is nothing to show yet", row: 1, column: 2, style: .faint) }
        return canvas
    }

    /// The first line of a page that is shown: the one that is chosen stands in the middle.
    static func top(chosen: Int, rows: Int, count: Int) -> Int {
        max(0, min(min(chosen, max(0, count - 1)) - rows / 2, count - rows))
    }

    private func draw(_ line: Page.Line, row: Int, isChosen: Bool, on canvas: inout Canvas) {
        let edge = canvas.size.columns - 2
        if isChosen { canvas.write(symbols.selection, row: row, column: 1, style: Style(.sky, isBold: true)) }
        var column = 2
        for piece in line.pieces where column < edge {
            let width = Glyph.width(of: piece.text)
            canvas.write(
                piece.text, row: row, column: column, style: piece.style, limit: edge - column,
                cutMark: symbols.ellipsis)
            column += width
        }
        if isChosen, line.action != nil {
            canvas.restyle(row: row, columns: 2..<edge) { $0.isUnderlined = true }
        }
    }
}

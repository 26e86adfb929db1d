import Laboratory

// A page for those who watch a lesson.

extension Lesson {
    /// A page for students, in Markdown: what the lesson tells, with room to draw the logs, and its questions without
    /// their answers.
    ///
    /// - Throws: ``ScriptError`` where the script can't be read, which is a mistake in the program.
    public var worksheet: String {
        get throws(ScriptError) { try script().worksheet }
    }
}

extension Script {
    /// The script's page for students; see ``Lesson/worksheet``.
    var worksheet: String {
        var page = Page()
        page.add("# \(title.map(Page.escaped) ?? "A lesson")")
        if let source { page.add(source, after: "Source: ") }
        page.add("Name:", after: "")
        page.add("## The story")
        tell(on: &page)
        page.add("## Questions")
        for (place, question) in questions.enumerated() { page.add(question, number: place + 1) }
        return page.text
    }

    /// The questions, in the order in which they are asked.
    private var questions: [Question] {
        statements.compactMap { if case .ask(let question) = $0.kind { question } else { nil } }
    }

    /// The sentences as steps; where a question comes, its number, and at the first of them a table to draw in.
    private func tell(on page: inout Page) {
        var steps = 0
        var asked = 0
        var isAnswerNext = false
        for statement in statements {
            switch statement.kind {
            case .say(let sentence):
                steps += 1
                // The sentence after a question says what the answer is.
                page.add(isAnswerNext ? Page.lines : sentence, after: "\(steps). ")
                isAnswerNext = false
            case .ask:
                asked += 1
                isAnswerNext = true
                guard asked <= Page.drawingsMax, let nodes else {
                    page.add("Now comes question \(asked).", after: "")
                    continue
                }
                page.add("Now comes question \(asked). Draw the logs as they are before you answer it:", after: "")
                page.addTable(nodes: nodes, entries: max(Page.entriesMin, longestLog + 1))
            default: break
            }
        }
    }

    /// How many entries a disk holds at most before the servers start.
    private var longestLog: Int {
        statements.map { if case .boot(let boot) = $0.kind { boot.log.count } else { 0 } }.max() ?? 0
    }
}

/// A page of Markdown, whose prose is wrapped.
private struct Page {
    /// At how many questions there is room to draw the logs.
    static let drawingsMax = 3
    /// How many entries of a log there is room for, at least.
    static let entriesMin = 8
    private static let columnsMax = 80
    /// Room to write down what is to be seen.
    static let lines = "What do you see? ........................................................."

    private var blocks: [String] = []

    /// The page, with an empty line between its parts.
    var text: String { blocks.joined(separator: "\n\n") + "\n" }

    /// Adds a line as it is.
    mutating func add(_ line: String) { blocks.append(line) }

    /// Adds prose that begins after `mark`; its other lines stand under its first word.
    mutating func add(_ prose: String, after mark: String) { blocks.append(Page.wrapped(prose, after: mark)) }

    /// Adds a question, with a box to tick for each choice.
    mutating func add(_ question: Question, number: Int) {
        let mark = "\(number). "
        let indent = String(repeating: " ", count: mark.count)
        let boxes = question.choices.map { Page.wrapped($0, after: "\(indent)- [ ] ", indent: mark.count + 2) }
        blocks.append(Page.wrapped(question.sentence, after: mark) + "\n\n" + boxes.joined(separator: "\n"))
    }

    /// Adds an empty table: a row for each server's log, a column for each index.
    mutating func addTable(nodes: Int, entries: Int) {
        func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let columns = (1...entries).map { $0 < 10 ? " \($0)" : "\($0)" }
        var lines = [row(["node"] + columns), row(["----"] + columns.map { _ in "--" })]
        for node in 1...nodes { lines.append(row(["n\(node)  "] + columns.map { _ in "  " })) }
        blocks.append(lines.joined(separator: "\n"))
    }

    /// `prose` in lines that are no longer than the page is wide, the first after `mark`, the others as far in as `indent`
    /// says, which is the mark's width unless said.
    private static func wrapped(_ prose: String, after mark: String, indent: Int? = nil) -> String {
        let margin = String(repeating: " ", count: indent ?? mark.count)
        var lines: [String] = []
        var line = mark
        var isEmpty = true
        for word in escaped(prose).split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > columnsMax {
                lines.append(line)
                line = margin
                isEmpty = true
            }
            line += isEmpty ? beginning(String(word)) : " \(word)"
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n")
    }

    /// `text` without any sign that Markdown would take for its own.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for letter in text {
            if "\\`*_[]<>#|~&".contains(letter) { escaped.append("\\") }
            escaped.append(letter)
        }
        return escaped
    }

    /// A word at the beginning of a line, where Markdown would take `1.` and `-` for an item of a list.
    private static func beginning(_ word: String) -> String {
        if ["-", "+"].contains(word) { return "\\\(word)" }
        guard let last = word.last, last == "." || last == ")", word.dropLast().allSatisfy(\.isNumber) else {
            return word
        }
        return "\(word.dropLast())\\\(last)"
    }
}

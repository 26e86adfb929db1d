import Canvas
import RaftTrace

// Copying: what is chosen goes into the terminal's clipboard, as it is shown.

extension Model {
    /// Copies the line that is chosen on a page or in the list of lessons, otherwise the last event that is shown.
    mutating func copy() -> [Effect] {
        switch mode {
        case .page(let page):
            let lines = pageText(page)
            return copy(lines.isEmpty ? "" : lines[min(page.chosen, lines.count - 1)])
        case .lessons(let chosen):
            let line = lessonLines[chosen]
            return copy(line.name.map { "\($0): \(line.title)" } ?? line.title)
        case .watching, .link, .prompt, .filter, .help: return copy(visibleLines(rows: 1).last?.text ?? "")
        }
    }

    /// Copies all of the page that is open, and its title.
    mutating func copyPage() -> [Effect] {
        guard case .page(let page) = mode else {
            notice = Notice("Y copies all of a page, and none is open", isTrouble: true)
            return []
        }
        let lines = [title(of: page.subject)] + pageText(page)
        notice = Notice("copied: \(lines.count.of("line", "lines"))")
        return [.copy(lines.map { Model.shown($0) + "\n" }.joined())]
    }

    private func pageText(_ page: Page) -> [String] {
        laidOut(page).lines.map { line in
            var text = line.pieces.map(\.text).joined()
            while text.last == " " { text.removeLast() }
            return text
        }
    }

    private mutating func copy(_ text: String) -> [Effect] {
        guard !text.isEmpty else {
            notice = Notice("there is nothing to copy")
            return []
        }
        let shown = Model.shown(text)
        notice = Notice("copied: \(shown)")
        return [.copy(shown)]
    }

    /// A text as it is shown: it must not do to another program what it can't do to the screen.
    private static func shown(_ text: String) -> String { Glyph.all(in: text).map(\.text).joined() }
}

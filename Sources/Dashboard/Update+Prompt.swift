import Canvas
import Laboratory
import RaftTrace
import Script

// The prompt: typing, history, completion.

extension Model {
    mutating func prompt(_ key: Key, _ line: LineEditor, _ recall: Recall) -> [Effect] {
        var (line, recall) = (line, recall)
        if key != .tab { (recall.candidates, recall.candidate) = ([], nil) }
        switch key {
        case .enter: return submit(line.line)
        case .escape, .control("g"):
            mode = .watching
            return []
        case .backspace where line.text.isEmpty:
            mode = .watching
            return []
        case .up, .control("p"): recallLine(recall.place - 1, &line, &recall)
        case .down, .control("n"): recallLine(recall.place + 1, &line, &recall)
        case .tab: complete(&line, &recall)
        default: _ = line.take(key)
        }
        mode = .prompt(line, recall)
        return []
    }

    private func recallLine(_ place: Int, _ line: inout LineEditor, _ recall: inout Recall) {
        guard (0...history.count).contains(place), place != recall.place else { return }
        if recall.place == history.count { recall.draft = line.line }
        recall.place = place
        line = LineEditor(place == history.count ? recall.draft : history[place])
    }

    /// Goes as far as all candidates agree; pressed again, goes through them.
    private func complete(_ line: inout LineEditor, _ recall: inout Recall) {
        if let candidate = recall.candidate, !recall.candidates.isEmpty {
            let next = (candidate + 1) % recall.candidates.count
            line.complete(replacing: recall.candidates[candidate].count, with: recall.candidates[next])
            recall.candidate = next
            return
        }
        let completion = Completion(of: line.head, in: present)
        guard let first = completion.candidates.first else { return }
        if completion.candidates.count == 1 {
            line.complete(replacing: completion.typed.count, with: first + " ")
        } else if completion.common.count > completion.typed.count {
            line.complete(replacing: completion.typed.count, with: completion.common)
        } else {
            line.complete(replacing: completion.typed.count, with: first)
            (recall.candidates, recall.candidate) = (completion.candidates, 0)
        }
    }

    private mutating func submit(_ text: String) -> [Effect] {
        mode = .watching
        do throws(ScriptError) {
            guard let line = try PromptLine(parsing: text, nodes: present.nodes.count) else { return [] }
            return remember(text) + carryOut(line)
        } catch {
            // The line stays, the cursor where it went wrong, so that only the mistake is to be typed again.
            let head = String(String.UnicodeScalarView(text.unicodeScalars.prefix(error.column - 1)))
            var editor = LineEditor(text)
            while editor.cursor > head.count { _ = editor.take(.left) }
            mode = .prompt(editor, Recall(place: history.count))
            notice = Notice(error.description, isTrouble: true)
            return []
        }
    }

    private mutating func remember(_ text: String) -> [Effect] {
        guard history.last != text else { return [] }
        history.append(text)
        return [.remember(text)]
    }

    private mutating func carryOut(_ line: PromptLine) -> [Effect] {
        notice = Notice("")
        switch line {
        case .command(let command):
            if case .speed(let rate) = command {
                speed = rate
                slowsTo = nil
            }
            return perform(command)
        case .expect(let condition):
            let holds = condition.holds(for: witness)
            notice = Notice(holds ? "yes: \(condition)" : "no: \(condition.actual(for: witness))", isTrouble: !holds)
        case .say(let sentence): feed.say("» \(sentence)", at: presentNow, weight: .important)
        case .lesson(let name):
            if let name { return [.lesson(name)] }
            mode = .lessons(0)
        case .next: return turnForward()
        case .previous: turnBack()
        case .back(let count): lookBack(by: count)
        case .why: explain()
        case .live: returnToPresent()
        case .screenshot(let path): return [.screenshot(path)]
        case .save(let path): return [.save(path)]
        case .record(let path): return [.record(path)]
        case .help(let filter): mode = .help(LineEditor(filter), top: 0)
        case .quit: return [.quit]
        }
        return []
    }
}

import Canvas
import RaftCore

// The mouse: what is pointed at is chosen, and what is chosen already is opened.

extension Model {
    mutating func take(_ mouse: Mouse) -> [Effect] {
        let target = target(row: mouse.row, column: mouse.column)
        switch mouse.action {
        case .press: return press(target)
        case .wheelUp: return turnWheel(.up, over: target)
        case .wheelDown: return turnWheel(.down, over: target)
        }
    }

    private mutating func press(_ target: Target?) -> [Effect] {
        switch mode {
        // A line that is being typed goes on.
        case .prompt, .filter, .help: return []
        case .link:
            guard case .node(let node, _) = target else { return [] }
            return take(.character(Character("\(node.rawValue)")))
        case .watching, .page, .lessons: break
        }
        (notice, wantsReset) = (Notice(""), false)
        switch target {
        case .node(let node, let pane):
            focus = pane
            if node == selected { open(.node(node)) } else { selected = node }
        case .event(let place):
            focus = .events
            look(at: place)
        case .moment(let place):
            if place == timeline.end - 1 { returnToPresent() } else { look(at: place) }
        case .pane(let pane): focus = pane
        case .line(let number):
            guard case .page(var page) = mode else { break }
            if page.chosen == number { return take(.enter) }
            page.chosen = number
            mode = .page(page)
        case .lesson(let number):
            guard case .lessons(let chosen) = mode else { break }
            if chosen == number { return take(.enter) }
            mode = .lessons(number)
        case .help, nil: break
        }
        return []
    }

    /// How many lines the wheel scrolls at a time.
    private static let wheelLines = 3

    private mutating func turnWheel(_ key: Key, over target: Target?) -> [Effect] {
        let isUp = key == .up
        switch target {
        case .event, .pane(.events): scrollEvents(by: isUp ? Model.wheelLines : -Model.wheelLines)
        case .pane(.logs): scrollLogs(by: isUp ? Model.wheelLines : -Model.wheelLines)
        case .moment: isUp ? lookBack(by: 1) : lookForward(by: 1)
        case .line, .help: for _ in 0..<Model.wheelLines { _ = take(key) }
        case .lesson(_):
            // Unlike the arrows it stops at the ends.
            guard case .lessons(let chosen) = mode else { break }
            mode = .lessons(min(max(0, chosen + (isUp ? -1 : 1)), lessonLines.count - 1))
        case .node, .pane, nil: break
        }
        return []
    }

    /// Lets the terminal tell what its mouse does, or not.
    mutating func toggleMouse() {
        switch taste.mouse {
        case .none: notice = Notice("this terminal says nothing of a mouse", isTrouble: true)
        case .off:
            taste.mouse = .on
            notice = Notice("the mouse points: a click selects, a second one opens; m: it selects text")
        case .on:
            taste.mouse = .off
            notice = Notice("the mouse selects text, as the terminal does it; m: it points again")
        }
    }
}

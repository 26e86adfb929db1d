import Canvas
import RaftTrace
import Script

// What a lesson tells its audience, below the first line; and the list of lessons.

extension Model {
    /// How many rows a lesson's pane has; none where no lesson is on the screen. What takes more than is usual gets it as
    /// far as there is room: a question without its last choice is none.
    var lectureRows: Int {
        guard openLecture != nil else { return 0 }
        let most = max(size.rows >= 28 ? 9 : 7, body.rows - 12)
        return min(max(3, lectureLines(columns: size.columns - 4).count) + 2, most)
    }

    func lecturePane(_ pane: Size) -> Canvas {
        guard let lecture = openLecture else { return Canvas(pane) }
        let step = "\(min(lecture.shown + 1, lecture.slideCount)) of \(lecture.slideCount)"
        let title = lecture.isSilent ? lecture.title : "\(lecture.title) \(symbols.separator) \(step)"
        let keys =
            lecture.isSilent && lecture.ending == nil
            ? "it plays by itself, Esc: leave" : "Page Down: on, Page Up: back, Esc: leave"
        var canvas = Canvas(pane)
        let style = Style(.sky, isBold: true)
        canvas.frame(
            symbols.focusFrame, title: title,
            note: pane.columns >= 70 ? keys : "",
            style: style, titleStyle: style)
        for (place, line) in lectureLines(columns: pane.columns - 4).prefix(canvas.inside.rows).enumerated() {
            canvas.write(line.text, row: 1 + place, column: 2, style: line.style, limit: pane.columns - 4)
        }
        return canvas
    }

    /// What the lesson says, as lines of so many columns.
    func lectureLines(columns: Int) -> [(text: String, style: Style)] {
        guard let lecture = openLecture else { return [] }
        func lines(_ text: String, _ style: Style) -> [(text: String, style: Style)] {
            Glyph.wrapped(text, columns: columns).map { ($0, style) }
        }
        if lecture.isAtLatest, let ending = lecture.ending {
            return lines(ending.text, ending.isTrouble ? Style(.vermilion, isBold: true) : Style(.green, isBold: true))
                + lines("Page Down closes this; the cluster stays, to play with.", .faint)
        }
        var work = lecture.isWorking ? lines("\(symbols.ellipsis) \(lecture.work ?? "")", .faint) : []
        if lecture.waitsLong(at: presentNow, rate: present.rate) {
            work += lines(
                "This takes long: where the cluster isn't as the lesson left it, r r begins the lesson anew.",
                Style(.orange))
        }
        switch lecture.slide {
        case .sentence(let text)?: return lines(text, .plain.bold) + work
        case .question(let question, let isAnswered)?:
            let choices = question.choices.enumerated().flatMap { place, choice in
                let isRight = isAnswered && place + 1 == question.answer
                let mark = lecture.guess == place + 1 ? symbols.selection : " "
                let style: Style = isRight ? Style(.green, isBold: true) : isAnswered ? .faint : .plain
                let text = "\(place + 1) \(choice)\(isRight ? " \(symbols.tick)" : "")"
                return Glyph.wrapped(text, columns: columns - 2).enumerated().map { line, text in
                    ((line == 0 ? mark + " " : "  ") + text, style)
                }
            }
            return lines(question.sentence, Style(.yellow, isBold: true)) + choices + work
        case nil: return work
        }
    }

    /// The first line of the list that is shown.
    static func lessonsTop(chosen: Int, rows: Int, count: Int) -> Int { max(0, min(chosen - rows + 1, count - rows)) }

    func lessonsPane(_ pane: Size, chosen: Int) -> Canvas {
        var canvas = framed(nil, pane, title: "Lessons")
        let lines = lessonLines
        let top = Model.lessonsTop(chosen: chosen, rows: canvas.inside.rows, count: lines.count)
        for (place, line) in lines.enumerated().dropFirst(top).prefix(canvas.inside.rows) {
            let row = 1 + place - top
            let style: Style = place == chosen ? .plain.reversed : .plain
            canvas.fill(row: row, columns: 1..<pane.columns - 1, style: style)
            let name = line.name ?? symbols.arrow
            canvas.write(name, row: row, column: 2, style: style.bold, limit: 22)
            canvas.write(
                line.title, row: row, column: 25, style: style, limit: pane.columns - 27, cutMark: symbols.ellipsis)
        }
        return canvas
    }
}

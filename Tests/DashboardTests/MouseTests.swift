import Bench
import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import Dashboard

struct MouseTests {
    /// Where a text stands on the screen, the first time below `row`.
    private func place(of text: String, in stage: Stage, below row: Int = -1) throws -> (row: Int, column: Int) {
        let canvas = stage.model.view().canvas
        let cells = Glyph.all(in: text).map(\.text)
        for row in row + 1..<canvas.size.rows {
            let line = canvas.row(row).map(\.text)
            for column in 0...max(0, line.count - cells.count)
            where Array(line[column..<min(line.count, column + cells.count)]) == cells { return (row, column) }
        }
        return try #require(nil as (row: Int, column: Int)?, "'\(text)' isn't on the screen\n\(stage.screen)")
    }

    private func click(_ text: String, _ stage: inout Stage, below row: Int = -1) throws -> [Effect] {
        let place = try place(of: text, in: stage, below: row)
        return stage.press(.mouse(Mouse(.press, row: place.row, column: place.column)))
    }

    private func turn(_ action: Mouse.Action, over text: String, _ stage: inout Stage) throws {
        let place = try place(of: text, in: stage)
        stage.press(.mouse(Mouse(action, row: place.row, column: place.column)))
    }

    @Test(
        "a click on a server selects it, and a second one opens all of it", arguments: [(24, 80), (40, 120), (60, 200)])
    func nodes(rows: Int, columns: Int) throws {
        var stage = Stage.scene(rows: rows, columns: columns)
        for (place, sign) in ["○ n2", "★ n3", "✕ n5"].enumerated() {
            let node = [NodeID(2), NodeID(3), NodeID(5)][place]
            #expect(try click("[\(sign)]", &stage) == [])
            #expect(stage.model.selected == node)
            #expect(stage.model.focus == .cluster)
            let other = NodeID(4)
            #expect(try click("\(other) ○ follower".replacing("n4 ", with: "n4 "), &stage) == [])
            #expect(stage.model.selected == other)
            #expect(stage.model.focus == .nodes)
        }
        #expect(!stage.screen.contains("currentTerm"))
        _ = try click("n4 ○ follower", &stage)
        guard case .page(let page) = stage.model.mode else { return #expect(Bool(false), "no page") }
        #expect(page.subject == .node(NodeID(4)))
    }

    @Test("a click on an event shows the moment after it, and one on the tape what had happened by then")
    func moments() throws {
        var stage = Stage.scene(rows: 40, columns: 120)
        _ = try click("n3 hears yes from n2", &stage)
        let past = try #require(stage.model.past)
        #expect(stage.model.shownLines.last?.text.contains("n3 hears yes from n2") == true)
        #expect(stage.model.picture[NodeID(3)]?.role == .candidate)
        #expect(stage.model.focus == .events)
        let row = try #require(stage.model.tapeRow)
        stage.press(.mouse(Mouse(.press, row: row, column: 119)))
        #expect(stage.model.past == nil, "the end of the tape is now")
        stage.press(.mouse(Mouse(.press, row: row, column: 0)))
        let first = try #require(stage.model.past)
        #expect(first.place <= past.place)
        let star = try place(of: "★", in: stage, below: row - 1)
        stage.press(.mouse(Mouse(.press, row: row, column: star.column)))
        let leader = try #require(stage.model.picture.leader, "where the star is, somebody leads")
        #expect(leader.term == Term(1) || leader.term == Term(2))
        // What is marked as the place that is shown is where was clicked, wherever that is.
        for column in stride(from: 0, to: 119, by: 7) {
            stage.press(.mouse(Mouse(.press, row: row, column: column)))
            let canvas = stage.model.view().canvas
            let marked = (0..<120).filter { canvas[row, $0].style.isReversed }
            #expect(marked.allSatisfy { $0 <= column }, "\(column) \(marked)")
        }
    }

    @Test("in a small terminal the tape has the prompt's row, while nothing is said there")
    func smallTape() throws {
        var stage = Stage.scene(rows: 24, columns: 80)
        #expect(stage.model.tapeRow == 22)
        stage.press(.mouse(Mouse(.press, row: 22, column: 2)))
        #expect(stage.model.past != nil)
        stage.press(.end)
        stage.type("T")
        #expect(stage.model.tapeRow == nil)
        stage.press(.mouse(Mouse(.press, row: 22, column: 2)))
        #expect(stage.model.past == nil)
    }

    @Test("a click in any other pane gives it the focus, and every place of the screen belongs to what is drawn there")
    func panes() throws {
        var stage = Stage.scene(rows: 40, columns: 120)
        for (title, pane) in [("Logs", Model.Pane.logs), ("Store", .store), ("Events", .events), ("Cluster", .cluster)]
        {
            _ = try click(" \(title)", &stage)
            #expect(stage.model.focus == pane)
        }
        for (rows, columns) in [(24, 80), (40, 120), (60, 200), (12, 40), (18, 60)] {
            for keys in ["", "+", "?", "s", "o"] {
                var stage = Stage.scene(rows: rows, columns: columns)
                stage.type(keys)
                for row in -1...rows {
                    for column in stride(from: -1, through: columns, by: 3) {
                        let target = stage.model.target(row: row, column: column)
                        if row <= 0 || row >= rows - 1 { #expect(target == nil) }
                    }
                }
            }
        }
    }

    @Test("on a page and in the list of lessons a click chooses a line, and one on the chosen line is Enter")
    func lines() throws {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type("o")
        #expect(try click("checkquorum", &stage) == [])
        #expect(stage.screen.contains("▌checkquorum"))
        #expect(try click("checkquorum", &stage) == [.perform(.option(.checkQuorum(false)))])
        stage.press(.escape)
        stage.type("s")
        let lesson = Lesson.all[2]
        #expect(try click(lesson.title.prefix(20) + "", &stage) == [])
        #expect(try click(lesson.title.prefix(20) + "", &stage) == [.lesson(lesson.name)])
        // A long page is scrolled so that its chosen line stands in the middle.
        stage.type("!")
        for _ in 0..<20 { stage.press(.down) }
        _ = try click("A majority of the votes", &stage)
        #expect(stage.screen.contains("▌●   A majority of the votes"))
    }

    @Test("the wheel scrolls what it is over")
    func wheel() throws {
        var stage = Stage.scene(rows: 40, columns: 120)
        try turn(.wheelUp, over: "Events", &stage)
        #expect(stage.model.eventsBack == 3)
        try turn(.wheelDown, over: "Events", &stage)
        #expect(stage.model.eventsBack == 0)
        try turn(.wheelUp, over: "Logs", &stage)
        #expect(stage.model.entriesBack == 3)
        let selected = stage.model.selected
        try turn(.wheelDown, over: "★ LEADER", &stage)
        #expect(stage.model.selected == selected, "a wheel that slips selects nothing")
        let row = try #require(stage.model.tapeRow)
        stage.press(.mouse(Mouse(.wheelUp, row: row, column: 5)))
        #expect(stage.model.past != nil)
        stage.press(.mouse(Mouse(.wheelDown, row: row, column: 5)))
        stage.press(.mouse(Mouse(.wheelDown, row: row, column: 5)))
        #expect(stage.model.past == nil)
        stage.type("?")
        try turn(.wheelDown, over: "select a node", &stage)
        #expect(!stage.screen.contains("Keys: nodes"))
        stage.press(.escape)
        stage.type("o")
        try turn(.wheelDown, over: "checkquorum", &stage)
        #expect(stage.screen.contains("▌lease"))
        stage.press(.escape)
        stage.type("s")
        try turn(.wheelUp, over: Lesson.all[1].name, &stage)
        guard case .lessons(0) = stage.model.mode else { return #expect(Bool(false), "it stops at the first") }
    }

    @Test("while a line is typed a click disturbs nothing; where a link is asked for, it says which")
    func typing() throws {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type(":kill 1")
        #expect(try click("[✕ n5]", &stage) == [])
        #expect(stage.model.selected == NodeID(1))
        #expect(stage.screen.contains(":kill 1"))
        stage.press(.escape)
        stage.type("c")
        #expect(try click("[○ n4]", &stage).count == 1)
        #expect(try click("[○ n2]", &stage).count == 2, "n1 can't send to n2 already")
        #expect(stage.model.selected == NodeID(1))
    }

    @Test("m gives the terminal its own selection back, and takes it again; a terminal without a mouse says so")
    func toggles() {
        var stage = Stage(3)
        stage.type("m")
        #expect(stage.screen.contains("this terminal says nothing of a mouse"))
        let taste = Taste(mouse: .on)
        var model = Model(size: Size(rows: 24, columns: 80), isASCII: false, speed: 1, taste: taste)
        _ = model.update(.key(.character("m")))
        #expect(model.taste.mouse == .off)
        #expect(
            model.view().canvas.text.contains("the mouse selects text, as the terminal does it; m: it points again"))
        _ = model.update(.key(.character("m")))
        #expect(model.taste.mouse == .on)
    }
}

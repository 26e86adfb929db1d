import Bench
import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Testing

@testable import Dashboard

struct LookingBackTests {
    /// Three servers that have elected n1 and written x three times.
    private func stage() -> Stage {
        var stage = Stage(3)
        stage.act { $0.elect(NodeID(1)) }
        for number in 1...3 as ClosedRange<UInt64> {
            stage.act { bench in
                bench.now = bench.now + .milliseconds(10)
                _ = bench.perform(.set(key: "x".bytes, value: "\(number)".bytes), sequence: number)
            }
        }
        return stage
    }

    private func picture(_ model: Model, of node: Int) -> NodePicture? { model.picture[NodeID(node)] }

    @Test("what was known after any event is what a fold of the events up to it knows")
    func folds() {
        var timeline = Timeline()
        var picture = Picture()
        var commits: [LogIndex?] = []
        let events = stage().model.timeline.map(\.self)
        for round in 0..<200 {
            for event in events {
                if timeline.beginsChapter { timeline.beginChapter(with: picture) }
                timeline.append(event)
                picture.apply(event)
                commits.append(picture[NodeID(1)]?.commit)
            }
            #expect(timeline.end == events.count * (round + 1))
        }
        #expect(timeline.count > 8_192, "more than a chapter")
        for place in stride(from: timeline.start, to: timeline.end, by: 97) {
            #expect(timeline.picture(after: place)[NodeID(1)]?.commit == commits[place])
            #expect(timeline[place] == events[place % events.count])
        }
    }

    @Test("the first chapters go when there are too many, and places stay what they were")
    func bounded() {
        var timeline = Timeline()
        for number in 0..<120_000 as Range<UInt64> {
            let event = Event(at: .zero, sequence: number, kind: .command(CommandDone(text: "kill 1")))
            if timeline.beginsChapter { timeline.beginChapter(with: Picture()) }
            #expect(timeline.append(event) == Int(number))
        }
        #expect(timeline.count >= 100_000 && timeline.count < 115_000)
        #expect(timeline[timeline.start].sequence == UInt64(timeline.start))
        #expect(timeline[119_999].sequence == 119_999)
        #expect(timeline.picture(after: 119_999).sequence == 119_999)
    }

    @Test("the left arrow goes back by one line, the right one forward, and End to what is now")
    func arrows() throws {
        var stage = stage()
        let last = try #require(picture(stage.model, of: 1)?.commit)
        let lines = stage.model.shownLines.count
        #expect(stage.press(.left) == [])
        #expect(stage.model.shownLines.count == lines - 1)
        #expect(stage.screen.contains("PAST"))
        for _ in 0..<lines { stage.press(.left) }
        #expect(stage.model.shownLines.count == 1)
        #expect(try #require(picture(stage.model, of: 1)).commit == .zero)
        var commits: [LogIndex] = []
        for _ in 1..<lines {
            stage.press(.right)
            commits.append(try #require(picture(stage.model, of: 1)).commit)
        }
        #expect(commits == commits.sorted() && Set(commits).count == Int(last.rawValue) + 1)
        stage.press(.home)
        #expect(stage.model.past?.place == stage.model.timeline.start)
        stage.press(.end)
        #expect(stage.model.past == nil)
        #expect(!stage.screen.contains("PAST"))
        #expect(picture(stage.model, of: 1)?.commit == last)
    }

    @Test("the right arrow goes from the last line to what is now, and Esc from anywhere")
    func home() {
        var stage = stage()
        stage.press(.left)
        stage.press(.right, .right)
        #expect(stage.model.past == nil)
        stage.press(.left, .left, .escape)
        #expect(stage.model.past == nil)
    }

    @Test("at the end of what has happened, the right arrow lets the next thing happen while the clock stands still")
    func steps() {
        var stage = stage()
        #expect(stage.press(.right) == [])
        stage.happen(.clock(ClockRate(rate: 0)))
        #expect(stage.press(.right) == [.perform(.step(1))])
        stage.press(.left)
        #expect(stage.press(.right) == [], "from what has passed to now")
        #expect(stage.press(.right) == [.perform(.step(1))])
    }

    @Test("the cluster goes on while somebody looks back, and the screen stays where it is")
    func goesOn() throws {
        var stage = stage()
        stage.press(.left, .left)
        let commit = picture(stage.model, of: 1)?.commit
        let screen = stage.screen.split(separator: "\n").dropLast(3)
        stage.act { bench in
            _ = bench.perform(.set(key: "x".bytes, value: "4".bytes), sequence: 4)
        }
        #expect(picture(stage.model, of: 1)?.commit == commit)
        #expect(stage.screen.split(separator: "\n").dropLast(3) == screen, "all but the tape")
        #expect(try #require(stage.model.present[NodeID(1)]).commit > #require(commit))
    }

    @Test("what has passed can't be changed by a key or a command, but the clock can")
    func untouchable() {
        var stage = stage()
        stage.press(.left)
        for key in "xXPwztiHurc" {
            #expect(stage.type(String(key)) == [], "\(key)")
            #expect(stage.screen.contains("this has passed"), "\(key)")
        }
        stage.type(":kill 1")
        #expect(!stage.press(.enter).contains(.perform(.nodes(.kill, [.node(NodeID(1))]))))
        #expect(stage.type(" ") == [.perform(.freeze)])
        #expect(stage.type("]") == [.perform(.speed(1.0 / 3))])
        stage.press(.end)
        #expect(stage.type("x") == [.perform(.nodes(.kill, [.node(NodeID(1))]))])
    }

    @Test("keys for the clock go on from the rate that it has, whoever set it")
    func rate() {
        var stage = stage()
        stage.happen(.clock(ClockRate(rate: 1)))
        #expect(stage.type("]") == [.perform(.speed(2))])
        stage.happen(.clock(ClockRate(rate: 0)))
        #expect(stage.type("[") == [.perform(.speed(1))])
    }

    @Test("links are not cut in what has passed, even if the mouse went there meanwhile")
    func links() {
        var stage = stage()
        stage.type("c")
        stage.look(at: stage.model.timeline.start)
        #expect(stage.type("2") == [])
        #expect(stage.screen.contains("this has passed"))
    }

    @Test("with a filter the arrows go from one line that matches to the next")
    func filtered() {
        var stage = stage()
        stage.type("/leads term")
        stage.press(.enter, .left)
        stage.press(.escape, .escape)
        stage.type("/commits")
        stage.press(.enter)
        let lines = stage.model.shownLines.count
        #expect(lines >= 3)
        stage.press(.left)
        #expect(stage.model.past != nil)
        #expect(stage.model.shownLines.count == lines, "the last that matches has passed, too")
        stage.press(.left)
        #expect(stage.model.shownLines.count == lines - 1)
        #expect(stage.model.shownLines.last?.text.contains("commits") == true)
        stage.press(.right)
        #expect(stage.model.shownLines.count == lines && stage.model.past != nil)
        stage.press(.right)
        #expect(stage.model.past == nil)
    }

    @Test("the tape shows terms, elections, writes and faults, and where the screen is")
    func tape() {
        var stage = Stage.scene(rows: 24, columns: 80)
        func row() -> String { String(stage.screen.split(separator: "\n", omittingEmptySubsequences: false)[22]) }
        #expect(row().contains("★"))
        #expect(row().contains("✕"))
        #expect(row().contains("2"))
        let whole = row()
        stage.press(.left)
        #expect(row() == whole, "only the look of the place differs")
        let canvas = stage.model.view().canvas
        #expect(canvas.row(22).count { $0.style.isReversed } == 1)
    }
}

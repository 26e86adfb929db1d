import Bench
import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import Dashboard

/// A lesson on the screen, told step by step how far its script is.
struct LectureTests {
    private static let question = Question("Who leads?", choices: ["n1", "n2", "nobody"], answer: 2)
    private static let script = Script([
        Statement(line: 1, kind: .title("A test")),
        Statement(line: 2, kind: .say("One.")),
        Statement(line: 3, kind: .ask(question)),
        Statement(line: 4, kind: .say("Three.")),
    ])

    private func stage() -> Stage {
        var stage = Stage(3)
        stage.update(.presenting(Self.script, name: "test"))
        stage.update(.events(stage.bench.events, now: stage.bench.now))
        stage.act { $0.elect(NodeID(1)) }
        tell(.sentence("One."), &stage)
        return stage
    }

    private func tell(_ slide: Slide?, work: String? = nil, ending: LectureProgress.Ending? = nil, _ stage: inout Stage)
    {
        stage.update(.progress(LectureProgress(slide: slide, work: work, ending: ending)))
    }

    private func write(_ number: UInt64, _ stage: inout Stage) {
        stage.act { bench in
            bench.now = bench.now + .milliseconds(10)
            _ = bench.perform(.set(key: "x".bytes, value: "\(number)".bytes), sequence: number)
        }
    }

    @Test("a lesson says what the step is, and Page Down goes on")
    func forward() {
        var stage = stage()
        #expect(stage.screen.contains("A test │ 1 of 3"))
        #expect(stage.screen.contains("One."))
        #expect(stage.press(.pageDown) == [.turnPage])
        tell(.sentence("One."), work: "wait leader", &stage)
        #expect(stage.screen.contains("… wait leader"))
        #expect(stage.screen.contains("1 of 3"), "it is the same step still")
        tell(.question(Self.question, isAnswered: false), &stage)
        #expect(stage.screen.contains("2 of 3"))
        #expect(stage.screen.contains("3 nobody"))
    }

    @Test("a lesson that waits for long says what to do about it, in time that passes for its audience")
    func waitsLong() {
        let hint = "This takes long"
        var stage = stage()
        func pass(_ seconds: Int64) {
            stage.update(.events([], now: stage.model.presentNow + .seconds(seconds)))
        }
        stage.happen(.clock(ClockRate(rate: 0.1)))
        tell(.sentence("One."), work: "wait leader", &stage)
        #expect(!stage.screen.contains(hint))
        pass(1)
        #expect(stage.screen.contains(hint), "at a tenth of the speed, ten seconds")
        // Whoever comes back to it has not waited yet.
        stage.press(.escape)
        #expect(!stage.screen.contains(hint))
        stage.press(.character("s"), .enter)
        #expect(stage.screen.contains("… wait leader") && !stage.screen.contains(hint))
        pass(1)
        #expect(stage.screen.contains(hint))
        tell(.sentence("Three."), &stage)
        pass(100)
        #expect(!stage.screen.contains(hint), "it is the presenter's turn")
    }

    @Test("a script that says nothing plays by itself: no steps are counted, and it slows down for its first leader")
    func silent() {
        let script = Script([Statement(line: 1, kind: .title("Saved")), Statement(line: 2, kind: .command(.freeze))])
        var stage = Stage(3, rows: 24, columns: 80, slowsTo: 0.1)
        stage.update(.presenting(script, name: "saved"))
        stage.update(.events(stage.bench.events, now: stage.bench.now))
        #expect(stage.screen.contains("━ Saved ━") && !stage.screen.contains("of 0"))
        #expect(stage.screen.contains("it plays by itself"))
        stage.act { $0.elect(NodeID(1)) }
        #expect(stage.effects == [.perform(.speed(0.1))])
        tell(nil, ending: .init("The end: all of it was played.", isTrouble: false), &stage)
        #expect(stage.screen.contains("The end: all of it was played."))
        #expect(!stage.screen.contains("it plays by itself") && stage.screen.contains("Page Down closes this"))
    }

    @Test("all choices of every lesson's questions are to be seen in a terminal of the usual size")
    func choices() throws {
        for lesson in Lesson.all {
            for case .ask(let question) in try Script(parsing: lesson.text, nodes: nil).statements.map(\.kind) {
                var stage = stage()
                tell(.question(question, isAnswered: true), &stage)
                for number in 1...question.choices.count {
                    #expect(
                        stage.screen.contains(" \(number) \(question.choices[number - 1].prefix(20))"), "\(question)")
                }
            }
        }
    }

    @Test("whoever goes from an earlier step to what is now sees the latest step")
    func present() {
        var stage = stage()
        write(1, &stage)
        tell(.sentence("Three."), &stage)
        for key in [Key.escape, .end] {
            stage.press(.pageUp)
            #expect(stage.screen.contains("One.") && stage.screen.contains("PAST"))
            stage.press(key)
            #expect(stage.screen.contains("Three.") && !stage.screen.contains("PAST"))
        }
    }

    @Test("a digit is the audience's guess while a question is open, and the answer is marked when it is shown")
    func asks() {
        var stage = stage()
        tell(.question(Self.question, isAnswered: false), &stage)
        #expect(!stage.screen.contains("✓ ") || !stage.screen.contains("n2 ✓"))
        stage.type("3")
        #expect(stage.screen.contains("▌ 3 nobody"))
        stage.type("1")
        #expect(stage.screen.contains("▌ 1 n1"))
        #expect(!stage.screen.contains("▌ 3"))
        tell(.question(Self.question, isAnswered: true), &stage)
        #expect(stage.screen.contains("2 n2 ✓"))
        #expect(stage.screen.contains("▌ 1 n1"), "the guess stays")
        #expect(stage.screen.contains("2 of 3"))
        stage.type("3")
        #expect(stage.model.selected == NodeID(3), "digits select nodes again")
    }

    @Test("Page Up goes back to a step and to what the cluster was like then, Page Down forward to now")
    func back() throws {
        var stage = stage()
        let commit = try #require(stage.model.present[NodeID(1)]).commit
        write(1, &stage)
        tell(.question(Self.question, isAnswered: false), &stage)
        write(2, &stage)
        tell(.sentence("Three."), &stage)
        write(3, &stage)
        let last = try #require(stage.model.present[NodeID(1)]).commit
        #expect(stage.press(.pageUp) == [])
        #expect(stage.screen.contains("Who leads?"))
        #expect(stage.model.picture[NodeID(1)]?.commit == commit.next)
        stage.press(.pageUp)
        #expect(stage.screen.contains("One."))
        #expect(stage.model.picture[NodeID(1)]?.commit == commit)
        stage.press(.pageUp)
        #expect(stage.screen.contains("this is the first step"))
        stage.press(.pageDown)
        #expect(stage.model.picture[NodeID(1)]?.commit == commit.next)
        #expect(stage.press(.pageDown) == [])
        #expect(stage.screen.contains("Three."))
        #expect(stage.model.past == nil)
        #expect(stage.model.picture[NodeID(1)]?.commit == last)
        #expect(stage.press(.pageDown) == [.turnPage])
    }

    @Test("Esc leaves a lesson, s takes it up again where it was")
    func leaves() {
        var stage = stage()
        tell(.question(Self.question, isAnswered: false), &stage)
        #expect(stage.press(.escape) == [.leaveLesson(true)])
        #expect(!stage.screen.contains("Who leads?"))
        #expect(stage.type("x") == [.perform(.nodes(.kill, [.node(NodeID(1))]))], "keys are for the cluster")
        stage.type("s")
        #expect(stage.screen.contains("go on with: A test"))
        #expect(stage.press(.enter) == [.leaveLesson(false)])
        #expect(stage.screen.contains("Who leads?"))
    }

    @Test("the list of lessons begins the one that is chosen, and r twice begins it anew")
    func lists() {
        var stage = stage()
        stage.press(.escape)
        stage.type("s")
        #expect(stage.press(.down, .enter) == [.lesson(Lesson.all[0].name)])
        stage.type("s")
        #expect(stage.press(.end, .enter) == [.lesson(Lesson.all[Lesson.all.count - 1].name)])
        var other = self.stage()
        #expect(other.type("r") == [])
        #expect(other.screen.contains("r again begins the lesson anew"))
        #expect(other.type("r") == [.lesson("test")])
        #expect(other.type(":lesson \(Lesson.all[0].name)\n").contains(.lesson(Lesson.all[0].name)))
        other.type(":lesson nonesuch\n")
        #expect(other.screen.contains("no lesson is called 'nonesuch'"))
    }

    @Test("a lesson that ends says so, and Page Down closes it; one that fails says why")
    func ends() {
        var stage = stage()
        tell(.sentence("Three."), ending: .init("The end.", isTrouble: false), &stage)
        #expect(stage.screen.contains("The end."))
        #expect(stage.press(.pageDown) == [.endLesson])
        #expect(!stage.screen.contains("The end."))
        var other = self.stage()
        tell(.sentence("One."), ending: .init("The lesson stops at line 7.", isTrouble: true), &other)
        #expect(other.screen.contains("stops at line 7"))
    }
}

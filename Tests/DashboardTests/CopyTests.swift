import Canvas
import RaftCore
import RaftTrace
import Script
import Testing

@testable import Dashboard

struct CopyTests {
    @Test("y copies the last event that is shown, on a page the chosen line, in the list the lesson; it says what")
    func chosen() {
        var stage = Stage.scene(rows: 24, columns: 80)
        #expect(stage.type("y") == [.copy("n3 → n1,n4  append t2 10 no-op  #18,21")])
        #expect(stage.screen.contains("copied: n3 → n1,n4  append t2 10 no-op  #18,21"))
        stage.type("/leads term 2\n")
        #expect(stage.type("y") == [.copy("n3 leads term 2 with 3 votes, 3 needed (§5.2)")])
        stage.press(.escape)
        stage.type("o")
        stage.press(.down)
        #expect(
            stage.type("y") == [
                .copy("checkquorum        on            a leader that hears from no majority steps down (thesis §6.2)")
            ])
        #expect(stage.screen.contains("▌checkquorum"), "the page stays")
        stage.press(.escape)
        stage.type("s")
        #expect(stage.type("y") == [.copy("\(Lesson.all[0].name): \(Lesson.all[0].title)")])
        stage.press(.escape)
        #expect(stage.type("Y") == [])
        #expect(stage.screen.contains("none is open"))
    }

    @Test("Y copies all of a page, with its title")
    func page() {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type("3")
        stage.press(.enter)
        guard case .copy(let text)? = stage.type("Y").first else { return #expect(Bool(false), "nothing is copied") }
        #expect(text.hasPrefix("n3\nrole              ★ LEADER\n"))
        #expect(text.contains("\nvotedFor          n3\n") && text.hasSuffix("\n"))
        #expect(stage.screen.contains("copied: \(text.split(separator: "\n").count) lines"))
    }

    @Test("what is copied is what is shown: no control gets out that way")
    func hostile() {
        var stage = Stage(3)
        stage.happen(.command(CommandDone(text: "kill 1\u{1b}]52;c;\u{7}\n2")))
        guard case .copy(let text)? = stage.type("y").first else { return #expect(Bool(false), "nothing is copied") }
        #expect(text.contains("␛]52;c;␇"))
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test("before anything has happened there is nothing to copy")
    func nothing() {
        var model = Model(size: Size(rows: 24, columns: 80), isASCII: false, speed: 1)
        #expect(model.update(.key(.character("y"))) == [])
        #expect(model.view().canvas.text.contains("there is nothing to copy"))
    }
}

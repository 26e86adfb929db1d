import Bench
import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Script
import Testing

@testable import Dashboard

struct KeyTests {
    private func stage() -> Stage {
        var stage = Stage(5)
        stage.act { $0.elect(NodeID(2)) }
        return stage
    }

    private func node(_ number: Int) -> NodeReference { .node(NodeID(number)) }

    @Test("each key stands for a command on the selected server")
    func commands() {
        var stage = stage()
        stage.type("3")
        #expect(stage.type("x") == [.perform(.nodes(.kill, [node(3)]))])
        #expect(stage.type("X") == [.perform(.nodes(.kill, [.leader]))])
        #expect(stage.type("P") == [.perform(.nodes(.power, [node(3)]))])
        #expect(stage.type("w") == [.perform(.nodes(.wipe, [node(3)]))])
        #expect(stage.type("z") == [.perform(.nodes(.pause, [node(3)]))])
        #expect(stage.type("t") == [.perform(.nodes(.timeout, [node(3)]))])
        #expect(stage.type("i") == [.perform(.isolate(node(3)))])
        #expect(stage.type("H") == [.perform(.heal([]))])
        #expect(stage.type("u") == [.perform(.undo)])
        #expect(stage.type("r") == [], "it asks once")
        #expect(stage.screen.contains("r again takes all disks away"))
        #expect(stage.type("r") == [.perform(.reset)])
        #expect(stage.type("r") == [])
        #expect(stage.type("u") == [.perform(.undo)])
        #expect(stage.type("r") == [], "another key came between")
        #expect(stage.type(" ") == [.perform(.freeze)])
        #expect(stage.type(".") == [.perform(.freeze)])
        #expect(stage.type("q") == [.quit])
        stage.happen(.node(NodeID(3), Term(1), .paused))
        #expect(stage.type("z") == [.perform(.nodes(.resume, [node(3)]))])
        stage.act { $0.crash(NodeID(3)) }
        #expect(stage.type("x") == [.perform(.nodes(.revive, [node(3)]))])
        stage.happen(.clock(ClockRate(rate: 0)))
        #expect(stage.type(" ") == [.perform(.thaw)])
    }

    @Test("speeds go up and down a scale, and end at its ends")
    func speeds() {
        var stage = stage()
        #expect(stage.type("]") == [.perform(.speed(1.0 / 3))])
        #expect(stage.type("]]]") == [.perform(.speed(1)), .perform(.speed(2)), .perform(.speed(4))])
        #expect(stage.type("]") == [])
        #expect(stage.screen.contains("can't go any faster"))
        for _ in 0..<20 { stage.type("[") }
        #expect(stage.type("[") == [])
        #expect(stage.type("]") == [.perform(.speed(1.0 / 300))])
    }

    @Test("the first leader slows the clock down, once, unless somebody has chosen a speed")
    func slowsDown() {
        for isChosen in [false, true] {
            var stage = Stage(3)
            var model = Model(size: Size(rows: 24, columns: 80), isASCII: false, speed: 1, slowsTo: 0.1)
            if isChosen { _ = model.update(.key(.character("["))) }
            stage.act { $0.elect(NodeID(1)) }
            let effects = model.update(.events(stage.bench.events, now: .zero))
            #expect(effects == (isChosen ? [] : [.perform(.speed(0.1))]))
            #expect(model.update(.events([], now: .zero)) == [])
        }
    }

    @Test("a broken property is told, and freezes the cluster, once")
    func violation() {
        var stage = Stage(3, rows: 40, columns: 120)
        stage.act { $0.elect(NodeID(1)) }
        #expect(stage.screen.contains("safe ✓ linearizable ✓"))
        stage.happen(.called(ClientCall(client: "c1", call: 1, request: .get(key: [0x78], .readindex))))
        stage.happen(.returned(ClientReturn(client: "c1", call: 1, result: .value([0x31]))))
        #expect(stage.effects == [.perform(.freeze)])
        #expect(stage.screen.contains("NOT LINEARIZABLE"))
        #expect(stage.screen.contains("linearizability: c1 is answered ok 1 to get x"))
        stage.happen(.clock(ClockRate(rate: 0)))
        stage.happen(.clock(ClockRate(rate: 1)))
        #expect(stage.effects == [], "who lets it go on is not stopped again")
    }

    @Test("c and a digit take a link through its four states")
    func links() {
        var stage = stage()
        func cut(_ from: Int, _ to: Int, _ isCut: Bool) -> Event.Kind {
            var state = LinkState(from: NodeID(from), to: NodeID(to))
            state.isCut = isCut
            return .link(state)
        }
        let both = LinkReference(from: node(1), to: node(4))
        let there = LinkReference(from: node(1), to: node(4), isBothWays: false)
        let back = LinkReference(from: node(4), to: node(1), isBothWays: false)
        #expect(stage.type("c4") == [.perform(.cut([both]))])
        stage.happen(cut(1, 4, true))
        stage.happen(cut(4, 1, true))
        #expect(stage.type("4") == [.perform(.heal([back]))], "the next digit goes on")
        stage.happen(cut(4, 1, false))
        #expect(stage.type("c4") == [.perform(.heal([there])), .perform(.cut([back]))])
        stage.happen(cut(1, 4, false))
        stage.happen(cut(4, 1, true))
        #expect(stage.type("c4") == [.perform(.heal([back]))])
        #expect(stage.type("c1") == [], "a server has no link to itself")
        #expect(stage.screen.contains("n1 has no link to n1"))
        #expect(stage.type("c9") == [])
        stage.press(.escape)
        stage.type("c")
        #expect(stage.screen.contains("cut which link of n1? 2 3 4 5"))
        stage.press(.escape)
        #expect(stage.type("4") == [], "the digit selects again")
        #expect(stage.type("x") == [.perform(.nodes(.kill, [node(4)]))])
    }

    @Test("arrows and Tab go through servers and panes; a key that means nothing says so and does nothing")
    func moving() {
        var stage = stage()
        stage.press(.down, .down)
        #expect(stage.type("x") == [.perform(.nodes(.kill, [node(3)]))])
        stage.press(.up, .up, .up)
        #expect(stage.type("x") == [.perform(.nodes(.kill, [node(5)]))])
        stage.type("9")
        #expect(stage.type("x") == [.perform(.nodes(.kill, [node(5)]))], "there is no node 9")
        for letter in "hjklJKGA0;'" { #expect(stage.type(String(letter)) == []) }
        #expect(stage.type("~") == [])
        #expect(stage.screen.contains("no key '~': ? shows the keys"))
        #expect(stage.press(.control("l")) == [.redraw])
        stage.press(.tab, .tab, .tab)
        #expect(stage.model.focus == .events)
        stage.press(.backTab)
        #expect(stage.model.focus == .store)
    }

    @Test("events can be looked back in, and filtered")
    func events() {
        var stage = stage()
        for number in 0..<50 { stage.happen(.command(CommandDone(text: "number \(number)"))) }
        #expect(stage.screen.contains("» number 49"))
        stage.press(.pageUp)
        #expect(!stage.screen.contains("» number 49"))
        #expect(stage.screen.contains("10 back"))
        stage.press(.end)
        #expect(stage.screen.contains("» number 49"))
        stage.type("/NUMBER 7\n")
        #expect(stage.screen.contains("» number 7"))
        #expect(!stage.screen.contains("» number 49"))
        #expect(stage.type("x") == [.perform(.nodes(.kill, [node(1)]))], "keys work while a filter is on")
        stage.press(.escape)
        #expect(stage.screen.contains("» number 49"))
    }
}

struct PromptTests {
    private func stage() -> Stage {
        var stage = Stage(3)
        stage.act { $0.elect(NodeID(2)) }
        stage.act { _ = $0.perform(.set(key: "color".bytes, value: "red".bytes), sequence: 1) }
        return stage
    }

    private func line(_ stage: Stage) -> String {
        guard case .prompt(let line, _) = stage.model.mode else { return "" }
        return line.line
    }

    @Test("a line is typed, carried out, and remembered")
    func typed() throws {
        var stage = stage()
        let request = Request.write(.set(key: "x".bytes, value: "1 2".bytes))
        #expect(
            stage.type(":set x \"1 2\"\n")
                == [.remember("set x \"1 2\""), .perform(.client(ClientCommand(request)))])
        stage.update(.called(9, line: "set x \"1 2\""))
        #expect(stage.screen.contains("set x \"1 2\" …"))
        stage.happen(.returned(ClientReturn(client: "c1", call: 8, result: .unknown)))
        stage.happen(.returned(ClientReturn(client: "c1", call: 9, result: .ok)))
        #expect(stage.screen.contains("set x \"1 2\" → ok"))
        #expect(stage.type(":quit\n") == [.remember("quit"), .quit])
        #expect(stage.type(":save demo.raft\n") == [.remember("save demo.raft"), .save("demo.raft")])
        #expect(stage.type(":record demo.cast\n") == [.remember("record demo.cast"), .record("demo.cast")])
        #expect(stage.type(":record off\n") == [.remember("record off"), .record(nil)])
        #expect(stage.type(":\n") == [])
        #expect(stage.type(":expect leader 2\n") == [.remember("expect leader 2")])
        #expect(stage.screen.contains("yes: leader 2"))
        stage.type(":expect commit 1 = 99\n")
        #expect(stage.screen.contains("no: commit of n1 is 1"))
        stage.type(":say \"watch n2\"\n")
        #expect(stage.screen.contains("» watch n2"))
    }

    @Test("a line that can't be read stays, with the cursor at the mistake and the reason below")
    func mistake() {
        var stage = stage()
        #expect(stage.type(":kill 7\n") == [])
        #expect(line(stage) == "kill 7")
        #expect(stage.screen.contains("column 6: no node 7 in a cluster of 3"))
        #expect(stage.press(.delete, .character("3"), .enter).last == .perform(.nodes(.kill, [.node(NodeID(3))])))
        stage.type(":wait leader\n")
        #expect(stage.screen.contains("'wait' belongs into a script"))
        stage.press(.escape)
        stage.type(":kil 1\n")
        #expect(stage.screen.contains("did you mean 'kill'?"))
    }

    @Test("a refused command says why")
    func refused() {
        var stage = stage()
        stage.update(.refused("n1 is down already"))
        #expect(stage.screen.contains("n1 is down already"))
    }

    @Test("the line keys that fingers know")
    func editing() {
        var stage = stage()
        stage.type(":set alpha beta")
        stage.press(.control("w"))
        #expect(line(stage) == "set alpha ")
        stage.press(.control("a"), .character("X"), .control("e"), .character("Y"))
        #expect(line(stage) == "Xset alpha Y")
        stage.press(.left, .backspace, .home, .delete)
        #expect(line(stage) == "set alphaY")
        stage.press(.control("k"))
        #expect(line(stage) == "")
        stage.type("abc")
        stage.press(.left, .control("u"))
        #expect(line(stage) == "c")
        stage.press(.end, .backspace, .backspace)
        #expect(stage.type("x").count == 1, "an empty line that is deleted further closes the prompt")
    }

    @Test("letters that combine make one letter of the line")
    func combining() {
        var stage = stage()
        stage.type(":e")
        stage.press(.character("\u{301}"), .character("x"))
        guard case .prompt(let line, _) = stage.model.mode else { return }
        #expect(line.text == ["e\u{301}", "x"])
        stage.press(.backspace, .backspace)
        #expect(self.line(stage) == "")
    }

    @Test("the history goes back and on, and keeps what was being typed")
    func history() {
        var stage = stage()
        stage.type(":draft")
        stage.press(.up)
        #expect(line(stage) == "get old")
        stage.press(.control("p"), .up)
        #expect(line(stage) == "set old 1")
        stage.press(.down, .control("n"))
        #expect(line(stage) == "draft")
        #expect(stage.press(.escape) == [])
        #expect(stage.type(":get color\n").first == .remember("get color"))
        stage.type(":")
        stage.press(.up)
        #expect(line(stage) == "get color")
    }

    @Test(
        "Tab completes what can stand there",
        arguments: [
            ("par", "partition "), ("kill l", "kill leader "), ("get c", "get color "), ("revive ", "revive "),
            ("set color red v", "set color red via "), ("cut 1-", "cut 1-"), ("speed 1/1", "speed 1/10"),
            ("xyz", "xyz"),
            ("help spe", "help speed "),
        ])
    func completion(typed: String, completed: String) {
        var stage = stage()
        stage.type(":" + typed)
        stage.press(.tab)
        #expect(line(stage).hasPrefix(completed))
    }

    @Test("Tab pressed again goes through the candidates")
    func candidates() {
        var stage = stage()
        stage.type(":timeout ")
        stage.press(.tab)
        #expect(line(stage) == "timeout 1")
        stage.press(.tab)
        #expect(line(stage) == "timeout 2")
        stage.press(.tab, .tab, .tab)
        #expect(line(stage) == "timeout 1")
    }
}

/// Nothing that is stored or typed disturbs the screen.
struct HostileTextTests {
    @Test("whatever keys, values and lines hold, every row is as wide as the screen", arguments: [false, true])
    func rows(isASCII: Bool) {
        let texts = [
            "\u{1b}[2J", "a\nb\r\u{7}", "\u{202e}gnol", "漢字漢字漢字", "e\u{301}\u{302}\u{303}\u{304}", "👨‍👩‍👧", "\u{9b}31m",
            "\0",
        ]
        for (rows, columns) in [(24, 80), (40, 120), (12, 40), (24, 81)] {
            var stage = Stage(3, rows: rows, columns: columns, isASCII: isASCII)
            stage.act { $0.elect(NodeID(1)) }
            for (place, text) in texts.enumerated() {
                stage.act {
                    _ = $0.perform(.set(key: text.bytes, value: (text + text).bytes), sequence: UInt64(place + 1))
                }
                stage.happen(.command(CommandDone(text: text)))
                stage.happen(.returned(ClientReturn(client: text, call: 1, result: .error(text))))
            }
            for _ in 0..<5 {
                for zoom in 0...1 {
                    if zoom == 1 { stage.type("+") }
                    check(stage)
                }
                stage.type("+")
                stage.press(.tab)
            }
            for text in texts {
                stage.type(":")
                for letter in text where letter != "\n" { stage.press(.character(letter)) }
                check(stage)
                stage.press(.escape)
            }
        }
    }

    private func check(_ stage: Stage) {
        let canvas = stage.model.view().canvas
        for row in 0..<canvas.size.rows {
            let text = canvas.row(row).map(\.text).joined()
            #expect(Glyph.width(of: text) == canvas.size.columns)
            #expect(
                text.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) && $0.value != 0x202e
                })
        }
    }

    @Test("thousands of random keys and clicks change sizes, panes and lines without a trap", arguments: 0..<4)
    func random(seed: UInt64) {
        var random = Generator(seed: seed)
        var stage = Stage(5)
        stage.act { $0.elect(NodeID(1)) }
        let keys: [Key] = [
            .enter, .escape, .tab, .backTab, .backspace, .delete, .up, .down, .left, .right, .home, .end, .pageUp,
            .pageDown, .control("a"), .control("w"), .control("u"), .control("n"), .control("p"),
        ]
        for _ in 0..<2_500 {
            if random.chance(0.1) {
                let actions: [Mouse.Action] = [.press, .wheelUp, .wheelDown]
                let (row, column) = (Int(random.below(75)), Int(random.below(225)))
                stage.press(.mouse(Mouse(actions[Int(random.below(3))], row: row, column: column)))
            } else if random.chance(0.4) {
                stage.press(keys[Int(random.below(UInt64(keys.count)))])
            } else {
                let letter = Unicode.Scalar(UInt8(0x20 + random.below(0x5f)))
                stage.press(.character(Character(letter)))
            }
            if random.chance(0.05) { stage.resize(rows: Int(random.below(70)), columns: Int(random.below(220))) }
            if random.chance(0.3) { _ = stage.model.view() }
        }
    }
}

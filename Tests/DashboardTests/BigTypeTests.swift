import Bench
import Canvas
import KeyValue
import RaftCore
import RaftTrace
import Script
import Testing

@testable import Dashboard

struct BigTypeTests {
    @Test("every letter has five rows of the same length, and something in them that no other has")
    func letters() {
        #expect(Set(BigLetters.letters).isSuperset(of: "n0123456789★-LEADERNOTERMCOMMIT"))
        var shapes: Set<[[Character]]> = []
        for letter in BigLetters.letters {
            let shape = BigLetters.shape(of: letter) ?? []
            #expect(shape.count == BigLetters.rows)
            #expect(Set(shape.map(\.count)).count == 1, "\(letter)")
            #expect(shape.joined().contains("#"))
            if letter != "○" { #expect(shapes.insert(shape).inserted, "\(letter)") }
        }
        #expect(BigLetters.shape(of: "~") == nil)
        #expect(BigLetters.width(of: "n3") == 11)
        #expect(BigLetters.width(of: "n3", scale: 2) == 22)
    }

    @Test("every word for a role can be written large")
    func words() {
        for word in ["LEADER", "CANDIDATE", "PRE-CAND.", "FOLLOWER", "LEARNER", "OUTSIDE", "PAUSED", "DOWN", "HALTED"] {
            #expect((BigLetters.width(of: word) ?? .max) <= 56, "\(word)")
        }
        for sign in "★○◐◔◌✕‖!" { #expect(BigLetters.width(of: String(sign)) != nil, "\(sign)") }
    }

    @Test("what is written large can be read again, in ASCII too, and twice as large")
    func written() {
        for scale in 1...2 {
            var canvas = Canvas(Size(rows: 5 * scale, columns: 12 * scale))
            #expect(canvas.writeBig("T7", row: 0, column: 0, style: .plain, isASCII: true, scale: scale) == 11 * scale)
            let first = scale == 1 ? "##### #####" : "##########  ##########"
            let last = scale == 1 ? "  #     #" : "    ##          ##"
            #expect(canvas.text.hasPrefix(first + "\n"))
            #expect(canvas.text.split(separator: "\n").last.map(String.init) == last)
        }
    }

    @Test("b shows who leads, the term, the commit index and every server, and b again goes back")
    func key() {
        var stage = Stage.scene(rows: 24, columns: 80)
        let usual = stage.screen
        #expect(stage.type("b") == [])
        for text in ["leader n3", "term 2", "commit index 9", "★ LEADER", "○ follower", "✕ down", "▰", "acks 1/5", "█"]
        {
            #expect(stage.screen.contains(text), "\(text)\n\(stage.screen)")
        }
        #expect(!stage.screen.contains("Logs"))
        stage.type("o")
        #expect(stage.screen.contains("prevote"), "pages open over the usual panes")
        stage.press(.escape)
        stage.type(":set x 1")
        #expect(stage.screen.contains(":set x 1"))
        stage.press(.escape)
        stage.type("b")
        #expect(stage.screen == usual)
    }

    @Test("every size and every number of servers has a box for each, none of them over another", arguments: 1...9)
    func boxes(nodes: Int) {
        for (rows, columns) in [(24, 80), (27, 80), (24, 200), (40, 120), (60, 80), (60, 200), (48, 160)] {
            var stage = Stage(nodes, rows: rows, columns: columns)
            stage.act { $0.elect(NodeID(1)) }
            stage.type("b")
            let boxes = stage.model.bigBoxes
            #expect(boxes.count == nodes, "\(rows)x\(columns)")
            var taken: Set<[Int]> = []
            for (node, place) in boxes {
                #expect(place.size.rows >= 4 && place.size.columns >= 16)
                #expect(place.row + place.size.rows <= stage.model.body.rows)
                for row in place.row..<place.row + place.size.rows {
                    for column in place.column..<place.column + place.size.columns {
                        #expect(taken.insert([row, column]).inserted)
                    }
                }
                #expect(
                    stage.model.target(row: 2 + place.row, column: place.column + 3) == .node(node.id, .nodes))
                #expect(stage.screen.contains(node.id == NodeID(1) ? "★ LEADER" : "○ follower"))
            }
        }
    }

    @Test("where there is no leader it says so; numbers of any length fit, or stay small")
    func headline() {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type("b")
        stage.act { $0.crash(NodeID(3)) }
        #expect(stage.screen.contains("no leader"))
        for commit in [99, 99_999, 99_999_999, 999_999_999_999] as [UInt64] {
            for (rows, columns) in [(24, 80), (40, 120), (60, 200)] {
                stage.resize(rows: rows, columns: columns)
                stage.happen(.node(NodeID(1), Term(commit), .resumed))
                #expect(stage.screen.contains("term \(commit)"))
            }
        }
    }

    @Test("a lesson's sentence stands between blank lines")
    func lesson() {
        var stage = Stage(5)
        stage.update(.presenting(Script([Statement(line: 1, kind: .say("One."))]), name: "test"))
        stage.update(.events(stage.bench.events, now: stage.bench.now))
        stage.type("b")
        stage.update(.progress(LectureProgress(slide: .sentence("A sentence."), work: nil, ending: nil)))
        let lines = stage.screen.split(separator: "\n", omittingEmptySubsequences: false)
        let row = lines.firstIndex { $0.contains("A sentence.") } ?? 0
        #expect(row > 0 && lines[row - 1].isEmpty && lines[row + 1].isEmpty)
        let long = String(repeating: "A long sentence goes on. ", count: 60)
        stage.update(.progress(LectureProgress(slide: .sentence(long), work: nil, ending: nil)))
        #expect(stage.model.bigBoxes.count == 5, "the servers keep their place")
    }

    @Test("in a terminal that is too small the usual layout stays, and it is said")
    func small() {
        var stage = Stage.scene(rows: 18, columns: 60)
        let usual = stage.screen.split(separator: "\n").dropLast(2)
        stage.type("b")
        #expect(stage.screen.split(separator: "\n").dropLast(2) == usual)
        #expect(stage.screen.contains("big type needs 80x24"))
    }
}

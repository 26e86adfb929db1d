import Bench
import Canvas
import KeyValue
import RaftCore
import RaftTrace
import Script
import Testing

@testable import Dashboard

/// Colour is never the only sign: what is told apart differs without any, in text or in how it is written.
struct ThemeTests {
    /// A cell as somebody sees it who has no colours.
    private struct Look: Hashable {
        var text: String
        var style: Style
    }

    private func looks(_ stage: Stage, row: Int, columns: Range<Int>) -> [Look] {
        stage.model.view().canvas.row(row).dropFirst(columns.lowerBound).prefix(columns.count).map {
            Look(text: $0.text, style: Theme.mono.look(of: $0.style))
        }
    }

    /// The glyph and the word of each server in the zoomed table of servers.
    private func roles(_ stage: Stage) -> [[Look]] {
        var stage = stage
        stage.type("+")
        return stage.model.picture.nodes.indices.map { looks(stage, row: 3 + $0, columns: 5..<17) }
    }

    @Test("without colours every role differs from every other")
    func roles() {
        var stage = Stage(5)
        stage.act { $0.elect(NodeID(1)) }
        stage.act { $0.crash(NodeID(3)) }
        stage.happen(.node(NodeID(4), Term(1), .paused))
        stage.act { bench in
            bench.now = bench.now + .milliseconds(400)
            bench.reachDeadline(of: NodeID(2))
        }
        var settings = Settings()
        settings.options.preVote = false
        var other = Stage(3, settings: settings)
        other.act { $0.reachDeadline(of: NodeID(2)) }
        other.happen(.node(NodeID(3), .zero, .raft(.halted(.invariant("broken")))))
        // A leader, one that asks, one that is down, one that is paused, a follower; a candidate, one that has halted.
        let all = roles(stage) + roles(other).dropFirst()
        #expect(Set(all).count == 7, "\(all.map { $0.map(\.text).joined() })")
    }

    @Test("without colours an entry that is committed differs from one that isn't, and from one that is only on disk")
    func cells() {
        let stage = Stage.scene(rows: 24, columns: 80)
        let lines = stage.screen.split(separator: "\n", omittingEmptySubsequences: false)
        // The leader has written entry 10, which isn't committed; n5 is down.
        let row = lines.firstIndex { $0.contains("n3 ★") && !$0.contains("LEADER") } ?? 0
        let down = lines.firstIndex { $0.contains("n5 ✕") && !$0.contains("down") } ?? 0
        func cell(_ index: Int, _ row: Int) -> Style? {
            looks(stage, row: row, columns: 6 + 3 * index..<7 + 3 * index).first?.style
        }
        #expect(cell(9, row) != cell(10, row))
        #expect(cell(1, down) != cell(1, row))
        #expect(cell(10, row)?.isUnderlined == true)
    }

    @Test("a rule that is off, an answer that is right and the line that is chosen are told by more than colour")
    func marks() {
        var stage = Stage.scene(rows: 60, columns: 120)
        stage.type("!")
        let kept = stage.screen
        var settings = Settings()
        settings.rules[.voteOncePerTerm] = false
        stage.happen(.settings(SettingsChanged(settings)))
        #expect(stage.screen.contains("OFF One vote") && !kept.contains("OFF One vote"))
        #expect(stage.screen.contains("WITHOUT voteOncePerTerm"))
        #expect(kept.contains("▌"))
        stage.press(.escape)
        let line = stage.screen.split(separator: "\n").firstIndex { $0.contains("n3 leads") } ?? 0
        stage.type("3")
        let isSelected = looks(stage, row: line, columns: 1..<8)
        stage.type("4")
        #expect(looks(stage, row: line, columns: 1..<8) != isSelected, "the events of the selected server stand out")
    }

    @Test("T goes through the themes, on pages too, and a lesson keeps the one that was chosen")
    func key() {
        var stage = Stage.scene(rows: 24, columns: 80)
        #expect(stage.model.taste.theme == .dark)
        #expect(stage.type("T") == [])
        #expect(stage.model.taste.theme == .light)
        #expect(stage.screen.contains("colours: light (T: contrast)"))
        stage.type("oT")
        #expect(stage.model.taste.theme == .contrast)
        #expect(stage.screen.contains("prevote"), "the page stays")
        stage.press(.escape)
        stage.type(":T")
        #expect(stage.model.taste.theme == .contrast, "in a line it is a letter")
        stage.update(.presenting(Script([]), name: "test"))
        #expect(stage.model.taste.theme == .contrast)
        stage.type("TT")
        #expect(stage.model.taste.theme == .dark)
    }
}

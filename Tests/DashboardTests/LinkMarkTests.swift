import Canvas
import KeyValue
import RaftCore
import RaftTrace
import Testing

@testable import Dashboard

/// Which links are cut or held, and which way.
struct LinkMarkTests {
    private func link(_ from: Int, _ to: Int, isCut: Bool = false, isHeld: Bool = false) -> Event.Kind {
        var state = LinkState(from: NodeID(from), to: NodeID(to))
        (state.isCut, state.isHeld) = (isCut, isHeld)
        return .link(state)
    }

    @Test("a link that is cut one way says which; one that is cut both ways has its mark in the middle")
    func cuts() {
        var stage = Stage(5, rows: 40, columns: 120)
        #expect(!stage.screen.contains("╳ cut"))
        stage.happen(link(1, 2, isCut: true))
        #expect(stage.screen.contains("╳1>2 ") || stage.screen.contains("1>2╳"))
        #expect(stage.screen.contains("? vote ╳ cut ╳1>2 one way ─┘"))
        stage.happen(link(2, 1, isCut: true))
        #expect(!stage.screen.contains("1>2"))
        #expect(stage.screen.contains("? vote ╳ cut ─┘"))
        stage.happen(link(1, 2))
        #expect(stage.screen.contains("╳2>1") || stage.screen.contains("2>1╳"))
        stage.happen(link(2, 1))
        #expect(!stage.screen.contains("╳"))
    }

    @Test("a link on which messages wait says which way, and in a narrow pane the legend is of links alone")
    func holds() {
        var stage = Stage(5, rows: 24, columns: 80)
        stage.happen(link(3, 1, isHeld: true))
        #expect(stage.screen.contains("‖3>1") || stage.screen.contains("3>1‖"))
        #expect(stage.screen.contains("─ ‖ held ─┘") && !stage.screen.contains("? vote"))
        stage.happen(link(1, 3, isHeld: true))
        #expect(!stage.screen.contains("3>1") && !stage.screen.contains("1>3"))
    }

    @Test("the help names the signs of links, in ASCII, too")
    func help() {
        for (isASCII, sign) in [(false, "╳1>2"), (true, "X1>2")] {
            var stage = Stage(3, rows: 40, columns: 120, isASCII: isASCII)
            stage.type("?cut one way")
            #expect(stage.screen.contains(sign))
        }
    }
}

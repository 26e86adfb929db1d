import Foundation
import Testing

/// Whatever is pressed, and however the window is drawn larger and smaller: the program goes on, and the screen is whole.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct RandomKeysInTmux {
    /// A row of numbers that is the same every time.
    private struct Row: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private static let names = [
        "Up", "Down", "Left", "Right", "Home", "End", "PageUp", "PageDown", "Enter", "Escape", "Tab", "BTab", "BSpace",
        "DC", "C-a", "C-e", "C-u", "C-w", "C-k", "C-l", "C-g", "C-n", "C-p",
    ]
    /// All that can be typed but what leaves the program, and what tmux itself would read.
    private static let letters = (0x20..<0x7f as Range<UInt8>).map { String(UnicodeScalar($0)) }.filter {
        !["q", ";", "\\", "\"", "#", "~", "$", "'", "{", "}"].contains($0)
    }

    /// Presses so many keys: a third of them have names.
    private func press(_ count: Int, in tmux: Tmux, _ random: inout Row) throws {
        for _ in 0..<count / 50 {
            let keys = (0..<50).map { _ in
                (Int.random(in: 0..<3, using: &random) == 0 ? Self.names : Self.letters).randomElement(using: &random)
                    ?? "Escape"
            }
            try tmux.pressAtOnce(keys)
        }
    }

    /// Waits until all keys were taken. They are taken in their order: when the help has come and gone, those before it have
    /// done what they do.
    private func settle(_ tmux: Tmux) throws {
        try tmux.press("?")
        try tmux.wait("the help") { $0.contains("type to filter") }
        try tmux.press("Escape")
        try tmux.wait("no help any more") { !$0.contains("type to filter") }
    }

    /// Goes back to the panes, stops the clock, and makes sure that the screen is what a fresh drawing of it is.
    private func checkScreen(of tmux: Tmux) throws {
        // Out of whatever is open, whatever it is; a line that is being typed is thrown away.
        try tmux.pressAtOnce(["C-u"] + Array(repeating: "Escape", count: 24))
        try settle(tmux)
        // The help is drawn over the panes: they may still be there for a moment where big type is to come.
        var hasLeftBigType = false
        try tmux.wait("the panes") { now in
            let isBig = now.contains("commit index")
            if isBig, !hasLeftBigType {
                hasLeftBigType = true
                try tmux.type("b")
            }
            return !isBig && now.contains("Cluster") && now.contains("Nodes")
        }
        try tmux.type(":freeze\n")
        let screen = try tmux.wait("a clock that stands still") { $0.contains("FROZEN") }
        #expect(screen.contains("raft-tui") || screen.contains("leader"))
        try tmux.pressAtOnce(["Escape", "End"])
        try settle(tmux)
        var shown = ""
        try tmux.wait("a screen that rests") { now in
            defer { shown = now }
            return now == shown
        }
        try tmux.press("C-l")
        try tmux.wait("the same screen, drawn anew, as\n\(shown)") { $0 == shown }
    }

    @Test("ten thousand random keys")
    func keys() throws {
        var random = Row(state: 5)
        let tmux = try Tmux(columns: 120, rows: 40)
        try tmux.shell("\(Program.path) --speed 1")
        try tmux.wait("a leader") { $0.contains("leader n") }
        let process = try tmux.process()
        try press(10_000, in: tmux, &random)
        try checkScreen(of: tmux)
        #expect(try tmux.process() == process, "it is the same program still")
        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") }
    }

    @Test("five hundred random sizes, with keys in between")
    func sizes() throws {
        var random = Row(state: 7)
        let tmux = try Tmux(columns: 120, rows: 40)
        try tmux.shell("\(Program.path) --speed 1 --nodes 3")
        try tmux.wait("a leader") { $0.contains("leader n") }
        for round in 0..<500 {
            try tmux.resize(
                columns: Int.random(in: 4...220, using: &random), rows: Int.random(in: 2...70, using: &random))
            if round % 10 == 0 { try press(50, in: tmux, &random) }
        }
        try tmux.resize(columns: 100, rows: 30)
        try checkScreen(of: tmux)
        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") }
    }
}

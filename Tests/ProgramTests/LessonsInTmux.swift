import Foundation
import Script
import Testing

/// Every lesson in a real terminal, by a presenter's remote, from its first step to its end.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct LessonsInTmux {
    /// What the lesson's pane says, and how many of the property's sentences are in the first line.
    private func lesson(in screen: String) -> String {
        screen.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
            .prefix { !$0.contains("Page Down: on") }.joined(separator: "\n")
    }

    /// Presses Page Down until the lesson ends, and answers how many steps it had.
    private func present(_ tmux: Tmux) throws -> Int {
        var presses = 0
        while true {
            let screen = try tmux.wait("a step") { $0.contains("Page Down: on") }
            let shown = lesson(in: screen)
            if shown.contains("The end:") { return presses }
            if shown.contains("The lesson stops") { throw Stopped(screen: screen) }
            // A broken property has stopped the clock, or does so while the lesson goes on; whoever presents lets it go on. By
            // a command, not by the key that stops it, too: what is seen may be so no more.
            var wasFrozen = false
            func thaw(_ screen: String) throws {
                let isFrozen = screen.contains("FROZEN")
                if isFrozen, !wasFrozen { try tmux.type(":thaw\n") }
                wasFrozen = isFrozen
            }
            try thaw(screen)
            if !shown.contains("… ") { try tmux.press("PageDown") }
            presses += 1
            try tmux.wait("the next step after\n\(shown)") { now in
                if lesson(in: now) != shown { return true }
                try thaw(now)
                return false
            }
        }
    }

    private struct Stopped: Error {
        var screen: String
    }

    @Test("a lesson is played from end to end", arguments: Lesson.all)
    func whole(lesson: Lesson) throws {
        let tmux = try Tmux(columns: 100, rows: 32)
        try tmux.shell("\(Program.path) lesson \(lesson.name) --speed 1")
        let steps = try present(tmux)
        #expect(steps >= (try lesson.script()).slideCount)
        try tmux.press("PageDown")
        try tmux.wait("the cluster alone") { !$0.contains("Page Down: on") && $0.contains("Cluster") }
        try tmux.type("q")
        try tmux.wait("the shell") { !$0.contains("Cluster") }
    }

    @Test("a step back shows the cluster as it was, and a lesson is left and taken up again")
    func back() throws {
        let tmux = try Tmux(columns: 100, rows: 32)
        try tmux.shell("\(Program.path) --speed 1")
        try tmux.wait("a leader") { $0.contains("leader n") }
        try tmux.type("s")
        try tmux.wait(for: "Election: how a leader comes to be")
        try tmux.press("Enter")
        try tmux.wait("the first step") { $0.contains("1 of ") && $0.contains("no leader") }
        for _ in 0..<40 {
            let screen = try tmux.wait("a step") { $0.contains("Page Down: on") }
            if screen.contains("leader n") { break }
            let shown = lesson(in: screen)
            if !shown.contains("… ") { try tmux.press("PageDown") }
            try tmux.wait("the next step") { lesson(in: $0) != shown || $0.contains("leader n") }
        }
        try tmux.wait("a step of the presenter's") { !lesson(in: $0).contains("… ") }
        try tmux.press("PageUp")
        try tmux.wait(for: "PAST")
        for _ in 0..<20 { try tmux.press("PageUp") }
        try tmux.wait("the beginning") { $0.contains("no leader") && $0.contains("1 of ") }
        try tmux.press("End")
        try tmux.wait("now") { $0.contains("leader n") && $0.contains("LIVE") }
        try tmux.press("Escape")
        try tmux.wait("free play") { !$0.contains("Page Down: on") }
        try tmux.type(":speed 1\n:set x 1\n")
        try tmux.wait(for: "set x 1 → ok")
        try tmux.type("s")
        try tmux.wait(for: "go on with: Election")
        try tmux.press("Enter")
        try tmux.wait(for: "Page Down: on")
    }

    @Test("somebody's own script is presented like a lesson, and begins anew")
    func own() throws {
        let tmux = try Tmux(columns: 100, rows: 32)
        let script = """
            title "My own"
            cluster 3
            say "First."
            wait leader
            set x 1
            say "Second."
            """
        try script.write(toFile: tmux.homePath + "/own.raft", atomically: true, encoding: .utf8)
        try tmux.shell("\(Program.path) play \(tmux.homePath)/own.raft --speed 1")
        try tmux.wait(for: "First.")
        try tmux.press("PageDown")
        try tmux.wait(for: "Second.")
        try tmux.type("r")
        try tmux.wait(for: "r again begins the lesson anew")
        try tmux.type("r")
        try tmux.wait(for: "First.")
        try tmux.press("PageDown")
        try tmux.wait(for: "Second.")
        try tmux.press("PageDown")
        try tmux.wait(for: "The end:")
    }
}

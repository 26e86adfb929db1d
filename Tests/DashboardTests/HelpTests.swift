import Canvas
import Testing

@testable import Dashboard

/// The help, in terminals of all sizes.
struct HelpTests {
    @Test("in the smallest terminal all of the help can be read, page by page", arguments: [(12, 40), (24, 80)])
    func pages(rows: Int, columns: Int) {
        var stage = Stage(3, rows: rows, columns: columns)
        stage.type("?")
        var seen = ""
        var last = ""
        while stage.screen != last {
            last = stage.screen
            seen += last
            stage.press(.pageDown)
        }
        let words = Set(seen.split { !$0.isLetter && $0 != "'" })
        for line in Help.lines(matching: "", stage.model) {
            for word in line.right.split(whereSeparator: { !$0.isLetter && $0 != "'" }) {
                #expect(words.contains(word), "\(word) of: \(line.right)")
            }
        }
        for _ in 0..<200 { stage.press(.pageUp) }
        #expect(stage.screen.contains("select a node"))
        stage.press(.escape)
        #expect(!stage.screen.contains("select a node"))
    }

    @Test("the help says which part of it is shown, and doesn't go beyond its end")
    func part() {
        var stage = Stage(3, rows: 24, columns: 80)
        stage.type("?")
        let count = stage.model.helpRows(matching: "", columns: 80).count
        #expect(stage.screen.contains("1 to 19 of \(count)"))
        for _ in 0..<count { stage.press(.pageDown) }
        #expect(stage.screen.contains("\(count - 18) to \(count) of \(count)"))
        stage.press(.up)
        #expect(stage.screen.contains("\(count - 19) to \(count - 1) of \(count)"))
    }
}

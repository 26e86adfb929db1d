import Bench
import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Testing

@testable import Dashboard

/// What the screen marks when a property is broken.
struct FaultTests {
    /// Whether the first cell that says `text` in a row that begins with `start` is marked.
    private func isMarked(_ text: String, inRowWith start: String, _ stage: Stage) -> Bool? {
        let canvas = stage.model.view().canvas
        for row in 0..<canvas.size.rows {
            let line = canvas.row(row).map(\.text).joined()
            guard line.contains(start) else { continue }
            return canvas.row(row).contains { $0.text == text && $0.style.ink == .vermilion && $0.style.isReversed }
        }
        return nil
    }

    @Test("a broken property freezes the cluster, names itself, and marks the entry on the server at fault")
    func entry() throws {
        var stage = Stage(3)
        stage.act { $0.elect(NodeID(1)) }
        stage.act { bench in
            for number in 1...3 as ClosedRange<UInt64> {
                _ = bench.perform(.set(key: "x".bytes, value: "\(number)".bytes), sequence: number)
            }
        }
        #expect(isMarked("1", inRowWith: "│n1 ★", stage) == false)
        stage.happen(.node(NodeID(2), Term(1), .applied(Applied(index: LogIndex(2), key: "z".bytes, value: "9".bytes))))
        #expect(stage.effects == [.perform(.freeze)])
        #expect(stage.screen.contains("NOT SAFE"))
        #expect(stage.screen.contains("state-machine-safety: n2 applies entry 2"))
        #expect(isMarked("1", inRowWith: "│n2 ○", stage) == true)
        #expect(isMarked("1", inRowWith: "│n1 ★", stage) == false)
        stage.type("!")
        stage.press(.escape, .left, .left, .left)
        #expect(isMarked("1", inRowWith: "│n2 ○", stage) == false, "it was well before")
        #expect(!stage.screen.contains("NOT SAFE"))
    }

    @Test("the call that nothing explains is marked among the calls")
    func call() {
        var stage = Stage(3, rows: 40, columns: 120)
        stage.act { $0.elect(NodeID(1)) }
        let key = "x".bytes
        for (number, value) in [(1, "1"), (2, "2")] as [(UInt64, String)] {
            stage.happen(
                .called(ClientCall(client: "c1", call: number, request: .write(.set(key: key, value: value.bytes)))))
            stage.happen(.returned(ClientReturn(client: "c1", call: number, result: .ok)))
        }
        stage.happen(.called(ClientCall(client: "c1", call: 3, request: .get(key: key, .readindex))))
        stage.happen(.returned(ClientReturn(client: "c1", call: 3, result: .value("1".bytes))))
        stage.type("a")
        #expect(stage.screen.contains("linearizability: c1 is answered ok 1 to get x (call 3)"))
        let lines = stage.screen.split(separator: "\n")
        #expect(lines.count { $0.contains("!c1") } == 1)
        #expect(lines.first { $0.contains("!c1") }?.contains("get x") == true)
    }
}

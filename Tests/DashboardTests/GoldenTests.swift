import Bench
import Canvas
import Foundation
import KeyValue
import RaftCore
import RaftNode
import RaftTrace
import Testing

@testable import Dashboard

/// What is drawn, as text, against what was looked at and found right. To look again: UPDATE_GOLDENS=1 swift test.
struct GoldenTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens")

    private func check(_ stage: Stage, _ name: String) throws {
        let canvas = stage.model.view().canvas
        #expect(canvas.size == stage.model.size)
        for row in 0..<canvas.size.rows {
            let text = canvas.row(row).map(\.text).joined()
            #expect(Glyph.width(of: text) == canvas.size.columns, "row \(row) of \(name)")
            if stage.model.isASCII {
                #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }, "row \(row) of \(name)")
            }
        }
        let file = Self.directory.appending(path: name + ".txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] != nil {
            try stage.screen.write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        #expect(stage.screen == golden, "the screen differs from \(name).txt:\n\(stage.screen)")
    }

    @Test("the whole screen, in the smallest sizes", arguments: [(12, 40), (18, 60), (11, 40)] as [(Int, Int)])
    func sizes(rows: Int, columns: Int) throws {
        try check(.scene(rows: rows, columns: columns), "whole-\(columns)x\(rows)")
    }

    @Test("every view, in each size, with all letters and with ASCII", arguments: View.allCases, [false, true])
    func views(view: View, isASCII: Bool) throws {
        for (rows, columns) in [(24, 80), (40, 120), (60, 200)] {
            let name = "\(view.rawValue)-\(columns)x\(rows)\(isASCII ? "-ascii" : "")"
            try check(view.stage(rows: rows, columns: columns, isASCII: isASCII), name)
        }
    }

    @Test("logs whose beginning a snapshot stands for, and a cluster that one server has left")
    func snapshotAndMembers() throws {
        var stage = Stage(5, rows: 40, columns: 120)
        let nodes = (1...5).map { NodeID($0) }
        stage.act { $0.elect(nodes[0]) }
        stage.act { bench in
            for number in 1...12 as ClosedRange<UInt64> {
                _ = bench.perform(.set(key: "k".bytes, value: "\(number)".bytes), sequence: number)
            }
            bench.step(.takeSnapshot, on: nodes[0])
            bench.step(.changeMembers(adding: [], removing: [nodes[4]]), on: nodes[0])
            bench.deliver()
            bench.reachDeadline(of: nodes[0])
            bench.deliver()
            bench.step(.takeSnapshot, on: nodes[1])
        }
        #expect(stage.screen.contains("[snapshot ≤13 t1]"))
        #expect(stage.screen.contains("quorum 3/4"))
        try check(stage, "snapshot-120x40")
    }

    @Test("the help on one thing")
    func help() throws {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type("?link")
        try check(stage, "help-link-80x24")
        stage = Stage.scene(rows: 12, columns: 40)
        stage.type("?link")
        try check(stage, "help-link-40x12")
    }

    @Test("the prompt, with what can stand there")
    func prompt() throws {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type(":kill ")
        try check(stage, "prompt-80x24")
    }

    @Test("each pane with the whole screen")
    func zoomed() throws {
        var stage = Stage.scene(rows: 24, columns: 80)
        stage.type("+")
        for pane in ["nodes", "logs", "store", "events", "cluster"] {
            try check(stage, "zoomed-\(pane)-80x24")
            stage.press(.tab)
        }
    }

    @Test("one server, and nine", arguments: [1, 3, 9])
    func clusters(nodes: Int) throws {
        var stage = Stage(nodes)
        stage.act { $0.reachDeadline(of: NodeID(1)) }
        stage.act { $0.elect(NodeID(1)) }
        try check(stage, "nodes-\(nodes)-80x24")
    }

    @Test(
        "a leader's lease, and the round in which it asks whether it still leads",
        arguments: [(24, 80), (40, 120), (60, 200), (12, 40)] as [(Int, Int)])
    func reads(rows: Int, columns: Int) throws {
        var stage = Stage.reads(rows: rows, columns: columns)
        try check(stage, "reads-\(columns)x\(rows)")
        guard columns == 80 else { return }
        stage.type("+")
        try check(stage, "reads-zoomed-80x24")
    }

    @Test("before anything is known")
    func nothing() throws {
        let model = Model(size: Size(rows: 24, columns: 80), isASCII: false, speed: 1)
        #expect(model.view().canvas.text.contains("no leader"))
    }
}

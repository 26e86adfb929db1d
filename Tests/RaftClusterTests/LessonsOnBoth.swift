import Laboratory
import RaftCluster
import RaftCore
import RaftSimulation
import Script
import Testing

/// The lessons, played on both laboratories like the scripts of the tests: what a lesson tells is so every time.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct LessonsOnBoth {
    /// What the dashboard starts with.
    private static let usualLatency: ClosedRange<Interval> = .milliseconds(10) ... .milliseconds(30)

    @Test("a lesson holds on real servers", arguments: Lesson.all)
    func live(lesson: Lesson) throws {
        let script = try lesson.script()
        let laboratory = try LiveCluster(.init(nodes: script.nodes))
        defer { laboratory.close() }
        check(lesson, Performance(of: script, on: laboratory))
    }

    @Test("a lesson holds in simulated worlds, whether messages take their time or not", arguments: Lesson.all)
    func simulated(lesson: Lesson) throws {
        let script = try lesson.script()
        for seed in 1...20 as ClosedRange<UInt64> {
            let latency = seed.isMultiple(of: 2) ? LessonsOnBoth.usualLatency : .zero ... .zero
            let nodes = script.nodes ?? LiveCluster.usualSize
            let laboratory = SimulatedCluster(.init(nodes: nodes, seed: seed, latency: latency))
            check(lesson, Performance(of: script, on: laboratory), ", seed \(seed)")
        }
    }

    @Test("a lesson holds where the audience takes its time", arguments: Lesson.all)
    func slow(lesson: Lesson) throws {
        let script = try lesson.script().withPauses(of: .seconds(1))
        for seed in 1...5 as ClosedRange<UInt64> {
            let nodes = script.nodes ?? LiveCluster.usualSize
            let laboratory = SimulatedCluster(.init(nodes: nodes, seed: seed, latency: LessonsOnBoth.usualLatency))
            check(lesson, Performance(of: script, on: laboratory), " with pauses, seed \(seed)")
        }
    }

    /// Nothing of a lesson is there in vain.
    private func check(_ lesson: Lesson, _ performance: Performance, _ circumstances: String = "") {
        performance.check(lesson.name + circumstances)
        for line in performance.lines {
            let isInVain = line.contains("→ refused: ") || line.hasSuffix("→ never came true")
            #expect(!isInVain, "\(lesson.name)\(circumstances): \(line)")
        }
    }
}

extension Script {
    /// The script with a pause after every sentence and every question, while the servers run and their clock does.
    fileprivate func withPauses(of length: Interval) -> Script {
        var paused: [Statement] = []
        var isRunning = false
        for statement in statements {
            paused.append(statement)
            switch statement.kind {
            case .say, .ask:
                if isRunning { paused.append(Statement(line: statement.line, kind: .sleep(length))) }
            case .command(.freeze): isRunning = false
            default:
                if !statement.kind.isPrologue { isRunning = true }
            }
        }
        return Script(paused)
    }
}

import Bench
import Canvas
import KeyValue
import RaftCore
import RaftTrace
import Script

@testable import Dashboard

/// What the screen can show: the panes, and all that opens over them or takes their place.
enum View: String, CaseIterable {
    case whole
    case help
    case sentence = "lesson-sentence"
    case question = "lesson-question"
    case lessons
    case node = "page-node"
    case messages = "page-messages"
    case message = "page-message"
    case entries = "page-entries"
    case clients = "page-clients"
    case options = "page-options"
    case rules = "page-rules"
    case why = "page-why"
    case past
    case frozen
    case big
    case bigSentence = "big-sentence"
    case bigQuestion = "big-question"

    /// A dashboard that shows it.
    func stage(rows: Int, columns: Int, isASCII: Bool) -> Stage {
        switch self {
        case .sentence, .question, .bigSentence, .bigQuestion: lesson(rows, columns, isASCII)
        default: scene(rows, columns, isASCII)
        }
    }

    private func scene(_ rows: Int, _ columns: Int, _ isASCII: Bool) -> Stage {
        var stage = Stage.scene(rows: rows, columns: columns, isASCII: isASCII)
        switch self {
        case .whole, .sentence, .question, .bigSentence, .bigQuestion: break
        case .help: stage.type("?")
        case .lessons: stage.type("s")
        case .node: stage.type("3\n")
        case .messages: stage.press(.backTab, .enter)
        case .message: stage.press(.backTab, .enter, .enter)
        case .entries: stage.press(.tab, .enter)
        case .clients: ask(&stage)
        case .options: stage.type("o")
        case .rules: stage.type("!")
        case .why: stage.type("/leads term 2\ne")
        case .past: stage.press(.left, .left, .left, .left)
        case .frozen: stage.happen(.clock(.init(rate: 0)))
        case .big: stage.type("b")
        }
        return stage
    }

    /// Two calls, one of which is answered, and a fault.
    private func ask(_ stage: inout Stage) {
        let write = ClientCall(client: "c1", call: 1, request: .write(.set(key: "x".bytes, value: "1".bytes)))
        stage.happen(.called(write))
        stage.happen(.returned(ClientReturn(client: "c1", call: 1, result: .ok)))
        stage.happen(.command(CommandDone(text: "kill leader")))
        stage.act { $0.crash(NodeID(3)) }
        stage.act { $0.now = $0.now + .milliseconds(250) }
        stage.happen(
            .called(ClientCall(client: "c2", call: 2, request: .get(key: "x".bytes, .readindex), via: NodeID(2))))
        stage.type("a")
    }

    /// A lesson on five servers that have elected n2.
    private func lesson(_ rows: Int, _ columns: Int, _ isASCII: Bool) -> Stage {
        let question = Question("Who of them can lead term 2?", choices: ["n1", "n1 or n2", "each of them"], answer: 3)
        let sentence = """
            Nobody has heard of a leader yet, and every node waits for one; the first whose patience ends asks all others \
            for their votes.
            """
        let script = Script([
            Statement(line: 1, kind: .title("Elections")), Statement(line: 2, kind: .say(sentence)),
            Statement(line: 3, kind: .ask(question)),
        ])
        var stage = Stage(5, rows: rows, columns: columns, isASCII: isASCII)
        stage.update(.presenting(script, name: "elections"))
        stage.update(.events(stage.bench.events, now: stage.bench.now))
        if self == .bigSentence || self == .bigQuestion { stage.type("b") }
        stage.update(.progress(LectureProgress(slide: .sentence(sentence), work: nil, ending: nil)))
        guard self == .question || self == .bigQuestion else { return stage }
        stage.act { $0.elect(NodeID(2)) }
        stage.update(.progress(LectureProgress(slide: .question(question, isAnswered: false), work: nil, ending: nil)))
        stage.type("2")
        stage.update(.progress(LectureProgress(slide: .question(question, isAnswered: true), work: nil, ending: nil)))
        return stage
    }
}

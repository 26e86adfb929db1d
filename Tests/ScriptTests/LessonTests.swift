import Foundation
import Testing

@testable import Script

struct LessonTests {
    /// How long a sentence may be to have room on two lines of a screen of 80 columns.
    private static let sentenceMax = 150

    @Test("every lesson that there is can be called by its name, and no two have the same")
    func table() throws {
        let directory = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/Script/Lessons")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(files.sorted() == Lesson.all.map { "\($0.name).raft" }.sorted())
        for lesson in Lesson.all {
            let text = try String(contentsOf: directory.appending(path: "\(lesson.name).raft"), encoding: .utf8)
            #expect(Lesson(named: lesson.name)?.text == text, "\(lesson.name) is another one's text")
        }
        #expect(Set(try Lesson.all.map { try $0.script().title }).count == Lesson.all.count)
    }

    @Test(
        "a lesson says what it is, where it comes from and how many nodes it needs, asks, and expects",
        arguments: Lesson.all)
    func parts(lesson: Lesson) throws {
        let script = try lesson.script()
        #expect(script.title != nil)
        #expect(script.source?.contains("§") == true)
        #expect(script.nodes != nil)
        let kinds = script.statements.map(\.kind)
        #expect(kinds.contains { if case .ask = $0 { true } else { false } })
        #expect(kinds.contains { if case .expect = $0 { true } else { false } })
    }

    @Test("a lesson that is printed is read as what it was", arguments: Lesson.all)
    func roundTrip(lesson: Lesson) throws {
        let script = try lesson.script()
        let again = try Script(parsing: "\(script)", nodes: nil)
        #expect(again.statements.map(\.kind) == script.statements.map(\.kind))
        #expect("\(again)" == "\(script)")
    }

    @Test("a lesson's sentences are sentences, and short enough for two lines", arguments: Lesson.all)
    func sentences(lesson: Lesson) throws {
        for statement in try lesson.script().statements {
            let sentence: String
            switch statement.kind {
            case .say(let text): sentence = text
            case .ask(let question): sentence = question.sentence
            default: continue
            }
            #expect(sentence.count <= LessonTests.sentenceMax, "line \(statement.line) has \(sentence.count) letters")
            #expect(sentence.last.map { ".?!".contains($0) } == true, "line \(statement.line) has no end")
        }
    }
}

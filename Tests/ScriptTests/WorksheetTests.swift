import Testing

@testable import Script

struct WorksheetTests {
    private let text = """
        title "Two <nodes>"
        source "Raft paper, §5.2"
        cluster 2
        boot 1 term=1 log=1,1,1,1,1,1,1,1
        say "The first sentence of this story is so long that it has to be wrapped, and so it goes on here, *plainly*."
        ask "What comes?" "this" "that" answer 2
        wait leader
        say "That."
        ask "And then?" "nothing" "nobody knows" answer 1
        """

    @Test("a page has the story, room to draw, and the questions")
    func page() throws {
        let table = """
            | node |  1 |  2 |  3 |  4 |  5 |  6 |  7 |  8 |  9 |
            | ---- | -- | -- | -- | -- | -- | -- | -- | -- | -- |
            | n1   |    |    |    |    |    |    |    |    |    |
            | n2   |    |    |    |    |    |    |    |    |    |
            """
        let expected = """
            # Two \\<nodes\\>

            Source: Raft paper, §5.2

            Name:

            ## The story

            1. The first sentence of this story is so long that it has to be wrapped, and so
               it goes on here, \\*plainly\\*.

            Now comes question 1. Draw the logs as they are before you answer it:

            \(table)

            2. What do you see? .........................................................

            Now comes question 2. Draw the logs as they are before you answer it:

            \(table)

            ## Questions

            1. What comes?

               - [ ] this
               - [ ] that

            2. And then?

               - [ ] nothing
               - [ ] nobody knows

            """
        #expect(try Script(parsing: text, nodes: nil).worksheet == expected)
    }

    @Test("a page is the same whatever the answers are")
    func withoutAnswers() throws {
        let other = text.replacing("answer 2", with: "answer 1").replacing("answer 1", with: "answer 2")
        #expect(try Script(parsing: text, nodes: nil).worksheet == Script(parsing: other, nodes: nil).worksheet)
    }

    @Test("a number at the beginning of a line begins no list, and there are no more than three tables")
    func signs() throws {
        let words = String(repeating: "abcdefghi ", count: 7) + "abcdef"
        let asks = String(repeating: "ask \"Now?\" \"yes\" \"no\" answer 1\n", count: 5)
        let page = try Script(parsing: "cluster 3\nsay \"\(words) 1. more - less\"\n" + asks, nodes: nil).worksheet
        #expect(page.contains("abcdef\n   1\\. more - less\n"))
        #expect(page.ranges(of: "| node |").count == 3)
        #expect(page.contains("\nNow comes question 5.\n"))
    }

    @Test(
        "a lesson's page has its sentences, but for those that answer a question, and its choices, in lines of at most 80 columns",
        arguments: Lesson.all)
    func lessons(lesson: Lesson) throws {
        let page = try lesson.worksheet
        for line in page.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let flat = page.split { $0 == " " || $0 == "\n" }.joined(separator: " ").replacing("\\", with: "")
        var isAnswerNext = false
        for statement in try lesson.script().statements {
            switch statement.kind {
            case .title(let text), .source(let text): #expect(flat.contains(text))
            case .say(let text):
                #expect(flat.contains(text) != isAnswerNext, "\(text)")
                isAnswerNext = false
            case .ask(let question):
                isAnswerNext = true
                #expect(flat.contains(question.sentence))
                for choice in question.choices { #expect(flat.contains("- [ ] \(choice)")) }
            default: break
            }
        }
        #expect(!page.contains("[x]") && !page.contains("answer:"))
    }
}

/// Something that the audience predicts before it is shown.
public struct Question: Hashable, Sendable {
    /// What is asked.
    public var sentence: String
    /// What can be answered, two things at least.
    public var choices: [String]
    /// The place of the right one, counted from 1.
    public var answer: Int

    /// A question.
    public init(_ sentence: String, choices: [String], answer: Int) {
        self.sentence = sentence
        self.choices = choices
        self.answer = answer
    }

    /// How many choices a question may have: each is a digit's key.
    static let choicesMax = 9

    /// The right answer, with its number: `2 nobody`.
    public var solution: String { "\(answer) \(choices[answer - 1])" }

    /// The choices, a line each, with their numbers.
    public var lines: [String] { choices.enumerated().map { "\($0.offset + 1) \($0.element)" } }
}

extension Question: CustomStringConvertible {
    /// The question as a script has it.
    public var description: String {
        let choices = choices.map(Statement.quoted).joined(separator: " ")
        return "ask \(Statement.quoted(sentence)) \(choices) answer \(answer)"
    }
}

extension LineParser {
    /// Reads `"…" "choice" "choice" answer 2`.
    mutating func question() throws(ScriptError) -> Question {
        let sentence = try text("a question")
        var choices: [String] = []
        while let next, next.isQuoted || next.text != "answer" { choices.append(try text("a choice")) }
        guard (2...Question.choicesMax).contains(choices.count) else {
            throw ScriptError(
                "a question has 2 to \(Question.choicesMax) choices, not \(choices.count)", column: column)
        }
        guard takes("answer") else { throw ScriptError("'answer' and the right choice are missing", column: column) }
        return Question(sentence, choices: choices, answer: try count("the right choice", in: 1...choices.count))
    }
}

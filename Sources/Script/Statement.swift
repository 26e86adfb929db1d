import KeyValue
import Laboratory
import RaftAudit
import RaftCore

/// One line of a script.
public struct Statement: Hashable, Sendable {
    /// Where it stands, counted from 1.
    public var line: Int
    /// What it says.
    public var kind: Kind

    /// A line.
    public init(line: Int, kind: Kind) {
        self.line = line
        self.kind = kind
    }

    /// What a line says.
    public enum Kind: Hashable, Sendable {
        /// What the script is called.
        case title(String)
        /// Where it comes from.
        case source(String)
        /// A fresh cluster of so many servers.
        case cluster(Int)
        /// What a server's disk holds before it starts.
        case boot(Boot)
        /// This property is meant to be broken.
        case tolerate(Property)
        /// A sentence for the audience.
        case say(String)
        /// The audience predicts what will happen.
        case ask(Question)
        /// Something is done to the cluster.
        case command(Command)
        /// Cluster time passes.
        case sleep(Interval)
        /// Go on when this is true, or fail after a while.
        case wait(Condition, within: Interval)
        /// Fail unless this is true now.
        case expect(Condition)
        /// As soon as this is true, do that, before anything of the step that made it true leaves its server.
        case when(Condition, Command)
    }

    /// How long `wait` waits unless it says so.
    public static let usualPatience = Interval.seconds(10)
}

/// A script, read whole.
public struct Script: Hashable, Sendable {
    /// Its lines, but for those that say nothing.
    public var statements: [Statement]

    /// A script of these lines.
    public init(_ statements: [Statement]) { self.statements = statements }

    /// Reads a script.
    ///
    /// - Parameter nodes: The number of servers before a line says it.
    /// - Throws: ``ScriptError`` at the first line that can't be read; nothing of such a script is to be run.
    public init(parsing text: String, nodes: Int?) throws(ScriptError) {
        var nodes = nodes
        statements = []
        // By scalars: a line may end in a carriage return, which is a blank.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (place, line) in lines.enumerated() {
            let number = place + 1
            do throws(ScriptError) {
                guard let kind = try Statement.Kind(parsing: String(line), nodes: nodes) else { continue }
                try checkPlace(of: kind)
                if case .cluster(let count) = kind { nodes = count }
                if case .command(.members(let added, _)) = kind, let last = added.max(), let known = nodes {
                    nodes = max(known, Int(last.rawValue))
                }
                statements.append(Statement(line: number, kind: kind))
            } catch {
                var error = error
                error.line = number
                throw error
            }
        }
    }

    /// Makes sure that a line may stand after those that there are.
    private func checkPlace(of kind: Statement.Kind) throws(ScriptError) {
        switch kind {
        case .cluster:
            guard statements.allSatisfy(\.kind.isHeading) else {
                throw ScriptError("'cluster' comes before every line but title and source", column: 1)
            }
        case .boot(let boot):
            guard statements.allSatisfy(\.kind.isPrologue) else {
                throw ScriptError("'boot' comes before anything that lets the nodes start", column: 1)
            }
            for case .boot(let other) in statements.map(\.kind) {
                guard other.node != boot.node else { throw ScriptError("\(boot.node) has its disk already", column: 6) }
                if let index = boot.conflict(with: other) {
                    throw ScriptError(
                        "the logs of \(other.node) and \(boot.node) break Log Matching at entry \(index): one term has one entry there, after the same ones",
                        column: 6)
                }
            }
        default: break
        }
    }

    /// The number of servers that the script asks for; `nil` where it doesn't.
    public var nodes: Int? {
        for case .cluster(let count) in statements.map(\.kind) { return count }
        return nil
    }
}

extension Statement.Kind {
    fileprivate var isHeading: Bool {
        switch self {
        case .title, .source: true
        default: false
        }
    }

    /// Whether the servers need not run yet for it.
    public var isPrologue: Bool {
        switch self {
        case .title, .source, .cluster, .boot, .tolerate, .say, .ask, .when: true
        case .command(let command):
            switch command {
            case .option, .rule, .latency, .hold, .nodes(.holdTimer, _): true
            default: false
            }
        case .sleep, .wait, .expect: false
        }
    }

    /// Whether it would wait for ever while the clock stands still.
    var takesTime: Bool {
        switch self {
        case .sleep, .wait: true
        case .command(.client(let command)): !command.isBackground
        default: false
        }
    }

    /// Reads a line; `nil` where it says nothing.
    public init?(parsing line: String, nodes: Int?) throws(ScriptError) {
        var parser = try LineParser(line, nodes: nodes)
        guard let word = parser.take() else { return nil }
        let name = word.isQuoted ? "" : word.text
        switch name {
        case "title": self = .title(try parser.text("a title"))
        case "source": self = .source(try parser.text("a source"))
        case "cluster": self = .cluster(try parser.count("a cluster's size", in: 1...9))
        case "say": self = .say(try parser.text("a sentence"))
        case "ask": self = .ask(try parser.question())
        case "sleep": self = .sleep(try parser.patience("a sleep"))
        case "wait":
            let condition = try parser.condition()
            let patience = parser.takes("within") ? try parser.patience("a time") : Statement.usualPatience
            self = .wait(condition, within: patience)
        case "expect": self = .expect(try parser.condition())
        case "boot": self = .boot(try parser.boot())
        case "tolerate": self = .tolerate(try parser.property())
        case "when":
            let condition = try parser.condition()
            guard parser.takes("do") else { throw ScriptError("'do' and a command are missing", column: parser.column) }
            let word = try parser.require("a command")
            guard let command = try parser.command(named: word.isQuoted ? "" : word.text) else {
                throw ScriptError(
                    "'\(word.text)' can't be armed: a command can"
                        + Spelling.hint(for: word.text, among: Catalogue.commandNames),
                    column: word.column)
            }
            self = .when(condition, command)
        default:
            if Catalogue.items.contains(where: { $0.name == name && $0.chapter == .prompt }) {
                throw ScriptError("'\(name)' is for the prompt", column: word.column)
            }
            guard let command = try parser.command(named: name) else {
                throw ScriptError(
                    "unknown command '\(word.text)'" + Spelling.hint(for: name, among: Catalogue.names),
                    column: word.column)
            }
            self = .command(command)
        }
        try parser.finish()
    }
}

extension Statement.Kind: CustomStringConvertible {
    /// The line as it is written.
    public var description: String {
        switch self {
        case .title(let text): "title \(Statement.quoted(text))"
        case .source(let text): "source \(Statement.quoted(text))"
        case .cluster(let count): "cluster \(count)"
        case .say(let text): "say \(Statement.quoted(text))"
        case .ask(let question): question.description
        case .command(let command): command.description
        case .sleep(let length): "sleep \(DurationText.text(of: length))"
        case .wait(let condition, Statement.usualPatience): "wait \(condition)"
        case .wait(let condition, let patience): "wait \(condition) within \(DurationText.text(of: patience))"
        case .expect(let condition): "expect \(condition)"
        case .boot(let boot): boot.description
        case .tolerate(let property): "tolerate \(property.rawValue)"
        case .when(let condition, let command): "when \(condition) do \(command)"
        }
    }
}

extension Statement {
    /// `text` in quotes, as a script has it.
    static func quoted(_ text: String) -> String {
        let word = Word.quoted(Array(text.utf8))
        return word.utf8.first == UInt8(ascii: "\"") ? word : "\"\(word)\""
    }
}

extension Script: CustomStringConvertible {
    /// The script as text, a line a statement.
    public var description: String { statements.map { "\($0.kind)\n" }.joined() }
}

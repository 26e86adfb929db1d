/// A script for an audience, with its questions, as it comes with the program.
public struct Lesson: Sendable {
    /// The name by which it is started, like `figure-8`.
    public let name: String
    /// The script as text.
    public let text: String
    /// What it is called, as its first line says.
    public let title: String

    private init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        text = String(decoding: bytes, as: UTF8.self)
        let line = text.prefix { $0 != "\n" }
        title = (try? Script(parsing: String(line), nodes: nil))?.title ?? name
    }

    /// The lessons, in the order in which they build on each other.
    public static let all: [Lesson] = [
        Lesson("election", PackageResources.election_raft),
        Lesson("leader-crash", PackageResources.leader_crash_raft),
        Lesson("commit", PackageResources.commit_raft),
        Lesson("minority", PackageResources.minority_raft),
        Lesson("stale-read", PackageResources.stale_read_raft),
        Lesson("split-vote", PackageResources.split_vote_raft),
        Lesson("figure-7", PackageResources.figure_7_raft),
        Lesson("figure-8", PackageResources.figure_8_raft),
        Lesson("disruptive-rejoin", PackageResources.disruptive_rejoin_raft),
        Lesson("deaf-leader", PackageResources.deaf_leader_raft),
        Lesson("vote-on-disk", PackageResources.vote_on_disk_raft),
        Lesson("zombie-leader", PackageResources.zombie_leader_raft),
        Lesson("snapshot", PackageResources.snapshot_raft),
        Lesson("exactly-once", PackageResources.exactly_once_raft),
        Lesson("false-acknowledgement", PackageResources.false_acknowledgement_raft),
        Lesson("timing", PackageResources.timing_raft),
    ]

    /// The lesson called `name`; `nil` where there is none.
    public init?(named name: String) {
        guard let lesson = Lesson.all.first(where: { $0.name == name }) else { return nil }
        self = lesson
    }

    /// What to tell somebody who asked for `name`, where there is no such lesson.
    public static func unknown(_ name: String) -> String {
        "no lesson is called '\(name)'" + Spelling.hint(for: name, among: all.map(\.name))
            + ": raft-tui lessons lists them"
    }

    /// The script.
    ///
    /// - Throws: ``ScriptError`` where it can't be read, which is a mistake in the program.
    public func script() throws(ScriptError) -> Script { try Script(parsing: text, nodes: nil) }
}

extension Lesson: CustomStringConvertible {
    /// Its name.
    public var description: String { name }
}

extension Script {
    /// What the script is called; `nil` where it doesn't say so.
    public var title: String? {
        for case .title(let text) in statements.map(\.kind) { return text }
        return nil
    }

    /// Where it comes from; `nil` where it doesn't say so.
    public var source: String? {
        for case .source(let text) in statements.map(\.kind) { return text }
        return nil
    }
}

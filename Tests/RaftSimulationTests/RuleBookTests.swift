import RaftCore
import RaftTrace
import Testing

/// The rule book, and what is seen of it in the scripts.
@Suite(.timeLimit(.minutes(10)))
struct RuleBookTests {
    @Test("lines are short, each has a name of its own, and groups stand together")
    func form() {
        #expect((28...40).contains(RuleLine.all.count))
        #expect(Set(RuleLine.all.map(\.id)).count == RuleLine.all.count)
        #expect(Set(RuleLine.all.map(\.sentence)).count == RuleLine.all.count)
        for line in RuleLine.all {
            #expect((20...64).contains(line.sentence.count), "\(line.id) has \(line.sentence.count)")
            #expect(!line.sentence.hasSuffix("."))
            #expect(line.section.contains("§") || line.section == "Figure 2")
        }
        let groups = RuleLine.all.map(\.group)
        let changes = zip(groups, groups.dropFirst()).count { $0 != $1 }
        #expect(changes + 1 == RuleLine.Group.allCases.count)
        #expect(groups.first == .allServers && groups.last == .extensions)
    }

    @Test("every rule that can be switched off has its line", arguments: Rule.allCases)
    func switches(rule: Rule) {
        #expect(RuleLine.all.count { $0.rule == rule } == 1)
        #expect(RuleLine.line(of: rule)?.rule == rule)
    }

    /// The rules that hold something back without a word.
    private static let unseen: Set<Rule> = [
        .readIndexNeedsOwnTermCommit, .keepMatchingSuffix, .answerByIndexAndTerm,
    ]
    /// The rules that a laboratory holds already when it is given the command.
    private static let refusedBefore: Set<Rule> = [.oneChangeAtATime, .configurationAfterOwnCommit]

    @Test("every line is seen at work in a script")
    func seen() throws {
        var seen: Set<RuleLine> = []
        for name in ScriptTrace.names {
            for event in try ScriptTrace.events(of: name) { if let line = event.firedRule?.line { seen.insert(line) } }
        }
        let unseen = RuleLine.all.filter { !seen.contains($0) }
        #expect(Set(unseen.map(\.rule)) == Set(Self.unseen.union(Self.refusedBefore).map { Optional($0) }))
    }

    @Test("a rule is seen on the server that keeps it")
    func nodes() throws {
        for event in try ScriptTrace.events(of: "figure-8.raft") {
            guard let fired = event.firedRule else { continue }
            switch event.kind {
            case .node(let node, _, _): #expect(fired.node == node)
            case .sent(let sent): #expect(fired.node == sent.message.from)
            default: Issue.record("\(event.explanation.line) shows a rule")
            }
        }
    }

    @Test(
        "what decides shows its rule",
        arguments: [
            ("doesn't commit", Rule.commitOnlyOwnTerm), ("refuses n1 its vote", .electionRestriction),
            ("leads term", .majorityElects), ("removes", .truncateOnlyOnConflict),
            ("has the later term", .stepDownOnLaterTerm), ("votes for n", .voteOncePerTerm),
            ("on disk", .persistBeforeReply), ("stored on", .majorityCommits),
        ])
    func rules(words: String, rule: Rule) throws {
        var count = 0
        for name in ["figure-8.raft", "boot.raft", "partition.raft"] {
            for event in try ScriptTrace.events(of: name) {
                guard case .node = event.kind, event.explanation.sentence.contains(words),
                    let fired = event.firedRule?.line.rule
                else { continue }
                count += 1
                // An entry that goes with those after it shows the rule for these.
                let isTail = rule == .truncateOnlyOnConflict && fired == .truncateWholeTail
                let isHeldBack = rule == .majorityCommits && fired == .commitOnlyOwnTerm
                #expect(fired == rule || isTail || isHeldBack, "\(event.explanation.line)")
            }
        }
        #expect(count > 0, "nobody \(words)")
    }
}

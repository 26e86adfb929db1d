import RaftAudit
import RaftCore
import RaftSimulation
import RaftTrace
import Testing

/// Small worlds, so small that a debug build walks through them; the release binary takes larger ones
/// (`Tests/Simulation/small-worlds.sh`).
struct SmallWorldTests {
    private func bounds(
        nodes: Int = 3, terms: UInt64 = 1, commands: Int = 0, crashes: Int = 0,
        _ change: (inout SmallWorld.Bounds) -> Void = { _ in }
    ) -> SmallWorld.Bounds {
        var bounds = SmallWorld.Bounds()
        bounds.nodes = nodes
        bounds.terms = terms
        bounds.commands = commands
        bounds.crashes = crashes
        change(&bounds)
        return bounds
    }

    /// Walks to the end. Answers the states and the depth, and fails where a property is broken.
    private func walk(_ bounds: SmallWorld.Bounds) throws -> (states: Int, depth: Int) {
        var exploration = Exploration(bounds: bounds)
        let ending = exploration.run(statesMax: 100_000)
        if case .broken(let example) = try #require(ending) { Issue.record("\(example.finding)") }
        return (exploration.states, exploration.depth)
    }

    private func counterexample(_ bounds: SmallWorld.Bounds, without rule: Rule) throws -> Counterexample {
        var exploration = Exploration(bounds: bounds, without: [rule])
        guard case .broken(let example) = exploration.run(statesMax: 100_000) else {
            throw Finding(.promise, "nothing is broken without \(rule.name)", sequence: 0)
        }
        return try #require(Exploration.shortest(example, within: exploration, statesMax: 100_000))
    }

    @Test("a server alone has one way to go, and each crash begins it anew")
    func alone() throws {
        // It starts; it leads; the command is committed at once.
        #expect(try walk(bounds(nodes: 1)) == (2, 1))
        #expect(try walk(bounds(nodes: 1, commands: 1)) == (3, 2))
        // Of a leader without and with the entry a crash makes a follower with and without it, which stays one.
        #expect(try walk(bounds(nodes: 1, commands: 1, crashes: 1)) == (5, 3))
    }

    @Test("two servers elect a leader in as many ways as there are")
    func two() throws {
        // Nobody has asked; one asks; the other votes; the vote is counted; the other hears the leader; the leader hears
        // that. Or both ask, so that neither gets another's vote; one hears so, and waits; then the other, too.
        #expect(try walk(bounds(nodes: 2)) == (9, 5))
    }

    @Test(
        "the same world has the same number of states every time",
        arguments: [
            (UInt64(1), 1, 0, 515, 13), (1, 1, 1, 3_026, 15), (2, 0, 0, 1_969, 13),
        ])
    func states(terms: UInt64, commands: Int, crashes: Int, states: Int, depth: Int) throws {
        let bounds = bounds(terms: terms, commands: commands, crashes: crashes)
        #expect(try walk(bounds) == (states, depth))
        #expect(try walk(bounds) == (states, depth))
    }

    @Test("what spares states loses none: the servers come to the same states with the same pasts without it")
    func reductions() {
        let all = [
            bounds(nodes: 2, terms: 2, commands: 1), bounds(nodes: 2, commands: 1, crashes: 1), bounds(crashes: 1),
            bounds(nodes: 2, terms: 2, commands: 1, crashes: 1), bounds(nodes: 2, commands: 1) { $0.hasNoops = true },
        ]
        for bounds in all {
            var whole = bounds
            whole.isReduced = false
            var (one, other) = (
                Exploration(bounds: bounds, countsPresents: true), Exploration(bounds: whole, countsPresents: true)
            )
            guard one.run(statesMax: 100_000) != nil, other.run(statesMax: 100_000) != nil else {
                Issue.record("no end: \(bounds)")
                continue
            }
            #expect(one.presents == other.presents, "\(bounds)")
            #expect(one.states < other.states, "\(bounds)")
        }
    }

    @Test("states that differ in names alone are one: of three servers' up to six")
    func symmetry() throws {
        let named = try walk(bounds(crashes: 1) { $0.isSymmetric = false })
        let unnamed = try walk(bounds(crashes: 1))
        #expect(named.depth == unnamed.depth)
        #expect(unnamed.states < named.states && named.states <= 6 * unnamed.states)
    }

    @Test(
        "without a rule a property is broken, and the way to it is a shortest one",
        arguments: [
            // Two elections, each with a vote of the candidate's own.
            (Rule.majorityElects, Property.electionSafety, 2),
            // Both ask, and one hears the other.
            (.voteOncePerTerm, .promise, 3),
            // One leads, and commits alone; another is elected by the third, who knows nothing of it.
            (.majorityCommits, .leaderCompleteness, 7),
            (.stepDownOnLaterTerm, .electionSafety, 7), (.refuseEarlierTerm, .electionSafety, 7),
            (.truncateOnlyOnConflict, .leaderCompleteness, 9), (.electionRestriction, .leaderCompleteness, 9),
        ])
    func mutants(rule: Rule, property: Property, length: Int) throws {
        let example = try counterexample(bounds(terms: 2, commands: 1), without: rule)
        #expect(example.finding.property == property)
        #expect(example.steps.count == length)
        #expect(example.finding.sequence == UInt64(length))
    }

    @Test("what was committed once is remembered, whoever forgets it or never knew")
    func commits() throws {
        var exploration = Exploration(bounds: bounds(terms: 2, commands: 2), without: [.commitOnlyProven])
        guard case .broken(let example) = exploration.run(statesMax: 100_000) else {
            throw Finding(.stateMachineSafety, "nothing is broken", sequence: 0)
        }
        #expect(
            example.finding
                == Finding(
                    .stateMachineSafety, "n1 commits an entry 1 of term 1, where one of term 2 was committed",
                    sequence: 12))
    }

    @Test("a vote that isn't on disk when it is told is forgotten in a crash, and given again")
    func disk() throws {
        let bounds = bounds(crashes: 1) { $0.diskTakesSteps = true }
        #expect(try walk(bounds) == (540, 13))
        let example = try counterexample(bounds, without: .persistBeforeReply)
        #expect(
            example.steps.map { "\($0.occurrence)" } == [
                "n1's election timer runs out", "n1 crashes, and starts again from its disk",
                "n2's election timer runs out", "n1 receives from n2: vote for me in t1, my log ends at (0, 0)",
            ])
        #expect(example.finding.description == "promise: n1 votes for n1 and for n2 in term 1")
        guard case .node(_, _, .stopped(let stopped)) = try #require(example.steps[1].events.first) else {
            return #expect(Bool(false), "the crash is no event")
        }
        #expect(stopped.how == .power)
    }
}

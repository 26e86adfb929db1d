import RaftCore
import Testing

/// What a majority is, against a naive model of it, for every small cluster (paper §5.2, §5.4.2, §6).
struct QuorumTests {
    /// Every set of the servers 1…`count`.
    private static func sets(of count: Int) -> [NodeSet] {
        (0..<(1 << count)).map { bits in
            NodeSet((1...count).filter { bits & (1 << ($0 - 1)) != 0 }.map { NodeID($0) })
        }
    }

    /// The configuration in which `voters` decide, together with `outgoing`; all of the servers 1…`count` are members.
    private static func configuration(_ count: Int, _ voters: NodeSet, with outgoing: NodeSet = []) -> Configuration {
        Configuration((1...count).map { .init(id: NodeID($0)) }, voters: voters, outgoing: outgoing)
    }

    /// The model: more than half of them.
    private static func isMajority(_ nodes: NodeSet, of voters: NodeSet) -> Bool {
        2 * voters.filter(nodes.contains).count > voters.count
    }

    /// The model: more than half of the new ones, and of the old ones where there are any.
    private static func isMajority(_ nodes: NodeSet, _ configuration: Configuration) -> Bool {
        isMajority(nodes, of: configuration.voters)
            && (configuration.outgoing.isEmpty || isMajority(nodes, of: configuration.outgoing))
    }

    /// The model: the greatest index for which those that have reached it are a majority.
    private static func index(_ configuration: Configuration, _ indices: [UInt64], upTo last: UInt64) -> UInt64 {
        let reached = (1...last).filter { index in
            let nodes = indices.indices.filter { indices[$0] >= index }.map { NodeID($0 + 1) }
            return isMajority(NodeSet(nodes), configuration)
        }
        return reached.last ?? 0
    }

    /// Every row of `count` indices from 0 to `last`.
    private static func rows(of count: Int, upTo last: UInt64) -> [[UInt64]] {
        (0..<count).reduce([[]]) { rows, _ in rows.flatMap { row in (0...last).map { row + [$0] } } }
    }

    /// Where what a majority has reached isn't what the model says.
    private static func wrongIndices(
        of configurations: [Configuration], servers count: Int, upTo last: UInt64
    ) -> [String] {
        let rows = rows(of: count, upTo: last)
        return configurations.flatMap { configuration in
            rows.filter { row in
                let index = configuration.index { LogIndex(row[Int($0.rawValue) - 1]) }
                return index.rawValue != Self.index(configuration, row, upTo: last)
            }.map { "\(configuration): \($0)" }
        }
    }

    @Test("a majority is more than half of the voters, and while two sets decide, of each", arguments: 1...4)
    func joint(count: Int) {
        let sets = Self.sets(of: count)
        for voters in sets {
            for outgoing in sets {
                let configuration = Self.configuration(count, voters, with: outgoing)
                let wrong = sets.filter { configuration.isMajority($0) != Self.isMajority($0, configuration) }
                #expect(wrong.isEmpty, "\(configuration)")
            }
        }
    }

    @Test("what a majority has reached is the median, for every set of voters and all indices", arguments: 1...5)
    func median(count: Int) {
        let configurations = Self.sets(of: count).map { Self.configuration(count, $0) }
        #expect(Self.wrongIndices(of: configurations, servers: count, upTo: 2).isEmpty)
        let sorted = Self.configuration(5, NodeSet((1...5).map { NodeID($0) })).index {
            LogIndex([7, 3, 9, 3, 8][Int($0.rawValue) - 1])
        }
        #expect(sorted == LogIndex(7))
    }

    @Test(
        "while two sets decide, an index counts when a majority of each has reached it",
        arguments: zip([1, 2, 3, 4, 5], [3, 3, 3, 2, 1] as [UInt64]))
    func jointIndex(count: Int, last: UInt64) {
        let sets = Self.sets(of: count)
        let configurations = sets.flatMap { voters in
            sets.map { Self.configuration(count, voters, with: $0) }
        }
        #expect(Self.wrongIndices(of: configurations, servers: count, upTo: last).isEmpty)
    }

    @Test("any two majorities share a server", arguments: 1...7)
    func overlap(count: Int) {
        let configuration = Configuration(count: count)
        let majorities = Self.sets(of: count).filter { configuration.isMajority($0) }
        #expect(!majorities.isEmpty)
        #expect(Self.disjoint(majorities, majorities).isEmpty)
    }

    @Test("one voter more or less: any majority before and any after share a server (thesis §4.1)", arguments: 1...5)
    func oneVoter(count: Int) {
        let sets = Self.sets(of: count)
        for voters in sets where !voters.isEmpty {
            let before = sets.filter(Self.configuration(count, voters).isMajority)
            for place in 1...count where !voters.contains(NodeID(place)) {
                let after = sets.filter(Self.configuration(count, voters.with(NodeID(place))).isMajority)
                #expect(Self.disjoint(before, after).isEmpty, "\(voters) and n\(place)")
            }
        }
    }

    @Test("two voters more can decide without those before: that is why such a step is joint (paper §6, Figure 10)")
    func twoVoters() {
        let sets = Self.sets(of: 5)
        let before = sets.filter(Self.configuration(5, [n1, n2, n3]).isMajority)
        let after = sets.filter(Self.configuration(5, [n1, n2, n3, n4, n5]).isMajority)
        #expect(Self.disjoint(before, after).contains { $0.0 == [n1, n2] && $0.1 == [n3, n4, n5] })
    }

    @Test("a joint majority shares a server with any majority of the old voters, and of the new ones", arguments: 1...4)
    func jointOverlap(count: Int) {
        let sets = Self.sets(of: count)
        for voters in sets where !voters.isEmpty {
            for outgoing in sets where !outgoing.isEmpty {
                let both = sets.filter(Self.configuration(count, voters, with: outgoing).isMajority)
                #expect(!both.isEmpty)
                for alone in [voters, outgoing] {
                    let majorities = sets.filter(Self.configuration(count, alone).isMajority)
                    #expect(Self.disjoint(both, majorities).isEmpty, "\(voters) with \(outgoing), \(alone)")
                }
            }
        }
    }

    @Test("whoever only learns makes no majority, and no index, whatever he has")
    func learners() {
        let count = 4
        let sets = Self.sets(of: count)
        for voters in sets {
            let configuration = Self.configuration(count, voters)
            let learners = configuration.learners
            #expect(learners == NodeSet((1...count).map { NodeID($0) }).subtracting(voters))
            for nodes in sets {
                #expect(configuration.isMajority(nodes) == configuration.isMajority(nodes.union(learners)))
            }
            #expect(configuration.index { learners.contains($0) ? LogIndex(9) : LogIndex(2) } <= LogIndex(2))
        }
    }

    /// The pairs of sets, one of each row, that share no server.
    private static func disjoint(_ some: [NodeSet], _ others: [NodeSet]) -> [(NodeSet, NodeSet)] {
        some.flatMap { one in others.filter { one.intersection($0).isEmpty }.map { (one, $0) } }
    }
}

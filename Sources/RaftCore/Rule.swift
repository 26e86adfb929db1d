/// The safety rules of Raft, each by name. All hold; a lesson or a test can switch one off to show what it is for.
///
/// Those of the algorithm are applied in this module; ``exactlyOnce``, ``snapshotHoldsSessions`` and
/// ``answerByIndexAndTerm`` belong to the server around it.
public enum Rule: UInt8, CaseIterable, Hashable, Sendable {
    /// A server that hears of a later term adopts it and becomes a follower (paper §5.1).
    case stepDownOnLaterTerm
    /// A request of an earlier term is refused (paper §5.1).
    case refuseEarlierTerm
    /// A candidate leads only with the votes of a majority (paper §5.2).
    case majorityElects
    /// A server votes for at most one candidate in a term (paper §5.2).
    case voteOncePerTerm
    /// A vote goes only to a candidate whose log is at least as up-to-date as the voter's (paper §5.4.1).
    case electionRestriction
    /// A follower takes entries only where it holds the one before them (paper §5.3).
    case logMatching
    /// A follower removes entries only where one conflicts with the leader's (paper §5.3, Figure 2).
    case truncateOnlyOnConflict
    /// A conflicting entry goes together with all that follow it (paper §5.3, Figure 2).
    case truncateWholeTail
    /// An entry is committed only when a majority stores it (paper §5.3).
    case majorityCommits
    /// Only an entry of the leader's own term is committed by counting (paper §5.4.2).
    case commitOnlyOwnTerm
    /// A follower commits no further than the message proves its log to match (paper Figure 2, AppendEntries 5).
    case commitOnlyProven
    /// Term, vote and entries are on disk before an answer says so (paper Figure 2, persistent state).
    case persistBeforeReply
    /// A server whose disk was wiped neither votes nor counts until it is made a member again (thesis §3.8, §4.1).
    case rememberIdentity
    /// A leader changes the members only after an entry of its own term is committed (the mistake of 2015 in thesis §4.1).
    case configurationAfterOwnCommit
    /// Members change only when the change before is committed and over (thesis §4.1).
    case oneChangeAtATime
    /// While two sets of voters decide, a majority of each is needed (paper §6).
    case jointNeedsBothMajorities
    /// A leader answers reads only after an entry of its own term is committed (paper §8, thesis §6.4).
    case readIndexNeedsOwnTermCommit
    /// A leader answers a read only after a majority confirmed that it still leads (paper §8, thesis §6.4).
    case readIndexNeedsMajority
    /// A lease read is answered only while no other server can have been elected (thesis §6.4.1).
    case leaseExpires
    /// A write that a client sends again is applied once (paper §8, thesis §6.3).
    case exactlyOnce
    /// A snapshot that a log matches leaves the entries that follow it (paper §7, Figure 13).
    case keepMatchingSuffix
    /// A snapshot holds what clients' recent writes came to, so that they stay done once (thesis §6.3).
    case snapshotHoldsSessions
    /// A waiting client is answered for its own entry, known by index and term, and not for what took its place.
    case answerByIndexAndTerm

    /// The rule's name, as a command or an option says it.
    public var name: String { String(describing: self) }

    /// The rule of this name.
    public init?(name: String) {
        guard let rule = Rule.allCases.first(where: { $0.name == name }) else { return nil }
        self = rule
    }

    /// What the rule says, in one sentence.
    public var sentence: String {
        switch self {
        case .stepDownOnLaterTerm: "A server that hears of a later term adopts it and becomes a follower."
        case .refuseEarlierTerm: "A request of an earlier term is refused."
        case .majorityElects: "A candidate leads only with the votes of a majority."
        case .voteOncePerTerm: "A server votes for at most one candidate in a term."
        case .electionRestriction: "A vote goes only to a candidate whose log is at least as up-to-date."
        case .logMatching: "A follower takes entries only where it holds the one before them."
        case .truncateOnlyOnConflict: "A follower removes entries only where one conflicts with the leader's."
        case .truncateWholeTail: "A conflicting entry goes together with all that follow it."
        case .majorityCommits: "An entry is committed only when a majority stores it."
        case .commitOnlyOwnTerm: "Only an entry of the leader's own term is committed by counting."
        case .commitOnlyProven: "A follower commits no further than the message proves its log to match."
        case .persistBeforeReply: "Term, vote and entries are on disk before an answer says so."
        case .rememberIdentity: "A server whose disk was wiped neither votes nor counts until it is added again."
        case .configurationAfterOwnCommit: "A leader changes members only after an entry of its own term is committed."
        case .oneChangeAtATime: "Members change only when the change before is committed and over."
        case .jointNeedsBothMajorities: "While two sets of voters decide, a majority of each is needed."
        case .readIndexNeedsOwnTermCommit: "A leader reads only after an entry of its own term is committed."
        case .readIndexNeedsMajority: "A leader reads only after a majority confirmed that it still leads."
        case .leaseExpires: "A lease read is answered only while no other server can have been elected."
        case .exactlyOnce: "A write that a client sends again is applied once."
        case .keepMatchingSuffix: "A snapshot that a log matches leaves the entries that follow it."
        case .snapshotHoldsSessions: "A snapshot holds what clients' recent writes came to."
        case .answerByIndexAndTerm: "A client is answered for its own entry, not for what took its place."
        }
    }

    /// Where the rule comes from.
    public var source: String {
        switch self {
        case .stepDownOnLaterTerm, .refuseEarlierTerm: "paper §5.1"
        case .majorityElects, .voteOncePerTerm: "paper §5.2"
        case .logMatching, .majorityCommits: "paper §5.3"
        case .truncateOnlyOnConflict, .truncateWholeTail: "paper §5.3, Figure 2"
        case .electionRestriction: "paper §5.4.1"
        case .commitOnlyOwnTerm: "paper §5.4.2"
        case .commitOnlyProven, .persistBeforeReply: "paper Figure 2"
        case .rememberIdentity: "thesis §3.8, §4.1"
        case .configurationAfterOwnCommit, .oneChangeAtATime: "thesis §4.1"
        case .jointNeedsBothMajorities: "paper §6"
        case .readIndexNeedsOwnTermCommit, .readIndexNeedsMajority: "paper §8, thesis §6.4"
        case .leaseExpires: "thesis §6.4.1"
        case .exactlyOnce: "paper §8, thesis §6.3"
        case .keepMatchingSuffix: "paper §7, Figure 13"
        case .snapshotHoldsSessions: "thesis §6.3"
        case .answerByIndexAndTerm: "paper §5.3"
        }
    }
}

/// Which rules hold.
public struct RuleSet: Hashable, Sendable {
    /// Bit `n` is set where the `n`th rule is switched off, so that the usual set is zero.
    private var off: UInt64 = 0

    /// Every rule holds.
    public static let all = RuleSet()

    /// Every rule but `rules` holds.
    public static func all(without rules: Rule...) -> RuleSet {
        var set = RuleSet()
        for rule in rules { set[rule] = false }
        return set
    }

    /// Whether `rule` holds.
    public subscript(rule: Rule) -> Bool {
        get { off & RuleSet.bit(of: rule) == 0 }
        set { if newValue { off &= ~RuleSet.bit(of: rule) } else { off |= RuleSet.bit(of: rule) } }
    }

    /// The rules that are switched off.
    public var broken: [Rule] { Rule.allCases.filter { !self[$0] } }

    private static func bit(of rule: Rule) -> UInt64 { 1 << UInt64(rule.rawValue) }
}

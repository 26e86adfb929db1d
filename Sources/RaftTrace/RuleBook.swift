import RaftCore

/// A line of the rule book: Figure 2 of the paper, and what its later sections and the thesis add, a rule a line.
public struct RuleLine: Hashable, Sendable, Identifiable {
    /// The line's name, like `electionRestriction`.
    public let id: String
    /// Whom or what it concerns.
    public let group: Group
    /// The rule in one sentence of at most 64 characters, without a full stop.
    public let sentence: String
    /// Where it stands, like `§5.4.1`.
    public let section: String
    /// The switch that turns it off; `nil` where there is none.
    public let rule: Rule?

    /// Whom or what a rule concerns.
    public enum Group: String, Hashable, Sendable, CaseIterable {
        /// Every server, whatever its role.
        case allServers = "All servers"
        /// Followers, and whoever is asked for a vote.
        case followers = "Followers"
        /// Candidates.
        case candidates = "Candidates"
        /// Leaders.
        case leaders = "Leaders"
        /// Reads without a log entry.
        case reads = "Reads"
        /// Snapshots, and logs that begin after one.
        case snapshots = "Snapshots"
        /// Changes of the members.
        case members = "Members"
        /// What clients are promised.
        case clients = "Clients"
        /// What the thesis adds to elections.
        case extensions = "Extensions"
    }

    private init(_ id: String, _ group: Group, _ sentence: String, _ section: String, _ rule: Rule? = nil) {
        self.id = id
        self.group = group
        self.sentence = sentence
        self.section = section
        self.rule = rule
    }

    /// The whole book, group by group.
    public static let all: [RuleLine] =
        [laterTerm, earlierTerm, persist, apply]
        + [
            electionTimeout, voteOnce, electionRestriction, logMatching, truncateOnConflict, truncateTail, commitProven,
        ] + [campaign, majorityElects]
        + [heartbeat, replicate, probe, majorityCommits, commitOwnTerm] + [readMajority, readOwnTerm, lease]
        + [takeSnapshot, sendSnapshot, keepSuffix, snapshotSessions]
        + [membersInLog, joint, oneChange, changeAfterCommit, identity] + [exactlyOnce, answerOwnEntry]
        + [preVote, leaderAlive, checkQuorum, transfer]

    /// The line that `rule` switches off.
    public static func line(of rule: Rule) -> RuleLine? { all.first { $0.rule == rule } }
}

// MARK: - The lines

extension RuleLine {
    static let laterTerm = RuleLine(
        "laterTerm", .allServers, "Who hears of a later term adopts it, and follows", "§5.1", .stepDownOnLaterTerm)
    static let earlierTerm = RuleLine(
        "earlierTerm", .allServers, "A request of an earlier term is refused", "§5.1", .refuseEarlierTerm)
    static let persist = RuleLine(
        "persist", .allServers, "Term, vote and entries are on disk before they are promised", "Figure 2",
        .persistBeforeReply)
    static let apply = RuleLine(
        "apply", .allServers, "What is committed is applied, entry by entry in the log's order", "§5.3")

    static let electionTimeout = RuleLine(
        "electionTimeout", .followers, "Who hears no leader for a random time starts an election", "§5.2")
    static let voteOnce = RuleLine(
        "voteOnce", .followers, "One vote in a term, for the first who asks", "§5.2", .voteOncePerTerm)
    static let electionRestriction = RuleLine(
        "electionRestriction", .followers, "No vote for a candidate whose log is older than one's own", "§5.4.1",
        .electionRestriction)
    static let logMatching = RuleLine(
        "logMatching", .followers, "Entries are taken only where the one before them is the same", "§5.3",
        .logMatching)
    static let truncateOnConflict = RuleLine(
        "truncateOnConflict", .followers, "An entry is removed only where the leader has another", "§5.3",
        .truncateOnlyOnConflict)
    static let truncateTail = RuleLine(
        "truncateTail", .followers, "With an entry that conflicts go all that follow it", "§5.3", .truncateWholeTail)
    static let commitProven = RuleLine(
        "commitProven", .followers, "Commit what the leader has, as far as the logs surely agree", "Figure 2",
        .commitOnlyProven)

    static let campaign = RuleLine(
        "campaign", .candidates, "Start a term, vote for yourself, ask all others for a vote", "§5.2")
    static let majorityElects = RuleLine(
        "majorityElects", .candidates, "A majority of the votes makes a leader", "§5.2", .majorityElects)

    static let heartbeat = RuleLine(
        "heartbeat", .leaders, "Show all the time that you lead; whoever hears it follows", "§5.2")
    static let replicate = RuleLine(
        "replicate", .leaders, "Send each follower the entries that it lacks", "§5.3")
    static let probe = RuleLine(
        "probe", .leaders, "Go back in a follower's log to where it agrees with yours", "§5.3")
    static let majorityCommits = RuleLine(
        "majorityCommits", .leaders, "What a majority has on disk is committed", "§5.3", .majorityCommits)
    static let commitOwnTerm = RuleLine(
        "commitOwnTerm", .leaders, "By counting, only entries of one's own term are committed", "§5.4.2",
        .commitOnlyOwnTerm)

    static let readMajority = RuleLine(
        "readMajority", .reads, "Answer once a majority has said that you still lead", "thesis §6.4",
        .readIndexNeedsMajority)
    static let readOwnTerm = RuleLine(
        "readOwnTerm", .reads, "No reads before an entry of one's own term is committed", "thesis §6.4",
        .readIndexNeedsOwnTermCommit)
    static let lease = RuleLine(
        "lease", .reads, "With a lease, answer at once: nobody else can be elected yet", "thesis §6.4.1",
        .leaseExpires)

    static let takeSnapshot = RuleLine(
        "takeSnapshot", .snapshots, "The log forgets what a snapshot on disk stands for", "§7")
    static let sendSnapshot = RuleLine(
        "sendSnapshot", .snapshots, "Who needs entries that are forgotten gets the snapshot", "§7")
    static let keepSuffix = RuleLine(
        "keepSuffix", .snapshots, "Where the log matches a snapshot, entries after it stay", "§7",
        .keepMatchingSuffix)
    static let snapshotSessions = RuleLine(
        "snapshotSessions", .snapshots, "A snapshot holds what clients' last writes came to, too", "thesis §6.3",
        .snapshotHoldsSessions)

    static let membersInLog = RuleLine(
        "membersInLog", .members, "The log's latest members count at once; new ones learn first", "thesis §4.2")
    static let joint = RuleLine(
        "joint", .members, "While two sets of voters decide, a majority of each is needed", "§6",
        .jointNeedsBothMajorities)
    static let oneChange = RuleLine(
        "oneChange", .members, "No change of members before the one before it is over", "thesis §4.1",
        .oneChangeAtATime)
    static let changeAfterCommit = RuleLine(
        "changeAfterCommit", .members, "No change before an entry of one's own term is committed", "thesis §4.1",
        .configurationAfterOwnCommit)
    static let identity = RuleLine(
        "identity", .members, "Who has lost the disk neither votes nor counts", "thesis §3.8", .rememberIdentity)

    static let exactlyOnce = RuleLine(
        "exactlyOnce", .clients, "A write that is sent again is applied once", "thesis §6.3", .exactlyOnce)
    static let answerOwnEntry = RuleLine(
        "answerOwnEntry", .clients, "A client is answered for its own entry, by index and term", "§5.3",
        .answerByIndexAndTerm)

    static let preVote = RuleLine(
        "preVote", .extensions, "Ask whether you could win before you start a term", "thesis §9.6")
    static let leaderAlive = RuleLine(
        "leaderAlive", .extensions, "No vote while a leader is heard, or may have a lease", "thesis §4.2.3")
    static let checkQuorum = RuleLine(
        "checkQuorum", .extensions, "A leader that hears no majority steps down", "thesis §6.2")
    static let transfer = RuleLine(
        "transfer", .extensions, "Who is to take over has the whole log, and campaigns at once", "thesis §3.10")
}

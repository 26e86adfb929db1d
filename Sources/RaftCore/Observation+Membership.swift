/// Other members are in use from now on (paper §6).
public struct Configured: Hashable, Sendable, Codable {
    /// The entry that made them members; zero for those that the cluster, or the snapshot, began with.
    public var index: LogIndex
    /// The members.
    public var members: Configuration
}

/// A change of the members can't be made now.
public struct ChangeRefused: Hashable, Sendable, Codable {
    /// The servers that were to be members.
    public var added: NodeSet
    /// The members that were to go.
    public var removed: NodeSet
    /// Why.
    public var reason: Reason

    /// Why members can't change.
    public enum Reason: String, Hashable, Sendable, Codable {
        /// This server doesn't lead.
        case notLeader = "not-leader"
        /// No entry of the leader's own term is committed yet.
        case termNotCommitted = "term-not-committed"
        /// Another change is under way.
        case changeOpen = "change-open"
        /// The leader hands over.
        case transferOpen = "transfer-open"
        /// Nobody would be left.
        case lastVoter = "last-voter"
        /// Too few of those who would be left may vote: the others have lost their disks.
        case noMajority = "no-majority"
        /// They are members already, or none.
        case nothingToChange = "nothing-to-change"
    }
}

import RaftCore

/// What an audit holds a cluster to. The first five are the paper's Figure 3.
public enum Property: String, Hashable, Sendable, Codable, CaseIterable {
    /// At most one server leads in a term (paper §5.2).
    case electionSafety = "election-safety"
    /// A leader only adds to its log (paper §5.3).
    case leaderAppendOnly = "leader-append-only"
    /// Logs that have an entry of the same index and term are the same up to it (paper §5.3).
    case logMatching = "log-matching"
    /// An entry that is committed in a term is in the log of every leader of a later term (paper §5.4).
    case leaderCompleteness = "leader-completeness"
    /// No two servers apply different entries at the same index (paper §5.4.3).
    case stateMachineSafety = "state-machine-safety"
    /// Terms, and commit indices within a server's life, never go back (paper Figure 2).
    case monotone
    /// Clients see one store, in which every call takes effect at a moment between its beginning and its end (Herlihy
    /// and Wing, 1990).
    case linearizability
    /// What a server has told another it keeps: its vote, its term, the entries it acknowledged (paper Figure 2,
    /// persistent state).
    case promise
}

/// A property that doesn't hold, and what shows it.
public struct Finding: Error, Hashable, Sendable, CustomStringConvertible {
    /// The property.
    public var property: Property
    /// What happened, in one sentence with its numbers.
    public var sentence: String
    /// The number of the event that showed it.
    public var sequence: UInt64
    /// The servers at fault, as far as some can be named.
    public var nodes: NodeSet
    /// The entry at fault, where one is.
    public var entry: LogIndex?
    /// The call that nothing explains, where one is.
    public var call: UInt64?

    /// A property that doesn't hold.
    public init(
        _ property: Property, _ sentence: String, sequence: UInt64, nodes: [NodeID] = [], entry: LogIndex? = nil,
        call: UInt64? = nil
    ) {
        self.property = property
        self.sentence = sentence
        self.sequence = sequence
        self.nodes = NodeSet(nodes)
        self.entry = entry
        self.call = call
    }

    /// The property's name and the sentence.
    public var description: String { "\(property.rawValue): \(sentence)" }
}

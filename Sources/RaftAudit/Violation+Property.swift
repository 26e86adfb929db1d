import RaftCore

extension Violation {
    /// The property that a server found broken.
    public var property: Property {
        switch self {
        case .twoLeaders: .electionSafety
        case .committedEntryReplaced: .leaderCompleteness
        case .commitBeyondLog: .stateMachineSafety
        case .invariant: .monotone
        }
    }
}

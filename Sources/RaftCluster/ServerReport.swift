import RaftCore
import RaftTrace

/// What somebody who runs a server alone wants to know of it.
public enum ServerReport: Sendable {
    /// It runs; `isVoter` says whether its vote counts.
    case started(NodeStarted, isVoter: Bool)
    /// Somebody who knows the secret has made it do this.
    case ordered(String)
    /// Its term, its role or its leader is another one.
    case standing(Standing)
    /// It closed a connection, for this reason.
    case hungUp(String)
    /// It can't start, or has stopped, for this reason.
    case failed(String)
}

/// What a server is to the others.
public struct Standing: Hashable, Sendable {
    /// Its term.
    public let term: Term
    /// Its role.
    public let role: RoleName
    /// The leader that it knows.
    public let leader: NodeID?
}

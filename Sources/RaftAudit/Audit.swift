import RaftTrace

/// The whole audit of a cluster's events, live or stored: the servers' safety and what clients are told.
public struct Audit: Sendable {
    /// The servers' side.
    public private(set) var safety = SafetyAudit()
    /// The clients' side.
    public private(set) var clients = ClientAudit()

    /// What didn't hold of clusters before the present one: a reset makes nothing good.
    public private(set) var earlierFindings: [Finding] = []

    /// An audit that has seen nothing yet.
    public init() {}

    /// Whether the cluster ran before anybody watched it, so that nobody can say that all is well.
    public var isMidway: Bool { safety.isMidway }

    /// Takes note of an event.
    public mutating func take(_ kind: Event.Kind, sequence: UInt64) {
        if case .began = kind {
            clients.finish()
            earlierFindings += findings.prefix(max(0, Audit.earlierMax - earlierFindings.count))
        }
        safety.take(kind, sequence: sequence)
        clients.take(kind, sequence: sequence)
    }

    /// There is nothing more to come.
    public mutating func finish() { clients.finish() }

    private static let earlierMax = 40

    /// Everything that doesn't hold of the present cluster, the servers' findings first.
    public var findings: [Finding] { safety.findings + clients.findings }

    /// The first that was found, in any cluster there was, of those that break another property than these.
    public func firstFinding(besides tolerated: Set<Property>) -> Finding? {
        if earlierFindings.isEmpty, tolerated.isEmpty { return firstFinding }
        return (earlierFindings + findings).filter { !tolerated.contains($0.property) }
            .min { $0.sequence < $1.sequence }
    }

    /// Everything that doesn't hold, calls that are still open taken to have had any effect or none.
    public var findingsSoFar: [Finding] { safety.findings + clients.finished.findings }

    /// The first that was found.
    public var firstFinding: Finding? {
        // Asked after every step; each side's findings are in the order of their events.
        guard let one = safety.findings.first, let other = clients.findings.first else {
            return safety.findings.first ?? clients.findings.first
        }
        return other.sequence < one.sequence ? other : one
    }
}

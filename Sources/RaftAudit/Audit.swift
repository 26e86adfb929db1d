import RaftTrace

/// The whole audit of a cluster's events, live or stored: the servers' safety and what clients are told.
public struct Audit: Sendable {
    /// The servers' side.
    public private(set) var safety = SafetyAudit()
    /// The clients' side.
    public private(set) var clients = ClientAudit()

    /// An audit that has seen nothing yet.
    public init() {}

    /// Takes note of an event.
    public mutating func take(_ kind: Event.Kind, sequence: UInt64) {
        safety.take(kind, sequence: sequence)
        clients.take(kind, sequence: sequence)
    }

    /// There is nothing more to come.
    public mutating func finish() { clients.finish() }

    /// Everything that doesn't hold, the servers' findings first.
    public var findings: [Finding] { safety.findings + clients.findings }

    /// The first that was found of those that break another property than these.
    public func firstFinding(besides tolerated: Set<Property>) -> Finding? {
        guard !tolerated.isEmpty else { return firstFinding }
        return findings.filter { !tolerated.contains($0.property) }.min { $0.sequence < $1.sequence }
    }

    /// The first that was found.
    public var firstFinding: Finding? {
        // Asked after every step; each side's findings are in the order of their events.
        guard let one = safety.findings.first, let other = clients.findings.first else {
            return safety.findings.first ?? clients.findings.first
        }
        return other.sequence < one.sequence ? other : one
    }
}

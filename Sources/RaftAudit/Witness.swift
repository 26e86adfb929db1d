import RaftTrace

/// Somebody who has seen everything that happened so far: what is known of the cluster, and what of it breaks a property.
/// Conditions ask it, and the screen shows it.
public struct Witness: Sendable {
    /// What is known of the cluster.
    public private(set) var picture = Picture()
    /// What holds the cluster to Raft's properties.
    public private(set) var audit = Audit()

    /// A witness who has seen nothing yet.
    public init() {}

    /// Takes note of an event; events come in order.
    public mutating func take(_ event: Event) {
        picture.apply(event)
        audit.take(event.kind, sequence: event.sequence)
    }

    /// There is nothing more to come.
    public mutating func finish() { audit.finish() }
}

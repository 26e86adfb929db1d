import KeyValue
import RaftCore
import RaftNode
import RaftTrace

// Everything here is package for the tests that use it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// Some servers whose disks are as fast as they are, the messages between them, and the events that they tell.
package struct NodeBench {
    package private(set) var nodes: [NodeID: Node] = [:]
    package private(set) var wire: [Message] = []
    package private(set) var replies: [RequestID: Reply] = [:]
    package private(set) var events: [Event] = []
    package private(set) var picture = Picture()
    package private(set) var disks: [NodeID: Stored] = [:]
    /// The snapshots that are being written.
    package private(set) var drafts: [NodeID: SnapshotDraft] = [:]
    /// Whether a snapshot is on disk as soon as it is wanted.
    package var writesSnapshotsAtOnce = true
    /// Whether followers apply what is committed only when everything else of the step is done, as live servers do while
    /// nobody watches.
    package var appliesLater = false
    private var nextRequest: RequestID = 1
    package var now = Instant.zero
    package let configuration: Configuration
    package let settings: Settings

    package init(_ count: Int, settings: Settings = Settings()) {
        configuration = Configuration(count: count)
        self.settings = settings
        record(.began(ClusterBegan(nodes: count, seed: 1, settings: settings)))
        for node in configuration.voters { start(node) }
    }

    package subscript(node: NodeID) -> Node {
        guard let server = nodes[node] else { preconditionFailure("\(node) is down") }
        return server
    }

    package var leader: NodeID? { nodes.values.first { $0.raft.role.name == .leader }?.raft.id }

    package mutating func start(_ node: NodeID) {
        let disk = disks[node] ?? Stored()
        disks[node] = disk
        let raft = Raft(
            id: node, configuration: configuration, settings: settings, hardState: disk.hardState, log: disk.log,
            snapshot: disk.snapshot?.mark, seed: UInt64(node.rawValue), now: now)
        guard let server = try? Node(raft: raft, snapshot: disk.snapshot) else {
            preconditionFailure("the snapshot of \(node) can't be read")
        }
        nodes[node] = server
        let started = NodeStarted(
            incarnation: .first, vote: disk.hardState.vote, log: TermRun.runs(of: raft.log), base: raft.log.toldBase,
            snapshot: raft.snapshot?.last)
        record(.node(node, disk.hardState.term, .started(started)))
    }

    package mutating func crash(_ node: NodeID) {
        guard let server = nodes.removeValue(forKey: node) else { return }
        wire.removeAll { $0.to == node }
        drafts[node] = nil
        record(.node(node, server.raft.currentTerm, .stopped(NodeStopped(how: .kill))))
    }

    package mutating func step(_ input: NodeInput, on node: NodeID) {
        guard var server = nodes[node] else { return }
        var effects = Effects()
        server.appliesLater = appliesLater
        server.handle(input, at: now, into: &effects)
        nodes[node] = server
        wire += effects.messages
        carryOut(effects, on: node)
        server = nodes[node] ?? server
        guard server.hasUnapplied else { return }
        effects.clear()
        server.apply(at: now, into: &effects)
        nodes[node] = server
        precondition(effects.messages.isEmpty && effects.write == nil, "what applies says nothing to others")
        carryOut(effects, on: node)
    }

    private mutating func carryOut(_ effects: Effects, on node: NodeID) {
        for event in effects.events { record(.node(node, self[node].raft.currentTerm, event)) }
        for reply in effects.replies {
            precondition(replies[reply.id] == nil, "a request is answered once")
            replies[reply.id] = reply
        }
        if let draft = effects.draft { drafts[node] = draft }
        if let write = effects.write {
            disks[node]?.apply(write)
            step(.durable(write.number), on: node)
        }
        if writesSnapshotsAtOnce { finishSnapshot(on: node) }
        if effects.wantsSnapshot, let snapshot = disks[node]?.snapshot { step(.snapshotLoaded(snapshot), on: node) }
    }

    /// The snapshot that is being written on `node` is on disk.
    package mutating func finishSnapshot(on node: NodeID) {
        guard let draft = drafts.removeValue(forKey: node) else { return }
        let snapshot = draft.encoded()
        let isOlder = snapshot.mark.last.index <= disks[node]?.snapshot?.mark.last.index ?? .zero
        if !isOlder { disks[node]?.snapshot = snapshot }
        let taken = SnapshotOutcome.taken(size: snapshot.bytes.count, digest: draft.digest())
        step(.snapshotWritten(isOlder ? .overtaken : taken), on: node)
    }

    package mutating func deliver(where matches: (Message) -> Bool = { _ in true }) {
        while !wire.isEmpty {
            let message = wire.removeFirst()
            if matches(message) { step(.message(message), on: message.to) }
        }
    }

    package mutating func dropWire() { wire = [] }

    package mutating func elect(_ node: NodeID) {
        step(.campaign, on: node)
        deliver()
    }

    package mutating func reachDeadline(of node: NodeID) {
        guard let deadline = nodes[node]?.deadline else { return }
        now = max(now, deadline)
        step(.deadline, on: node)
    }

    /// Asks `node` and answers the request's number.
    package mutating func ask(_ kind: ClientRequest.Kind, on node: NodeID) -> RequestID {
        let id = drawID()
        step(.requests([ClientRequest(id: id, kind: kind)]), on: node)
        return id
    }

    package mutating func drawID() -> RequestID {
        defer { nextRequest += 1 }
        return nextRequest
    }

    /// Asks the leader, lets everything happen, and answers the result.
    package mutating func perform(_ operation: Operation, as client: String = "c1", sequence: UInt64) -> ClientResult? {
        let command = SessionCommand(
            client: client, sequence: sequence, firstIncomplete: sequence, operation: operation)
        let id = ask(.write(command), on: leader ?? NodeID(1))
        deliver()
        return replies[id]?.result
    }

    private mutating func record(_ kind: Event.Kind) {
        let event = Event(at: now, sequence: UInt64(events.count), kind: kind)
        events.append(event)
        picture.apply(event)
    }
}

extension String {
    /// The string as a key or a value.
    package var bytes: Bytes { Bytes(utf8) }
}

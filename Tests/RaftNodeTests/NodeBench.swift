import KeyValue
import RaftCore
import RaftNode
import RaftTrace
import Testing

/// Some servers whose disks are as fast as they are, the messages between them, and the events that they tell.
struct NodeBench {
    private(set) var nodes: [NodeID: Node] = [:]
    private(set) var wire: [Message] = []
    private(set) var replies: [RequestID: Reply] = [:]
    private(set) var events: [Event] = []
    private(set) var picture = Picture()
    private var logs: [NodeID: [Entry]] = [:]
    private var hardStates: [NodeID: HardState] = [:]
    private var nextRequest: RequestID = 1
    var now = Instant.zero
    let configuration: Configuration
    let settings: Settings

    init(_ count: Int, settings: Settings = Settings()) {
        configuration = Configuration(count: count)
        self.settings = settings
        record(.began(ClusterBegan(nodes: count, seed: 1, settings: settings)))
        for node in configuration.voters { start(node) }
    }

    subscript(node: NodeID) -> Node {
        guard let server = nodes[node] else { preconditionFailure("\(node) is down") }
        return server
    }

    var leader: NodeID? { nodes.values.first { $0.raft.role.name == .leader }?.raft.id }

    mutating func start(_ node: NodeID) {
        let state = hardStates[node] ?? HardState()
        let raft = Raft(
            id: node, configuration: configuration, settings: settings, hardState: state, log: Log(logs[node] ?? []),
            seed: UInt64(node.rawValue), now: now)
        nodes[node] = Node(raft: raft)
        record(
            .node(
                node, state.term,
                .started(NodeStarted(incarnation: .first, vote: state.vote, log: TermRun.runs(of: raft.log)))))
    }

    mutating func crash(_ node: NodeID) {
        guard let server = nodes.removeValue(forKey: node) else { return }
        wire.removeAll { $0.to == node }
        record(.node(node, server.raft.currentTerm, .stopped(NodeStopped(how: .kill))))
    }

    mutating func step(_ input: NodeInput, on node: NodeID) {
        guard var server = nodes[node] else { return }
        var effects = Effects()
        server.handle(input, at: now, into: &effects)
        nodes[node] = server
        for event in effects.events { record(.node(node, server.raft.currentTerm, event)) }
        wire += effects.messages
        for reply in effects.replies {
            #expect(replies[reply.id] == nil, "a request is answered once")
            replies[reply.id] = reply
        }
        guard let write = effects.write else { return }
        hardStates[node] = write.hardState ?? hardStates[node]
        var log = logs[node] ?? []
        log.removeSubrange(min(log.count, Int(write.first.rawValue) - 1)...)
        logs[node] = log + write.entries
        step(.durable(write.number), on: node)
    }

    mutating func deliver(where matches: (Message) -> Bool = { _ in true }) {
        while !wire.isEmpty {
            let message = wire.removeFirst()
            if matches(message) { step(.message(message), on: message.to) }
        }
    }

    mutating func dropWire() { wire = [] }

    mutating func elect(_ node: NodeID) {
        step(.campaign, on: node)
        deliver()
    }

    mutating func reachDeadline(of node: NodeID) {
        guard let deadline = nodes[node]?.deadline else { return }
        now = max(now, deadline)
        step(.deadline, on: node)
    }

    /// Asks `node` and answers the request's number.
    mutating func ask(_ kind: ClientRequest.Kind, on node: NodeID) -> RequestID {
        let id = drawID()
        step(.requests([ClientRequest(id: id, kind: kind)]), on: node)
        return id
    }

    mutating func drawID() -> RequestID {
        defer { nextRequest += 1 }
        return nextRequest
    }

    /// Asks the leader, lets everything happen, and answers the result.
    mutating func perform(_ operation: Operation, as client: String = "c1", sequence: UInt64) -> ClientResult? {
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

let n1 = NodeID(1)
let n2 = NodeID(2)
let n3 = NodeID(3)

extension String {
    var bytes: Bytes { Bytes(utf8) }
}

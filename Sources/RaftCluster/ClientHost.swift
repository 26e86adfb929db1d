import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftTrace

/// The clients of the live cluster, on an event loop of their own. Each is a ``Client``; this sends what they say,
/// brings them the replies, and wakes them.
final class ClientHost {
    private let loop: any EventLoop
    private let events: EventQueue
    private var clients: [String: Client] = [:]
    private var hosts: [NodeID: HostReference] = [:]
    private var nodes: [NodeID] = []
    private var clock: ClusterClock
    /// What the names of sessions end in, so that none is used twice in the life of a cluster's disks.
    private var sessionSuffix: String
    private var owners: [RequestID: String] = [:]
    private var nextRequest: RequestID = 1
    private var wake: Scheduled<Void>?
    private var isOver = false
    /// Changes whenever a client is at work.
    private var activity = 0

    init(loop: any EventLoop, events: EventQueue, clock: ClusterClock, sessionSuffix: String) {
        self.loop = loop
        self.events = events
        self.clock = clock
        self.sessionSuffix = sessionSuffix
    }

    /// Says which servers there are.
    func setHosts(_ hosts: [NodeID: HostReference]) {
        self.hosts = hosts
        nodes = hosts.keys.sorted()
    }

    /// Begins anew with a fresh cluster: the clients of the old one are gone, and what they asked stays unanswered.
    func reset(sessionSuffix: String) {
        owners = [:]
        clients = [:]
        self.sessionSuffix = sessionSuffix
    }

    /// Says nothing more.
    func end() {
        isOver = true
        wake?.cancel()
    }

    func adopt(_ clock: ClusterClock) {
        self.clock = clock
        scheduleWake()
    }

    /// Lets a client call.
    func call(_ call: ClientCall) {
        var client = clients[call.client] ?? Client(name: call.client, session: call.client + sessionSuffix)
        events.tell([.called(call)], at: clock.now)
        let actions = client.begin(call, at: clock.now, nodes: nodes, nextID: drawID)
        clients[call.client] = client
        act(actions, for: call.client)
    }

    private func take(_ reply: Reply) {
        guard !isOver, let name = owners.removeValue(forKey: reply.id), var client = clients[name] else { return }
        let actions = client.take(reply, at: clock.now, nodes: nodes, nextID: drawID)
        clients[name] = client
        act(actions, for: name)
    }

    private func act(_ actions: [Client.Action], for name: String) {
        activity += 1
        for action in actions {
            switch action {
            case .send(let request, let node): send(request, to: node, for: name)
            case .finish(let answer): events.tell([.returned(answer)], at: clock.now)
            }
        }
        scheduleWake()
    }

    private func send(_ request: ClientRequest, to node: NodeID, for name: String) {
        owners[request.id] = name
        let box = NIOLoopBound(self, eventLoop: loop)
        let sink: ReplySink = { [loop] reply in loop.execute { box.value.take(reply) } }
        guard let host = hosts[node] else {
            return sink(Reply(id: request.id, result: .error("there is no \(node)")))
        }
        host.execute { $0.submit(request, sink: sink) }
    }

    private func drawID() -> RequestID {
        defer { nextRequest += 1 }
        return nextRequest
    }

    private func scheduleWake() {
        wake?.cancel()
        wake = nil
        guard let moment = clients.values.compactMap(\.deadline).min(), let delay = clock.realDelay(until: moment)
        else {
            return
        }
        let box = NIOLoopBound(self, eventLoop: loop)
        wake = loop.scheduleTask(in: .nanoseconds(delay)) { box.value.wakeUp() }
    }

    /// Whether a client has been at work, and when one wants to act unasked.
    func look() -> ClientLook {
        ClientLook(activity: activity, deadline: clients.values.compactMap(\.deadline).min())
    }

    /// Lets the clients act whose time has come.
    func wakeUp() {
        wake = nil
        let now = clock.now
        for name in clients.keys.sorted() {
            guard var client = clients[name], let deadline = client.deadline, deadline <= now else { continue }
            let actions = client.wake(at: now, nodes: nodes, nextID: drawID)
            clients[name] = client
            act(actions, for: name)
        }
        if wake == nil { scheduleWake() }
    }
}

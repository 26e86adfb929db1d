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
    private var lastRequest: RequestID = 0
    private var wake: (task: Scheduled<Void>, at: Instant)?
    private let callNumbers: Numbers
    /// Whether the clients know only one server, which hands on what only the leader can do.
    private let knowsOnlyOne: Bool
    /// Whether what they ask and are told are events.
    var isTold = true
    /// Those who wait for calls to end, by the calls' numbers.
    private var completions: [UInt64: (ClientResult) -> Void] = [:]
    /// Clients that have nothing to do, and how many there are in all.
    private var idle: [Client] = []
    private var made = 0
    /// Clients whose names are used for a while by others.
    private var borrowed: [String: Client] = [:]
    /// What the names of such clients begin with.
    private let facePrefix: String
    private var load: LoadSchedule?
    /// Looks whether writes of the load are due.
    private var loadWake: Scheduled<Void>?
    private var isOver = false
    /// Changes whenever a client is at work.
    private var activity = 0

    /// The least time between two looks at the load: what is due in between begins together.
    private static let loadPause = TimeAmount.milliseconds(1)

    private let patience: Interval

    /// - Parameter node: The one server that the clients know; `nil` where they know all.
    init(
        loop: any EventLoop, events: EventQueue, clock: ClusterClock, callNumbers: Numbers, sessionSuffix: String,
        patience: Interval, askingOnly node: NodeID? = nil
    ) {
        knowsOnlyOne = node != nil
        facePrefix = node.map { "\($0)-" } ?? ""
        self.patience = patience
        self.loop = loop
        self.events = events
        self.clock = clock
        self.callNumbers = callNumbers
        self.sessionSuffix = sessionSuffix
    }

    private func newClient(_ name: String) -> Client {
        Client(name: name, session: name + sessionSuffix, patience: patience)
    }

    /// Says which servers there are.
    func setHosts(_ hosts: [NodeID: HostReference]) {
        self.hosts = hosts
        nodes = hosts.keys.sorted()
    }

    /// Begins anew with a fresh cluster: the clients of the old one are gone, and what they asked stays unanswered.
    func reset(sessionSuffix: String) {
        for number in completions.keys.sorted() { completions.removeValue(forKey: number)?(.unknown) }
        (idle, borrowed) = ([], [:])
        owners = [:]
        clients = [:]
        load = nil
        self.sessionSuffix = sessionSuffix
    }

    /// Says nothing more.
    func end() {
        isOver = true
        for number in completions.keys.sorted() { completions.removeValue(forKey: number)?(.unknown) }
        load = nil
        wake?.task.cancel()
        loadWake?.cancel()
    }

    func adopt(_ clock: ClusterClock) {
        self.clock = clock
        wake?.task.cancel()
        wake = nil
        scheduleWake(by: deadline)
        loadWake?.cancel()
        loadWake = nil
        goOnWithLoad()
    }

    /// Lets a client call.
    func call(_ call: ClientCall) {
        var client = clients[call.client] ?? newClient(call.client)
        if isTold { events.tell([.called(call)], at: clock.now) }
        let actions = client.begin(call, at: clock.now, nodes: nodes, nextID: drawID)
        clients[call.client] = client
        act(actions, for: call.client)
    }

    // MARK: - One call a client

    /// How many calls may be open at a time for those who wait for their ends.
    private static let askedMax = 4_096

    /// Lets a client that has nothing else to do call, and tells what came of it.
    ///
    /// - Parameter key: A name under which a write is done once, whoever sends it: a session of its own.
    func ask(_ request: Request, once key: String?, completion: @escaping (ClientResult) -> Void) {
        guard !isOver else { return completion(.error("the node stops: ask another")) }
        guard completions.count < ClientHost.askedMax else {
            return completion(.error("too much is asked at a time: try again later"))
        }
        let client = idle.popLast() ?? newIdleClient()
        let call = ClientCall(client: client.name, call: callNumbers.draw(), request: request)
        completions[call.call] = completion
        if let key, !request.isRead {
            // What is left of the idle one is its name: the session is the key's.
            let once = Client(
                name: client.name, session: "once:" + key, patience: patience, saysWhenUndone: true,
                isForOneWrite: true)
            borrowed[client.name] = client
            clients[client.name] = once
        } else {
            clients[client.name] = client
        }
        self.call(call)
    }

    private func newIdleClient() -> Client {
        made += 1
        let name = facePrefix + String(made)
        return Client(name: name, session: name + sessionSuffix, patience: patience, saysWhenUndone: true)
    }

    private func end(_ answer: ClientReturn, _ completion: (ClientResult) -> Void) {
        if let client = clients.removeValue(forKey: answer.client) {
            idle.append(borrowed.removeValue(forKey: answer.client) ?? client)
        }
        completion(answer.result)
    }

    /// Brings answers from the servers' loops to this one.
    private lazy var replies = {
        let box = NIOLoopBound(Weak(self), eventLoop: loop)
        return ReplyChannel { [loop] replies in
            loop.execute { for reply in replies { box.value.object?.take(reply) } }
        }
    }()

    private func take(_ reply: Reply) {
        guard !isOver, let name = owners.removeValue(forKey: reply.id), var client = clients[name] else { return }
        let actions = client.take(reply, at: clock.now, nodes: nodes, nextID: drawID)
        clients[name] = client
        act(actions, for: name)
        if load != nil { goOnWithLoad() }
    }

    private func act(_ actions: [Client.Action], for name: String) {
        activity += 1
        for action in actions {
            switch action {
            case .send(let request, let node): send(request, to: node, for: name)
            case .finish(let answer):
                if isTold { events.tell([.returned(answer)], at: clock.now) }
                if let completion = completions.removeValue(forKey: answer.call) { end(answer, completion) }
                if let number = Load.number(of: name) { load?.finish(number) }
            }
        }
        scheduleWake(by: clients[name]?.deadline)
    }

    private func send(_ request: ClientRequest, to node: NodeID, for name: String) {
        owners[request.id] = name
        guard let host = hosts[node] else {
            return replies.deliver([Reply(id: request.id, result: .error("there is no \(node)"))])
        }
        // Its call is over by then, whenever that began.
        let end = clock.now + patience
        host.execute { [replies, knowsOnlyOne] host in
            if knowsOnlyOne {
                host.serve(request, until: end, to: replies)
            } else {
                host.submit([request], to: replies)
            }
        }
    }

    private func drawID() -> RequestID {
        lastRequest += 1
        return lastRequest
    }

    /// When one of the clients wants to act unasked.
    private var deadline: Instant? { clients.values.compactMap(\.deadline).min() }

    /// Arranges to wake up by `moment`. An earlier wake-up does as well: it looks again.
    private func scheduleWake(by moment: Instant?) {
        guard let moment, wake.map({ moment < $0.at }) ?? true, let delay = clock.realDelay(until: moment) else {
            return
        }
        wake?.task.cancel()
        let box = NIOLoopBound(self, eventLoop: loop)
        wake = (loop.scheduleTask(in: .nanoseconds(delay)) { box.value.wakeUp() }, moment)
    }

    /// How many requests wait for their answers.
    var openRequests: Int { owners.count }

    /// Whether a client has been at work, and when one wants to act unasked.
    func look() -> ClientLook { ClientLook(activity: activity, deadline: deadline) }

    /// Lets the clients act whose time has come.
    func wakeUp() {
        wake?.task.cancel()
        wake = nil
        let now = clock.now
        for name in clients.keys.sorted() {
            guard var client = clients[name], let deadline = client.deadline, deadline <= now else { continue }
            let actions = client.wake(at: now, nodes: nodes, nextID: drawID)
            clients[name] = client
            act(actions, for: name)
        }
        scheduleWake(by: deadline)
        goOnWithLoad()
    }

    // MARK: - Load

    /// Clients write steadily from now on, or do no more; what is open goes on.
    func setLoad(_ load: Load?) {
        let busy = clients.filter { $0.value.openCalls > 0 }.keys.compactMap { Load.number(of: $0) }
        self.load = load.map { LoadSchedule($0, at: clock.now, busy: Set(busy)) }
        loadWake?.cancel()
        loadWake = nil
        goOnWithLoad()
    }

    /// Begins the writes that are due; none while the clock stands still.
    private func goOnWithLoad() {
        guard load != nil, !clock.isFrozen else { return }
        let now = clock.now
        // Whoever watches is to see what happens now; a load that is more than can be told waits for him.
        while !events.isCrowded, let client = load?.next(at: now) {
            let number = callNumbers.draw()
            call(ClientCall(client: Load.client(client), call: number, request: Load.request(ofCall: number)))
        }
        guard loadWake == nil, let deadline = load?.deadline, let delay = clock.realDelay(until: deadline) else {
            return
        }
        let box = NIOLoopBound(self, eventLoop: loop)
        loadWake = loop.scheduleTask(in: max(.nanoseconds(delay), ClientHost.loadPause)) {
            box.value.loadWake = nil
            box.value.goOnWithLoad()
        }
    }
}

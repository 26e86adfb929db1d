import KeyValue
import RaftCore
import RaftNode
import RaftTrace

/// A client of a simulated world: it asks, waits, thinks, and asks again; or it asks what it is told to.
struct SimulatedClient: Sendable {
    var client: Client
    /// Whether it thinks of calls by itself.
    let isAutomatic: Bool
    /// Whether it has no time for a call of its own.
    var isBusy: Bool
    /// What it read or wrote last, by key: what a comparison may hope to find.
    var seen: [Bytes: Bytes] = [:]
    var asked: (key: Bytes, value: Bytes?)?
    /// What it is to ask next, before anything of its own.
    var plan: [Request] = []
    var wake: Instant?

    init(name: String, isAutomatic: Bool, patience: Interval = Client.patience) {
        client = Client(name: name, session: name, patience: patience)
        self.isAutomatic = isAutomatic
        isBusy = !isAutomatic
    }
}

extension World {
    /// Wakes a client: it asks again, gives up, or begins its next call.
    mutating func wakeClient(_ place: Int) {
        if clients[place].isBusy {
            guard let wake = clients[place].wake, wake <= now else { return }
            clients[place].wake = nil
            if let deadline = clients[place].client.deadline, deadline <= now {
                let actions = clients[place].client.wake(at: now, nodes: nodes, nextID: drawRequest(&nextRequest))
                act(actions, for: place)
            }
            scheduleWake(ofClient: place)
        } else if !clients[place].plan.isEmpty {
            call(clients[place].plan.removeFirst(), by: place)
        } else if !isCalm {
            call(drawRequest(for: place), by: place)
        }
    }

    /// Lets a client call. Answers the number of the call.
    @discardableResult
    mutating func call(_ request: Request, by place: Int, via: NodeID? = nil, isRetry: Bool = false) -> UInt64 {
        let call = ClientCall(
            client: clients[place].client.name, call: nextCall, request: request, via: via, isRetry: isRetry)
        nextCall += 1
        clients[place].isBusy = true
        tell(.called(call))
        let actions = clients[place].client.begin(call, at: now, nodes: nodes, nextID: drawRequest(&nextRequest))
        act(actions, for: place)
        scheduleWake(ofClient: place)
        return call.call
    }

    var nodes: [NodeID] { servers.map(\.id) }

    private func drawRequest(_ next: inout RequestID) -> () -> RequestID {
        // A client begins few requests at a time; they are numbered in blocks, so that the closure needs no state of ours.
        let first = next
        next += 64
        var count: RequestID = 0
        return {
            count += 1
            return first + count - 1
        }
    }

    private mutating func act(_ actions: [Client.Action], for place: Int) {
        for action in actions {
            switch action {
            case .send(let request, let node):
                guard isCalm || !random.chance(mix.loss) else { continue }
                schedule(
                    .request(request, server: Int(node.rawValue) - 1, client: place),
                    after: random.interval(in: mix.latency))
            case .finish(let answer): finish(answer, of: place)
            }
        }
    }

    private mutating func finish(_ answer: ClientReturn, of place: Int) {
        tell(.returned(answer))
        finishLoad(of: clients[place].client.name)
        guard clients[place].isAutomatic else { return }
        clients[place].isBusy = false
        if let asked = clients[place].asked {
            switch answer.result {
            case .value(let value), .mismatch(let value): clients[place].seen[asked.key] = value
            case .ok: clients[place].seen[asked.key] = asked.value
            case .keys, .notFound, .notLeader, .unknown, .error, .refused: break
            }
        }
        clients[place].asked = nil
        schedule(.client(place), after: random.interval(in: mix.thought))
    }

    mutating func scheduleWake(ofClient place: Int) {
        guard let deadline = clients[place].client.deadline else { return }
        if let wake = clients[place].wake, wake <= deadline { return }
        clients[place].wake = deadline
        schedule(.client(place), at: max(now, deadline))
    }

    /// A client's request arrives at a server.
    mutating func take(_ request: ClientRequest, at server: Int, from client: Int) {
        guard servers[server].isRunning else {
            let reply = Reply(id: request.id, result: .error("\(servers[server].id) is down"))
            return schedule(.reply(reply, client: client), after: random.interval(in: mix.latency))
        }
        servers[server].life?.waiting[request.id] = client
        servers[server].requests.append(request)
        guard servers[server].requests.count == 1 else { return }
        schedule(.requests(server: server, life: servers[server].lives), after: mix.gathering)
    }

    /// A server handles the requests that have come.
    mutating func takeRequests(_ server: Int, life: UInt64) {
        guard servers[server].isRunning, servers[server].lives == life else { return }
        let requests = servers[server].requests
        servers[server].requests = []
        handle(.requests(requests), on: server)
    }

    /// A server answers.
    mutating func answer(_ reply: Reply, from server: Int) {
        guard let client = servers[server].life?.waiting.removeValue(forKey: reply.id) else { return }
        guard isCalm || !random.chance(mix.loss) else { return }
        schedule(.reply(reply, client: client), after: random.interval(in: mix.latency))
    }

    /// A reply arrives at its client.
    mutating func take(_ reply: Reply, at place: Int) {
        let actions = clients[place].client.take(reply, at: now, nodes: nodes, nextID: drawRequest(&nextRequest))
        act(actions, for: place)
        scheduleWake(ofClient: place)
    }

    private mutating func drawRequest(for place: Int) -> Request {
        let key = Bytes("k\(random.below(UInt64(mix.keys)))".utf8)
        let counter = Bytes("n".utf8)
        let value = Bytes("v\(nextCall)".utf8)
        switch random.below(10) {
        case 0...3:
            clients[place].asked = (key, nil)
            return .get(key: key, drawReadMode())
        case 4, 5:
            clients[place].asked = (key, value)
            return .write(.set(key: key, value: value))
        case 6: return .write(.increment(key: counter, by: 1))
        case 7: return .get(key: counter, drawReadMode())
        case 8:
            let old = clients[place].seen[key] ?? Bytes("?".utf8)
            clients[place].asked = (key, value)
            return .write(.compareAndSet(key: key, old: old, new: value))
        default: return .write(.delete(key: key))
        }
    }

    private mutating func drawReadMode() -> ReadMode {
        mix.leaseReads > 0 && laterRandom.chance(mix.leaseReads) ? .lease : .readindex
    }
}

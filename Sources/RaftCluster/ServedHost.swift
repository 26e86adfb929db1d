import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport

/// A server of this process as its HTTP face knows it.
public struct ServedHost: ServedNode {
    /// The server.
    public let id: NodeID
    private let host: HostReference
    private let clients: NIOLoopBound<ClientHost>
    private let hub: EventHub
    private let perform: @Sendable (String) async -> String?
    /// Whether those who listen know nothing of the server but what it tells them.
    private let isAlone: Bool

    /// - Parameter perform: Carries out a command of the language, or says why not.
    init(
        id: NodeID, host: HostReference, clients: NIOLoopBound<ClientHost>, hub: EventHub, isAlone: Bool = false,
        perform: @escaping @Sendable (String) async -> String?
    ) {
        self.id = id
        self.host = host
        self.clients = clients
        self.hub = hub
        self.perform = perform
        self.isAlone = isAlone
    }

    /// Lets the server handle a request, or hand it on to the leader.
    public func call(_ request: Request, once key: String?) async -> ClientResult {
        let result = await withCheckedContinuation { continuation in
            clients.eventLoop.execute { [clients] in
                clients.value.ask(request, once: key) { continuation.resume(returning: $0) }
            }
        }
        if case .notLeader = result, await status() == nil {
            return .error("\(id) is down: start it, or ask another")
        }
        return result
    }

    /// What the server is like now; `nil` where it is down.
    public func status() async -> ServedStatus? { try? await host.submit { $0.servedStatus }.get() }

    /// What happens on the server from now on; first what was done to it, where only it can say so, and its whole state.
    public func happenings() -> AsyncStream<[ToldEvents]> {
        let stream = hub.listen(to: id)
        host.execute { [isAlone] host in
            if isAlone { host.noteSurroundings() }
            host.tellStateNow()
        }
        return stream
    }

    /// Carries out a line of the language, or says why not.
    public func perform(line: String) async -> String? { await perform(line) }

    /// Says where the face is, so that the others' faces can send their clients there.
    public func setFace(_ address: String) { host.execute { $0.face = address } }
}

extension NodeHost {
    /// What the server is like; `nil` where it is down.
    var servedStatus: ServedStatus? {
        guard let life else { return nil }
        let leader = life.node.raft.leader
        let address = leader == id ? face : leader.flatMap { life.endpoint.faces[$0] }
        return ServedStatus(
            term: life.node.raft.currentTerm, state: life.node.state,
            leaderAddress: address.flatMap { $0.isEmpty ? nil : $0 }, isVoter: life.node.raft.isVoter,
            counters: counters.served)
    }

    /// Tells the server's whole state, so that somebody can begin here.
    func tellStateNow() {
        if let node = life?.node { note(.state(node.state)) }
        endTurn()
    }

    /// Notes what was done to the server from outside: what it follows, and what is not as it was at first.
    func noteSurroundings() {
        noteSettings()
        for peer in links.keys.sorted() {
            turn.kinds.append(.link(links[peer, default: untouchedLink].state(from: id, to: peer)))
        }
        // This also says who tells it: of a server that is down there is nothing else.
        note(.disk(DiskChanged(condition: diskCondition)))
        if isTimerHeld { note(.timerHeld) }
        if life?.isPaused == true { note(.paused) }
    }

    /// Notes what the server follows.
    func noteSettings() { turn.kinds.append(.settings(SettingsChanged(settings))) }
}

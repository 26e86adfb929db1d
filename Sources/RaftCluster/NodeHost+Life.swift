import Glibc
import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace
import RaftTransport

// How a server starts and stops.

extension NodeHost {
    /// Starts the server from its disk. Done when it runs, or has told why it can't.
    func start() -> EventLoopFuture<Void> {
        guard life == nil else { return loop.makeSucceededVoidFuture() }
        let closed = closing ?? loop.makeSucceededVoidFuture()
        closing = nil
        lives += 1
        let (number, identity, box) = (lives, identity, NIOLoopBound(self, eventLoop: loop))
        let started = closed.flatMap { [loop, disk] in
            disk.submit(on: loop) { try $0.open(identity) }
        }.flatMap { opened in
            box.value.listen(number, opened.identity, opened.recovered)
        }.flatMapErrorThrowing { error in
            box.value.fail(error, life: number)
        }
        starting = started
        return started
    }

    private func listen(_ number: Int, _ found: Identity, _ recovered: Recovered) -> EventLoopFuture<Void> {
        let endpoint = Endpoint(
            loop: loop, cluster: found.cluster, node: id, incarnation: found.incarnation, delegate: self)
        let parts = NIOLoopBound((host: self, endpoint: endpoint), eventLoop: loop)
        return endpoint.listen(on: port).flatMap { port in
            let (host, endpoint) = parts.value
            // It may have been stopped again before it had started.
            guard number == host.lives else { return endpoint.close() }
            host.begin(number, found, recovered, endpoint, port: port)
            return host.loop.makeSucceededVoidFuture()
        }
    }

    /// The disk is read and the port is open: the server begins.
    private func begin(
        _ number: Int, _ found: Identity, _ recovered: Recovered, _ endpoint: Endpoint, port: Int
    ) {
        self.port = port
        identity.incarnation = max(identity.incarnation, found.incarnation)
        let raft = Raft(
            id: id, incarnation: found.incarnation, configuration: found.configuration, settings: settings,
            hardState: recovered.hardState, log: Log(recovered.entries), seed: random.next(), now: clock.now)
        life = Life(node: Node(raft: raft), endpoint: endpoint, number: number)
        let repairs = recovered.repairs.map {
            "\($0.file): cut \($0.bytes) bytes off at byte \($0.offset), for \($0.reason)"
        }
        note(
            .started(
                NodeStarted(
                    incarnation: found.incarnation, vote: recovered.hardState.vote, log: TermRun.runs(of: raft.log),
                    repairs: repairs, port: port)))
        if let timer = raft.electionTimer { note(.raft(.timerSet(timer))) }
        for (peer, port) in ports where peer != id { endpoint.setPeer(peer, port: port) }
        for (_, peer) in peers { peer.execute { [id] in $0.learn(id, isAt: port) } }
        endTurn()
    }

    private func fail(_ error: any Error, life number: Int) {
        guard number == lives else { return }
        let reason =
            switch error {
            case let error as StorageError: "\(id) can't start: \(error)"
            case let error as IOError:
                "\(id) can't listen on 127.0.0.1:\(port): \(error.systemReason); choose another --port"
            default: "\(id) can't start: \(error)"
            }
        lives += 1
        closing = disk.submit(on: loop) { try $0.close(.kill) }.flatMapErrorThrowing { _ in }
        note(.failed(NodeFailed(reason: reason)))
        endTurn()
    }

    /// A peer listens on `port` from now on.
    func learn(_ peer: NodeID, isAt port: Int) {
        ports[peer] = port
        life?.endpoint.setPeer(peer, port: port)
    }

    /// Stops the server as a crash of this kind does; its sockets are closed for real.
    func stop(_ how: CrashKind) {
        clearLinks()
        note(.stopped(NodeStopped(how: how)))
        // A disk that is made anew is another one, and whoever knew the old one must see that.
        if how == .wipe { identity.incarnation = identity.incarnation.next }
        leave(how)
    }

    /// Stops after the disk has failed, which was told already.
    func abandon() {
        clearLinks()
        leave(.kill)
    }

    private func leave(_ how: CrashKind) {
        let left = life
        life = nil
        lives += 1
        for id in left?.sinks.keys.sorted() ?? [] {
            // The connection breaks: whether the request was handled, its client can't know.
            guard let sink = left?.sinks[id] else { continue }
            turn.replies.append((sink, Reply(id: id, result: .unknown)))
        }
        let started = starting ?? loop.makeSucceededVoidFuture()
        let closed = left?.endpoint.close() ?? loop.makeSucceededVoidFuture()
        let diskClosed = disk.submit(on: loop) { try $0.close(how) }
        let box = NIOLoopBound(self, eventLoop: loop)
        closing = started.flatMap { closed }.flatMap { diskClosed }.flatMapErrorThrowing { error in
            box.value.note(.failed(NodeFailed(reason: "\(box.value.id): \(error)")))
            box.value.endTurn()
        }
        endTurn()
    }

    /// Brings back the disk that was wiped last.
    func unwipe() {
        let before = closing ?? loop.makeSucceededVoidFuture()
        closing = before.flatMap { [loop, disk] in disk.submit(on: loop) { try $0.unwipe() } }
            .flatMapErrorThrowing { _ in }
    }

    /// Freezes the server, with its memory and its connections.
    func pause() {
        guard life?.isPaused == false else { return }
        life?.isPaused = true
        life?.endpoint.pause()
        note(.paused)
        endTurn()
    }

    /// Goes on after a pause: what came meanwhile is handled before any timer that ran out.
    func resume() {
        guard life?.isPaused == true else { return }
        life?.isPaused = false
        note(.resumed)
        let deferred = life?.deferred ?? []
        life?.deferred = []
        for input in deferred { handle(input) }
        life?.endpoint.resume()
        endTurn()
    }

    /// Lets the server campaign.
    func campaign() {
        handle(.campaign)
        endTurn()
    }
}

extension IOError {
    /// What the system says of it.
    fileprivate var systemReason: String { String(cString: strerror(errnoCode)) }
}

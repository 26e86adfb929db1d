import Glibc
import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace
import RaftTransport

// How a server starts and stops. All of this is carried out in order, see ``NodeHost/inOrder(_:)``.

extension NodeHost {
    /// Starts the server from its disk. Done when it runs, or has told why it can't.
    func start() -> EventLoopFuture<Void> {
        guard life == nil else { return loop.makeSucceededVoidFuture() }
        let box = NIOLoopBound(self, eventLoop: loop)
        return disk.submit(on: loop) { [identity] in try $0.open(identity) }
            .flatMap { opened in box.value.listen(opened) }
            .flatMapError { error in box.value.fail(error) }
    }

    /// What a disk held when it was opened.
    typealias Opened = (identity: Identity, recovered: Recovered, opening: Int)

    private func listen(_ opened: Opened) -> EventLoopFuture<Void> {
        let endpoint = Endpoint(
            loop: loop, cluster: opened.identity.cluster, node: id, incarnation: opened.identity.incarnation,
            members: Set(peers.keys).union(addresses.keys), secret: secret, face: face, delegate: self)
        let parts = NIOLoopBound((host: self, endpoint: endpoint), eventLoop: loop)
        return endpoint.listen(on: address).flatMapError { error in
            let (host, endpoint) = parts.value
            // While the server was down somebody may have taken the port; any other does as well.
            guard !host.isPortFixed, host.address.port != 0 else { return host.loop.makeFailedFuture(error) }
            return endpoint.listen(on: .loopback(port: 0))
        }.flatMapThrowing { port in
            let (host, endpoint) = parts.value
            try host.begin(opened, endpoint, port: port)
        }.flatMap { parts.value.host.connect() }
    }

    /// The disk is read and the port is open: the server begins.
    private func begin(_ opened: Opened, _ endpoint: Endpoint, port: Int) throws {
        let (found, recovered) = (opened.identity, opened.recovered)
        address.port = port
        identity.incarnation = max(identity.incarnation, found.incarnation)
        let raft = Raft(
            id: id, incarnation: found.incarnation, configuration: found.configuration, settings: settings,
            hardState: recovered.hardState, log: recovered.log, snapshot: recovered.snapshot?.mark,
            seed: random.next(), now: clock.now)
        let node = try node(around: raft, recovered, endpoint)
        lives += 1
        life = Life(node: node, endpoint: endpoint, number: lives, opening: opened.opening)
        let repairs = recovered.repairs.map {
            "\($0.file): cut \($0.bytes) bytes off at byte \($0.offset), for \($0.reason)"
        }
        note(
            .started(
                NodeStarted(
                    incarnation: found.incarnation, vote: recovered.hardState.vote, log: TermRun.runs(of: raft.log),
                    base: raft.log.toldBase, snapshot: raft.snapshot?.last, members: raft.configuration,
                    repairs: repairs, port: port)))
        // What is in the store no event has told.
        if raft.snapshot != nil { note(.state(node.state)) }
        if let timer = raft.electionTimer { note(.raft(.timerSet(timer))) }
        endTurn()
    }

    /// Connects to the others, and lets them connect to this server. Done when all have tried, so that what it says from
    /// then on reaches those that run.
    private func connect() -> EventLoopFuture<Void> {
        guard let endpoint = life?.endpoint else { return loop.makeSucceededVoidFuture() }
        var attempts = addresses.filter { $0.key != id }.map { endpoint.setPeer($0.key, at: $0.value) }
        for (_, peer) in peers {
            let since = endpoint.listeningSince
            attempts.append(
                peer.flatSubmit { [id, address] in $0.learn(id, isAt: address, since: since) }.hop(to: loop))
        }
        return EventLoopFuture.andAllComplete(attempts, on: loop)
    }

    /// The server around its part of Raft. One whose snapshot holds no store closes its port again.
    private func node(around raft: Raft, _ recovered: Recovered, _ endpoint: Endpoint) throws -> Node {
        do {
            return try Node(raft: raft, snapshot: recovered.snapshot)
        } catch {
            endpoint.close().whenComplete { _ in }
            throw StorageError.damaged(
                file: disk.path + "/" + SnapshotFile.name, offset: 0, reason: "the snapshot holds no store: \(error)")
        }
    }

    private func fail(_ error: any Error) -> EventLoopFuture<Void> {
        let reason =
            switch error {
            case let error as StorageError: "\(id) can't start: \(error)"
            case let error as IOError:
                "\(id) can't listen on \(address): \(error.systemReason); choose another port"
            default: "\(id) can't start: \(error)"
            }
        tellFailure(reason)
        return disk.submit(on: loop) { try $0.close(.kill) }.flatMapErrorThrowing { _ in }
    }

    private func tellFailure(_ reason: String) {
        note(.failed(NodeFailed(reason: reason)))
        endTurn()
    }

    /// A peer listens at `address`; since when, where it has just started. Done when this server has tried to connect to
    /// it.
    @discardableResult
    func learn(_ peer: NodeID, isAt address: Address, since: NIODeadline? = nil) -> EventLoopFuture<Void> {
        addresses[peer] = address
        return life?.endpoint.setPeer(peer, at: address, since: since) ?? loop.makeSucceededVoidFuture()
    }

    /// Stops the server as a crash of this kind does; its sockets are closed for real. Done when its port is free and its
    /// disk closed.
    func stop(_ how: CrashKind) -> EventLoopFuture<Void> {
        clearLinks()
        note(.stopped(NodeStopped(how: how)))
        // A disk that is made anew is another one, and whoever knew the old one must see that.
        if how == .wipe || disk.isInMemory { identity.incarnation = identity.incarnation.next }
        return leave(how)
    }

    /// Stops after the disk has failed, which was told already.
    func abandon(_ number: Int) -> EventLoopFuture<Void> {
        guard life?.number == number else { return loop.makeSucceededVoidFuture() }
        clearLinks()
        return leave(.kill)
    }

    /// Stops for good, if it runs.
    func end() -> EventLoopFuture<Void> {
        life == nil ? loop.makeSucceededVoidFuture() : stop(.kill)
    }

    private func leave(_ how: CrashKind) -> EventLoopFuture<Void> {
        var left = life
        life = nil
        (turn.draft, turn.wantsSnapshot) = (nil, false)
        forgetWatchedTurn()
        if how == .power { disk.cutPower() }
        for number in left?.waiting.numbers ?? [] {
            // The connection breaks: whether the request was handled, its client can't know.
            guard let (channel, id) = left?.waiting.remove(number) else { continue }
            turn.replies.append(Reply(id: id, result: .unknown), to: channel)
        }
        endTurn()
        let portClosed = left?.endpoint.close() ?? loop.makeSucceededVoidFuture()
        let diskClosed = disk.submit(on: loop) { try $0.close(how) }
        return tellingFailure(of: portClosed.and(diskClosed).map { _ in })
    }

    /// Brings back the disk that was wiped last.
    func unwipe() -> EventLoopFuture<Void> {
        tellingFailure(of: disk.submit(on: loop) { try $0.unwipe() })
    }

    private func tellingFailure(of work: EventLoopFuture<Void>) -> EventLoopFuture<Void> {
        let box = NIOLoopBound(self, eventLoop: loop)
        return work.flatMapErrorThrowing { error in box.value.tellFailure("\(box.value.id): \(error)") }
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
        // One that was paused within a step that is being looked at goes on with it when it was seen.
        if watchedUpTo != nil, isWatched { return tellTurn() }
        if watchedUpTo != nil {
            watchedUpTo = nil
            finishTurn()
        }
        handleDeferred()
    }

    /// Handles what came while the server was paused or looked at, and then lets its sockets be read again.
    func handleDeferred() {
        let deferred = life?.deferred ?? []
        life?.deferred = []
        for input in deferred { handle(input) }
        if let endpoint = life?.endpoint, !endpoint.isReading { endpoint.resume() }
        endTurn()
    }

    /// Lets the server campaign.
    func campaign() {
        handle(.campaign)
        endTurn()
    }
}

// What is done to a server from outside.

extension NodeHost {
    /// Gives the server's disk its contents, before it starts for the first time.
    func prepare(_ boot: Boot) -> EventLoopFuture<Void> {
        tellingFailure(of: disk.submit(on: loop) { [identity] in try $0.prepare(identity, boot.write) })
    }

    /// A fresh cluster begins: nothing of the old one counts any more.
    func begin(anew identity: Identity, _ clock: ClusterClock) {
        self.identity = identity
        links = [:]
        isTimerHeld = false
        diskCondition = .ok
        disk.execute { $0.condition = .ok }
        syncPace = SyncPace()
        adopt(clock)
    }

    /// Lets the server hand leadership over.
    func transfer(to target: NodeID) {
        handle(.transfer(to: target))
        endTurn()
    }

    /// Lets the server change who is a member.
    func changeMembers(adding added: NodeSet, removing removed: NodeSet) {
        handle(.changeMembers(adding: added, removing: removed))
        endTurn()
    }

    /// Another server has joined, or is gone.
    func meet(_ peers: [NodeID: HostReference]) {
        self.peers = peers
        addresses = addresses.filter { peers[$0.key] != nil }
        life?.endpoint.members = Set(peers.keys)
    }

    /// Tells another server where this one can be reached.
    func introduce(to peer: HostReference) {
        guard life != nil else { return }
        peer.execute { [id, address] in $0.learn(id, isAt: address) }
    }

    /// Lets the server take a snapshot.
    func takeSnapshot() {
        handle(.takeSnapshot)
        endTurn()
    }

    /// Lets the election timer run out or not, whoever lives.
    func holdTimer(_ isHeld: Bool) {
        isTimerHeld = isHeld
        note(isHeld ? .timerHeld : .timerFreed)
        endTurn()
    }

    /// Lets the election timer run out at this moment.
    func setTimer(_ moment: Instant) {
        handle(.timer(moment))
        endTurn()
    }

    /// The disk works so from now on. What was written and waits for a disk that stalled goes on when it is well.
    func setDisk(_ condition: DiskCondition) {
        diskCondition = condition
        disk.execute { $0.condition = condition }
        note(.disk(DiskChanged(condition: condition)))
        endTurn()
    }
}

extension IOError {
    /// What the system says of it.
    fileprivate var systemReason: String { String(cString: strerror(errnoCode)) }
}

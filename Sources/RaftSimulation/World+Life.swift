import Laboratory
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

// How simulated servers start and stop.

extension World {
    /// Starts a server from its disk.
    mutating func start(_ place: Int) {
        guard !servers[place].isRunning else { return }
        var server = servers[place]
        // What is ordered of a disk concerns what is written to it from now on.
        server.disk.fault = nil
        do throws(StorageError) {
            let (identity, log, recovered) = try server.identity.open(
                server.disk, segmentBytesMax: mix.segmentBytes)
            server.identity = identity
            let raft = Raft(
                id: server.id, incarnation: identity.incarnation, configuration: identity.configuration,
                settings: settings, hardState: recovered.hardState, log: recovered.log,
                snapshot: recovered.snapshot?.mark, seed: random.next(), now: server.clock.time(at: now))
            let started = NodeStarted(
                incarnation: identity.incarnation, vote: recovered.hardState.vote, log: TermRun.runs(of: raft.log),
                base: raft.log.toldBase, snapshot: raft.snapshot?.last, members: raft.configuration)
            server.begin(try World.node(around: raft, recovered), log)
            server.life?.log.disk.fault = server.condition.fault
            servers[place] = server
            tell(.node(server.id, recovered.hardState.term, .started(started)))
            if raft.snapshot != nil, let state = server.life?.node.state {
                tellIfKept(.node(server.id, raft.currentTerm, .state(state)))
            }
            if let timer = raft.electionTimer {
                tellIfKept(.node(server.id, raft.currentTerm, .raft(.timerSet(timer))))
            }
            lookAgain(place)
        } catch {
            let reason = "\(server.id) can't start: \(error)"
            startFailure = reason
            tell(.node(server.id, .zero, .failed(NodeFailed(reason: reason))))
        }
    }

    private static func node(around raft: Raft, _ recovered: Recovered) throws(StorageError) -> Node {
        do {
            return try Node(raft: raft, snapshot: recovered.snapshot)
        } catch {
            throw .damaged(
                file: "\(raft.id)/\(SnapshotFile.name)", offset: 0, reason: "the snapshot holds no store: \(error)")
        }
    }

    /// Stops a server as a crash of this kind does.
    mutating func stop(_ place: Int, _ how: CrashKind) {
        tell(.node(servers[place].id, term(of: place), .stopped(NodeStopped(how: how))))
        leave(place, how)
    }

    func term(of place: Int) -> Term { servers[place].life?.node.raft.currentTerm ?? .zero }

    /// What a crash leaves behind.
    mutating func leave(_ place: Int, _ how: CrashKind) {
        // A step that is not over leads to nothing; who waits for an answer of it still waits.
        servers[place].watchedTurn = nil
        clearLinks(of: servers[place].id)
        let left = servers[place].end()
        // The connection breaks: whether the request was handled, its client can't know.
        for (request, client) in (left?.waiting ?? [:]).sorted(by: { $0.key < $1.key }) {
            schedule(.reply(Reply(id: request, result: .unknown), client: client), after: .zero)
        }
        switch how {
        case .kill: break
        case .power: if left != nil { servers[place].disk.losePower(&random) }
        case .wipe:
            servers[place].wipedDisks.append(servers[place].disk)
            servers[place].disk = SimulatedDisk(path: servers[place].disk.path)
            servers[place].disk.isLying = sabotage.contains(.lyingSync)
            let latest = max(servers[place].latestIncarnation, servers[place].identity.incarnation).next
            servers[place].latestIncarnation = latest
            servers[place].identity.incarnation = latest
        }
        servers[place].disk.fault = servers[place].condition.fault
    }

    /// Takes everything off a server's links: it is gone, and its sockets with it.
    private mutating func clearLinks(of node: NodeID) {
        for other in servers.map(\.id) where !links.isEmpty && other != node {
            for waiting in links[Picture.LinkID(from: node, to: other)]?.clear() ?? [] {
                tellLost(waiting.number, waiting.message, .unreachable)
            }
        }
    }

    /// Freezes a server, with its memory.
    mutating func pause(_ place: Int) {
        guard servers[place].isRunning, !servers[place].isPaused else { return }
        servers[place].isPaused = true
        tell(.node(servers[place].id, term(of: place), .paused))
    }

    /// Lets a paused server go on: what came meanwhile is handled before any timer that ran out.
    mutating func resume(_ place: Int) {
        guard servers[place].isPaused else { return }
        servers[place].isPaused = false
        tell(.node(servers[place].id, term(of: place), .resumed))
        let deferred = servers[place].life?.deferred ?? []
        servers[place].life?.deferred = []
        for input in deferred { handle(input, on: place) }
        lookAgain(place)
    }
}

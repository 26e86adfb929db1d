import HeapModule
import Laboratory
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

// A world that is handled by hand: what a laboratory orders, and links whose messages wait.

extension World {
    /// Carries out an order. Answers the number of the call, where it is a client's.
    @discardableResult
    mutating func carryOut(_ order: Order) -> UInt64? {
        switch order {
        case .start(let node): start(place(of: node))
        case .stop(let node, let how): stop(place(of: node), how)
        case .unwipe(let node): unwipe(place(of: node))
        case .pause(let node): pause(place(of: node))
        case .resume(let node): resume(place(of: node))
        case .campaign(let node): handle(.campaign, on: place(of: node))
        case .snapshot(let node): handle(.takeSnapshot, on: place(of: node))
        case .create(let node): create(node)
        case .members(let leader, let added, let removed):
            handle(.changeMembers(adding: added, removing: removed), on: place(of: leader))
        case .transfer(let node, let target): handle(.transfer(to: target), on: place(of: node))
        case .holdTimer(let node, let isHeld): holdTimer(of: place(of: node), isHeld)
        case .setTimer(let node, let moment): handle(.timer(moment), on: place(of: node))
        case .disk(let node, let condition): setDisk(of: place(of: node), condition)
        case .link(let id, let change): changeLink(id, change)
        case .messages(let action, let id, let messages): handleMessages(action, id, messages)
        case .clock(let rate): setClock(rate)
        case .step(let count): stepsLeft = (stepsLeft ?? 0) + count
        case .settings(let settings): adopt(settings)
        case .load(let load): setLoad(load)
        case .call(let command, let via):
            return call(command.request, by: client(named: command.client), via: via, isRetry: command.isRetry)
        case .restart: restart()
        }
        return nil
    }

    func place(of node: NodeID) -> Int { Int(node.rawValue) - 1 }

    private mutating func setClock(_ rate: Double) {
        let wasFrozen = isFrozen
        isFrozen = rate == 0
        stepsLeft = nil
        tell(.clock(ClockRate(rate: rate)))
        if wasFrozen, !isFrozen { lookAgainAtAll() }
    }

    mutating func client(named name: String) -> Int {
        if let place = clients.firstIndex(where: { $0.client.name == name }) { return place }
        clients.append(SimulatedClient(name: name, isAutomatic: false, patience: patience))
        return clients.count - 1
    }

    private mutating func adopt(_ settings: Settings) {
        self.settings = settings
        tell(.settings(SettingsChanged(settings)))
        for place in servers.indices { servers[place].life?.node.adopt(settings) }
    }

    /// Gives a server's disk its contents, before it starts for the first time.
    mutating func prepare(_ boot: Boot) throws(StorageError) {
        let place = place(of: boot.node)
        var (identity, log, _) = try servers[place].identity.open(servers[place].disk)
        try log.append([boot.write])
        try log.sync()
        servers[place].identity = identity
        servers[place].disk = log.disk
    }

    /// Stops everything, takes all disks away, and starts the same cluster anew.
    private mutating func restart() {
        for place in servers.indices where servers[place].isRunning { stop(place, .wipe) }
        queue = Heap()
        servers = World.servers(count: firstCount, cluster: random.next(), sabotage)
        clients = []
        isFrozen = false
        (stepsLeft, load, loadWake) = (nil, nil, nil)
        tell(.began(ClusterBegan(nodes: firstCount, seed: seed, settings: settings)))
        for place in servers.indices { start(place) }
    }

    // MARK: - Servers

    /// Makes a server that wasn't there before.
    private mutating func create(_ node: NodeID) {
        let first = servers[0].identity
        let identity = Identity(
            cluster: first.cluster, node: node, incarnation: .first, configuration: first.configuration)
        servers.append(World.server(identity, sabotage))
    }

    /// Brings back the disk that was wiped last.
    private mutating func unwipe(_ place: Int) {
        guard let disk = servers[place].wipedDisks.popLast() else { return }
        servers[place].disk = disk
    }

    private mutating func holdTimer(of place: Int, _ isHeld: Bool) {
        servers[place].isTimerHeld = isHeld
        tell(.node(servers[place].id, term(of: place), isHeld ? .timerHeld : .timerFreed))
        servers[place].noteDeadline()
        lookAgain(place)
    }

    private mutating func setDisk(of place: Int, _ condition: DiskCondition) {
        servers[place].condition = condition
        servers[place].disk.fault = condition.fault
        servers[place].life?.log.disk.fault = condition.fault
        tell(.node(servers[place].id, term(of: place), .disk(DiskChanged(condition: condition))))
        startWriting(place)
        writeDraft(of: place)
    }

    // MARK: - Being looked at

    /// What was looked at goes on: every server ends its step, and takes what came meanwhile.
    mutating func releaseWatched() {
        for place in servers.indices where servers[place].watchedTurn != nil && !servers[place].isPaused {
            carryOutWatched(place)
            let deferred = servers[place].life?.deferred ?? []
            servers[place].life?.deferred = []
            for input in deferred { handle(input, on: place) }
            lookAgain(place)
        }
    }

    /// Ends the step of a server that was looked at.
    mutating func carryOutWatched(_ place: Int) {
        guard let effects = servers[place].watchedTurn else { return }
        servers[place].watchedTurn = nil
        carryOut(effects, of: place)
    }

    // MARK: - Links

    /// Puts a message on a link that is handled by hand.
    mutating func put(_ message: Message, number: UInt64, on id: Picture.LinkID) {
        guard let fate = links[id]?.put(message, number: number, at: now, isFrozen: isFrozen, random: &random) else {
            return
        }
        switch fate {
        case .passes:
            tell(.sent(MessageSent(number: number, message: message, due: nil)))
            let due = max(now + random.interval(in: mix.latency), lastDue[id])
            lastDue[id] = due
            schedule(.delivery(message, number: number), at: due)
        case .waits(let due):
            tell(.sent(MessageSent(number: number, message: message, due: due)))
            lookAgain(at: id)
        case .lost(let loss):
            tell(.sent(MessageSent(number: number, message: message, due: nil)))
            tellLost(number, message, loss.reason)
        }
    }

    /// Messages on a link may have waited long enough.
    mutating func passOn(_ id: Picture.LinkID) {
        while let waiting = links[id]?.next(by: now) { deliver(waiting.message, number: waiting.number) }
        lookAgain(at: id)
    }

    /// Arranges to look at a link when its first message is due.
    mutating func lookAgain(at id: Picture.LinkID) {
        if let due = links[id]?.deadline { schedule(.link(id), at: max(now, due)) }
    }

    private mutating func changeLink(_ id: Picture.LinkID, _ change: LinkChange) {
        for waiting in links[id]?.apply(change, at: now) ?? [] { tellLost(waiting.number, waiting.message, .cut) }
        if let state = links[id]?.state(from: id.from, to: id.to) { tell(.link(state)) }
        lookAgain(at: id)
    }

    private mutating func handleMessages(_ action: MessageAction, _ id: Picture.LinkID, _ messages: LinkMessages) {
        guard var link = links[id] else { return }
        let handled = link.handle(action, messages) {
            defer { nextMessage += 1 }
            return nextMessage
        }
        links[id] = link
        for waiting in handled.lost { tellLost(waiting.number, waiting.message, .dropped) }
        for copy in handled.copies {
            tell(.sent(copy.told(isHeld: link.isHeld)))
        }
        for waiting in handled.delivered { deliver(waiting.message, number: waiting.number) }
        lookAgain(at: id)
    }
}

extension DiskCondition {
    /// What goes wrong with a disk that works so; one that stalls isn't asked.
    var fault: SimulatedDisk.Fault? {
        switch self {
        case .ok, .stall: nil
        case .full: .full
        case .fail: .fails
        }
    }
}

import HeapModule
import Laboratory
import RaftAudit
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

/// A simulated world: servers, their disks and clocks, the network between them, and clients, all from one seed.
///
/// It is a value: a copy goes on from where the original stood, on a way of its own. It goes from occurrence to
/// occurrence; between two of them nothing happens, and no time is lost.
public struct World: Sendable {
    /// The world's time.
    public internal(set) var now = Instant.zero
    /// What holds the world to Raft's properties.
    public internal(set) var audit = Audit()
    /// What happened since these were taken last, if they are kept.
    public internal(set) var events: [Event] = []
    /// Where everything that is drawn comes from.
    public let seed: UInt64
    /// What was drawn for it.
    public let mix: Mix
    /// What the servers follow.
    var settings: Settings
    /// What is wrong with its disks by design; see ``Sabotage``.
    public let sabotage: Set<Sabotage>
    /// Why a server couldn't start, although nothing but what a disk may do was done to its disk.
    public internal(set) var startFailure: String?
    /// How many steps servers have taken.
    public internal(set) var steps = 0

    var servers: [SimulatedServer]
    /// How many servers there were at first.
    let firstCount: Int
    var clients: [SimulatedClient] = []
    /// The load that it is under, and when it is looked at.
    var load: LoadSchedule?
    var loadWake: Instant?
    var random: Generator
    /// Where the kinds of reads are drawn from, which came later than the rest.
    var laterRandom: Generator
    var cuts: LinkTable<Bool>
    /// The links that are handled by hand; every one, where any is.
    var links: [Picture.LinkID: Link] = [:]
    /// Whether nothing happens unless it was ordered: nobody calls, nothing fails, and nobody comes back by himself.
    let isByHand: Bool
    /// How long clients that are handled wait before a call's result is unknown.
    var patience = Client.patience
    /// Whether the clock stands still.
    var isFrozen = false
    /// How many steps are still to begin; `nil` where none was ordered, or all have had their effect.
    var stepsLeft: Int?
    /// Whether every step is looked at before anything of it leaves its server.
    var isWatched = false
    let keepsEvents: Bool
    var isCalm = false
    /// The servers whose disks were wiped. They don't count any more, so that there must be fewer than a majority.
    var wiped: Set<Int> = []
    var queue = Heap<Occurrence>()
    private var drawn: UInt64 = 0
    private var nextSequence: UInt64 = 1
    /// The number of the last event that was told.
    var lastSequence: UInt64 { nextSequence - 1 }
    var nextMessage: UInt64 = 1
    var nextRequest: RequestID = 1
    var nextCall: UInt64 = 1
    /// When the last message of each link arrives.
    var lastDue: LinkTable<Instant>
    private var effects = Effects()

    /// What can be wrong with a disk that no switch of the algorithm knows. It is there to see that the audit notices.
    public enum Sabotage: String, Hashable, Sendable, CaseIterable {
        /// A sync says that it is done, and nothing is.
        case lyingSync = "lying-sync"
        /// A vote is never written.
        case forgottenVote = "forgotten-vote"
    }

    /// The world of `seed`: `nodes` servers and the mix's clients, which start by themselves, or which somebody handles.
    public init(
        seed: UInt64, nodes: Int, mix: Mix, sabotage: Set<Sabotage> = [], keepsEvents: Bool = false,
        isByHand: Bool = false
    ) {
        self.seed = seed
        self.mix = mix
        self.sabotage = sabotage
        self.keepsEvents = keepsEvents
        self.isByHand = isByHand
        settings = mix.settings
        firstCount = nodes
        cuts = LinkTable(nodes: Desk.nodesMax, false)
        lastDue = LinkTable(nodes: Desk.nodesMax, .zero)
        random = Generator(seed: seed, stream: 2)
        laterRandom = Generator(seed: seed, stream: 5)
        let members = mix.startsSmaller ? max(1, nodes - 1) : nodes
        servers = World.servers(
            count: members, outsiders: nodes - members + mix.outsiders, cluster: seed, sabotage)
        tell(.began(ClusterBegan(nodes: nodes, seed: seed, settings: mix.settings)))
        if !isByHand { startByItself() }
    }

    static func servers(
        count: Int, outsiders: Int = 0, cluster: UInt64, _ sabotage: Set<Sabotage>
    ) -> [SimulatedServer] {
        let configuration = Configuration(count: count)
        return (1...count + outsiders).map {
            let identity = Identity(
                cluster: cluster, node: NodeID($0), incarnation: .first, configuration: configuration)
            return server(identity, sabotage)
        }
    }

    /// A server whose disk is new.
    static func server(_ identity: Identity, _ sabotage: Set<Sabotage>) -> SimulatedServer {
        var disk = SimulatedDisk(path: "\(identity.node)")
        disk.isLying = sabotage.contains(.lyingSync)
        return SimulatedServer(id: identity.node, identity: identity, disk: disk)
    }

    private mutating func startByItself() {
        for place in servers.indices {
            if mix.drift > 0 { changeClock(of: place) }
            start(place)
        }
        clients = (1...max(1, mix.clients)).map { SimulatedClient(name: "c\($0)", isAutomatic: true) }
        for place in clients.indices { schedule(.client(place), after: random.interval(in: mix.thought)) }
        if !mix.faults.isEmpty { schedule(.fault, after: random.interval(in: mix.faultPause)) }
    }

    // MARK: - Going on

    /// When the next thing happens; `nil` if nothing ever will.
    public var next: Instant? { queue.min?.at }

    /// Lets the next thing happen.
    public mutating func step() {
        guard let occurrence = queue.popMin() else { return }
        now = max(now, occurrence.at)
        happen(occurrence.kind)
    }

    mutating func happen(_ kind: Occurrence.Kind) {
        switch kind {
        case .delivery(let message, let number): deliver(message, number: number)
        case .link(let link): passOn(link)
        case .wake(let server, let life): wake(server, life: life)
        case .synced(let server, let life, let write): synced(server, life: life, write: write)
        case .snapshotWritten(let server, let life): snapshotWritten(server, life: life)
        case .snapshotRead(let server, let life): snapshotRead(server, life: life)
        case .request(let request, let server, let client): take(request, at: server, from: client)
        case .requests(let server, let life): takeRequests(server, life: life)
        case .reply(let reply, let client): take(reply, at: client)
        case .client(let place): wakeClient(place)
        case .load: goOnWithLoad()
        case .elected(let server): changeOneMember(through: server)
        case .fault: somethingGoesWrong()
        case .mend(let server, let life): mend(server, life: life)
        case .revival(let server): if !servers[server].isRunning { start(server) }
        }
    }

    mutating func schedule(_ kind: Occurrence.Kind, after delay: Interval) { schedule(kind, at: now + delay) }

    mutating func schedule(_ kind: Occurrence.Kind, at moment: Instant) {
        drawn += 1
        queue.insert(Occurrence(at: moment, order: drawn, kind: kind))
    }

    // MARK: - Telling

    mutating func tell(_ kind: Event.Kind) {
        audit.take(kind, sequence: nextSequence)
        if keepsEvents { events.append(Event(at: now, sequence: nextSequence, kind: kind)) }
        nextSequence += 1
    }

    /// Tells what only a reader of the trace wants to know.
    mutating func tellIfKept(_ kind: @autoclosure () -> Event.Kind) {
        if keepsEvents { tell(kind()) }
    }

    // MARK: - Servers

    /// Lets a server handle `input`, now or, while it is paused, afterwards.
    mutating func handle(_ input: NodeInput, on place: Int) {
        guard servers[place].isRunning else { return }
        if servers[place].isPaused || servers[place].watchedTurn != nil {
            servers[place].life?.deferred.append(input)
            return
        }
        steps += 1
        effects.clear()
        let term = servers[place].handle(input, at: now, into: &effects)
        let id = servers[place].id
        for event in effects.events {
            tell(.node(id, term, event))
            guard mix.changesOnElection, case .raft(.roleChanged(let change)) = event else { continue }
            if change.role == .leader { schedule(.elected(server: place), after: .zero) }
        }
        if isWatched, !effects.events.isEmpty {
            servers[place].watchedTurn = effects
            return
        }
        carryOut(effects, of: place)
    }

    /// Does what a step of a server has led to.
    mutating func carryOut(_ effects: Effects, of place: Int) {
        if let write = effects.write.map(sabotaged) { servers[place].life?.writes.append(write) }
        for message in effects.messages { send(message) }
        for reply in effects.replies { answer(reply, from: place) }
        startWriting(place)
        if let draft = effects.draft { write(draft, of: place) }
        if effects.wantsSnapshot { loadSnapshot(of: place) }
        scheduleWake(place)
    }

    private func sabotaged(_ write: Write) -> Write {
        guard sabotage.contains(.forgottenVote) else { return write }
        var write = write
        write.hardState?.vote = nil
        return write
    }

    private mutating func scheduleWake(_ place: Int) {
        guard servers[place].isAwake, let deadline = servers[place].deadline else { return }
        let moment = max(now, deadline)
        // An earlier wake-up does as well: it looks again.
        if let wake = servers[place].wake, wake <= moment { return }
        servers[place].wake = moment
        schedule(.wake(server: place, life: servers[place].lives), at: moment)
    }

    /// Looks anew at when a server wants to be woken.
    mutating func lookAgain(_ place: Int) {
        servers[place].wake = nil
        scheduleWake(place)
    }

    private mutating func wake(_ place: Int, life: UInt64) {
        guard servers[place].lives == life, let wake = servers[place].wake, wake <= now else { return }
        servers[place].wake = nil
        if !servers[place].isPaused, servers[place].isDue(at: now) {
            handle(.deadline, on: place)
        } else {
            scheduleWake(place)
        }
    }

    // MARK: - Network

    /// Puts a message on its link.
    private mutating func send(_ message: Message) {
        let number = nextMessage
        nextMessage += 1
        let pair = Picture.LinkID(from: message.from, to: message.to)
        if !links.isEmpty { return put(message, number: number, on: pair) }
        if cuts[pair] {
            tell(.sent(MessageSent(number: number, message: message, due: nil)))
            return tellLost(number, message, .cut)
        }
        if !isCalm, random.chance(mix.loss) {
            tell(.sent(MessageSent(number: number, message: message, due: nil)))
            return tellLost(number, message, .chance)
        }
        var due = now + random.interval(in: mix.latency)
        if !mix.reorders {
            due = max(due, lastDue[pair])
            lastDue[pair] = due
        }
        tell(.sent(MessageSent(number: number, message: message, due: due)))
        schedule(.delivery(message, number: number), at: due)
        if !isCalm, random.chance(mix.duplication) {
            schedule(.delivery(message, number: number), after: random.interval(in: mix.latency))
        }
    }

    mutating func deliver(_ message: Message, number: UInt64) {
        let place = Int(message.to.rawValue) - 1
        if cuts[Picture.LinkID(from: message.from, to: message.to)] { return tellLost(number, message, .cut) }
        guard servers[place].isRunning else { return tellLost(number, message, .unreachable) }
        tellIfKept(.delivered(MessageDelivered(number: number, from: message.from, to: message.to)))
        handle(.message(message), on: place)
    }

    mutating func tellLost(_ number: UInt64, _ message: Message, _ reason: MessageLost.Reason) {
        tellIfKept(.lost(MessageLost(number: number, from: message.from, to: message.to, reason: reason)))
    }

    // MARK: - Disks

    /// Gives everything that waits to the disk, unless it is busy: what comes meanwhile shares the next sync.
    mutating func startWriting(_ place: Int) {
        guard servers[place].isRunning, !servers[place].isWriting, servers[place].condition != .stall else { return }
        do throws(StorageError) {
            guard let last = try servers[place].writeAll() else { return }
            servers[place].isWriting = true
            let time = random.interval(in: mix.sync) + servers[place].stall
            schedule(.synced(server: place, life: servers[place].lives, write: last), after: time)
        } catch {
            failDisk(place, error)
        }
    }

    private mutating func synced(_ place: Int, life: UInt64, write: WriteNumber) {
        guard servers[place].isRunning, servers[place].lives == life else { return }
        do throws(StorageError) {
            try servers[place].life?.log.sync()
        } catch {
            return failDisk(place, error)
        }
        servers[place].isWriting = false
        handle(.durable(write), on: place)
    }

    /// A server whose disk fails stops; what it had not synced may be there or not.
    mutating func failDisk(_ place: Int, _ error: StorageError) {
        servers[place].isPaused = false
        servers[place].isWriting = true
        servers[place].watchedTurn = nil
        handle(.diskFailed("\(error)"), on: place)
        carryOutWatched(place)
        leave(place, isByHand ? .kill : .power)
        if !isByHand { reviveLater(place) }
    }
}

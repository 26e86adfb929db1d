import Glibc
import Laboratory
import NIOCore
import NIOPosix
import RaftCore
import RaftTrace

/// A cluster whose nodes are processes of their own, somewhere else: what they tell makes one row of events, and what
/// they are told goes to them over HTTP.
///
/// It is used from one thread, which never waits for the network.
public final class WatchedCluster: RunningLaboratory {
    let group: MultiThreadedEventLoopGroup
    let client: HTTPClient
    let inbox = Inbox()
    let addresses: [NodeAddress]
    /// What those who disturb the cluster must send; `nil` where nobody may.
    let token: String?
    private var readers: [NIOLoopBound<NodeReader>] = []
    var sources: [Source]
    var row = EventRow()
    var numbers: Renumbering
    /// The time of day, as it passed since the watch began; all processes of one machine have the same.
    private let clock: ClusterClock
    /// What was ordered, and what is known to have happened since.
    var desk: Desk
    /// Whether something that was ordered was not carried out.
    var hasFailedOrders = false
    var ownCalls = OwnCalls()
    /// The names under which clients' last writes are done once.
    var writeNames: [String: String] = [:]
    /// What no other watch's names begin with.
    let run = String(UInt64.random(in: .min ... .max), radix: 36)
    /// What nodes are told is told in order.
    var tails: [NodeID: EventLoopFuture<Void>] = [:]
    /// Commands that were sent, until all nodes have answered.
    var commands: [Int: SentCommand] = [:]
    var lastCommand = 0
    private var refusals: [Refusal] = []
    private var settings: SettingsChanged?
    private var hasBegun = false
    private var isClosed = false

    /// The servers there are, in ascending order.
    public private(set) var members: [NodeID]

    /// The largest number of nodes that can be watched.
    public static let nodesMax = Desk.nodesMax
    /// How long the row waits for what the nodes follow, before it begins without.
    private static let beginningMax = Interval.seconds(1)

    /// Watches the cluster whose nodes are at these addresses. Waits until they have answered, or are taken to be down.
    ///
    /// - Throws: ``Refusal`` where none answers, or some node has no address here.
    public convenience init(_ addresses: [NodeAddress], token: String?) throws(Refusal) {
        try self.init(addresses, found: Survey.ask(addresses), token: token)
    }

    /// The same, where somebody has asked the nodes already.
    public init(_ addresses: [NodeAddress], found findings: [Survey.Finding], token: String?) throws(Refusal) {
        members = try WatchedCluster.members(in: findings, at: addresses)
        // What nodes tell is much to read: each has a thread that does it.
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, addresses.count))
        client = HTTPClient(loop: group.next())
        (self.addresses, self.token) = (addresses, token)
        sources = WatchedCluster.names(in: findings, of: members).map { Source($0) }
        clock = ClusterClock.timeOfDay
        numbers = Renumbering(start: clock.now)
        desk = Desk(nodes: members, settings: Settings(), speed: 1, latency: .zero ... .zero)
        for (source, address) in addresses.enumerated() { read(source, at: address) }
    }

    private func read(_ source: Int, at address: NodeAddress) {
        let (client, inbox) = (HTTPClient(loop: group.next()), inbox)
        let reader = try? client.loop.submit {
            let reader = NodeReader(source, at: address, client: client, inbox: inbox)
            reader.connect()
            return NIOLoopBound(reader, eventLoop: client.loop)
        }.wait()
        if let reader { readers.append(reader) }
    }

    // MARK: - Who is there

    private static func members(
        in findings: [Survey.Finding], at addresses: [NodeAddress]
    ) throws(Refusal) -> [NodeID] {
        let statuses = findings.compactMap(\.status)
        guard let latest = NodeStatus.leader(of: statuses) ?? statuses.max(by: { $0.term < $1.term }) else {
            let places = addresses.map(\.authority).joined(separator: ", ")
            throw Refusal("no node answers at \(places): start the nodes with raft-tui node, or give their addresses")
        }
        let members = Set(latest.members).union(statuses.map(\.node)).sorted()
        guard members.count <= addresses.count else {
            let named = members.map(\.description).joined(separator: ", ")
            throw Refusal(
                "the nodes are \(named), and \(addresses.count) of their addresses \(addresses.count == 1 ? "is" : "are") given: give all \(members.count)"
            )
        }
        return members
    }

    /// The nodes at the addresses: who has said so, and who is left, where it can be no other.
    private static func names(in findings: [Survey.Finding], of members: [NodeID]) -> [NodeID?] {
        var names = findings.map(\.status?.node)
        let missing = members.filter { !names.contains($0) }
        let nameless = names.indices.filter { names[$0] == nil }
        if missing.count == 1, nameless.count == 1 { names[nameless[0]] = missing[0] }
        return names
    }

    /// The address of a node; `nil` where none has said that it is this one.
    func address(of node: NodeID) -> NodeAddress? {
        sources.firstIndex { $0.node == node }.map { addresses[$0] }
    }

    /// The time of day.
    var timeOfDay: Instant { clock.now }

    // MARK: - The laboratory

    /// The moment that is shown, a little ago.
    public var now: Instant { numbers.screenTime(timeOfDay - EventRow.holdBack) }

    /// The nodes were started by others.
    public var hasStarted: Bool { true }

    /// The nodes were started by others.
    public func start() {}

    /// Disks of processes that run have their contents.
    public func prepare(_ boot: Boot) throws(Refusal) {
        throw Refusal("the nodes run already: their disks can't be prepared")
    }

    /// Processes can't be made to wait for who looks at them.
    public var isWatched: Bool {
        get { false }
        set {}
    }

    /// Nobody waits.
    public func releaseWatched() {}

    /// A descriptor that can be read from when something was heard.
    public var eventDescriptor: Int32? { inbox.descriptor }

    /// When something that was heard is to be shown.
    public var delay: Int64? {
        let due = hasBegun ? row.due : numbers.start + WatchedCluster.beginningMax
        return due.map { max(0, ($0 - timeOfDay).nanoseconds) }
    }

    /// Whether all nodes were tried, and what was begun is over and told.
    public var isSettled: Bool {
        hasBegun && sources.allSatisfy(\.isTried) && commands.isEmpty && !ownCalls.areOpen && row.ownCount == 0
    }

    /// The events since this was called last, in order.
    public func takeEvents() -> [Event] {
        let (news, answers) = inbox.take()
        for (source, news) in news { take(news, from: source) }
        for answer in answers { take(answer) }
        var events: [Event] = []
        if !hasBegun {
            let isPatient = timeOfDay < numbers.start + WatchedCluster.beginningMax
            guard settings != nil || !isPatient else { return [] }
            hasBegun = true
            let beginning = ClusterBegan(running: members, settings: settings ?? SettingsChanged(Settings()))
            events.append(numbers.event(.began(beginning), at: numbers.start, isOwn: true))
            desk.note(events[0].kind)
        }
        for (kind, moment, isOwn) in row.release(at: timeOfDay) {
            if !isOwn, ownCalls.isOwn(kind, at: moment) { continue }
            let event = numbers.event(kind, at: moment, isOwn: isOwn)
            desk.note(event.kind)
            events.append(event)
        }
        return events
    }

    private func take(_ news: News, from source: Int) {
        let now = timeOfDay
        for (kind, moment) in sources[source].take(news, at: now) {
            if case .settings(let told) = kind {
                // Every node tells them.
                guard told != settings else { continue }
                settings = told
                if !hasBegun { continue }
            }
            row.add(kind, at: moment, from: source, arrival: now)
        }
    }

    private func take(_ answer: Inbox.Answer) {
        switch answer {
        case .call(let number, let result): end(number, result)
        case .order(let number, let refusal): end(number, refusal)
        }
    }

    /// Tells something that the program itself does.
    func tell(_ kind: Event.Kind, at moment: Instant) {
        row.add(kind, at: moment, from: nil, arrival: timeOfDay)
    }

    /// Says that something was not carried out after all.
    func refuse(_ sentence: String) {
        hasFailedOrders = true
        refusals.append(Refusal(sentence))
    }

    /// Why what was begun was not carried out after all.
    public func takeRefusals() -> [Refusal] {
        defer { refusals = [] }
        return refusals
    }

    /// Returns when there is something to take.
    public func waitForEvents(until moment: Instant?) {
        let rest = moment.map { max(0, ($0 - now).nanoseconds) }
        let wait = [rest, delay].compactMap { $0 }.min()
        var request = pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, wait.map { Int32(clamping: ($0 + 999_999) / 1_000_000) } ?? -1)
    }

    /// Lets the nodes alone.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        for reader in readers { reader.eventLoop.execute { reader.value.stop() } }
        try? group.syncShutdownGracefully()
    }

    deinit { close() }
}

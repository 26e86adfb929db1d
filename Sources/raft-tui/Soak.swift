import ArgumentParser
import Glibc
import KeyValue
import Laboratory
import RaftAudit
import RaftCluster
import RaftCore
import RaftTrace
import Script
import Terminal

/// `raft-tui soak`: real nodes under random faults with clients at work, held to Raft's properties.
struct Soak: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put real nodes under random faults with clients at work, and hold them to Raft.",
        discussion: """
            Processes are killed, power is cut, servers are paused, links are cut, slow and lossy, and in the second half \
            the disks of a minority are wiped. After the faults everything is mended, and the cluster must agree. Exit \
            status: 0 if all held, 1 if a property was broken or the cluster did not recover, 2 if it can't start, 64 \
            usage, 130 interrupted.
            """)

    @Option(help: "How long faults go on, in seconds.")
    var seconds = 60

    @Option(help: "The number of clients, 1 to 64.")
    var clients = 8

    @Option(help: "Keep the events in this file, one JSON object a line.")
    var trace: String?

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        guard (1...86_400).contains(seconds) else {
            throw ValidationError("--seconds is a number from 1 to 86400, not \(seconds).")
        }
        guard (1...64).contains(clients) else {
            throw ValidationError("--clients is a number from 1 to 64, not \(clients).")
        }
    }

    func run() throws {
        let writer = try trace.map { try TraceWriter(path: $0) }
        let signals = SignalPipe([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
        let options = cluster.live(nodes: cluster.nodes, speed: 1, latency: .zero ... .zero)
        let laboratory: LiveCluster
        do { laboratory = try LiveCluster(options) } catch { throw Failure("\(error)") }
        defer { laboratory.close() }
        laboratory.start()
        let verdict = try weather(on: laboratory, seed: options.seed, writer, signals)
        try writer?.close()
        print(verdict.sentence)
        if !verdict.isGood { throw ExitCode(1) }
    }

    private func weather(
        on laboratory: LiveCluster, seed: UInt64, _ writer: TraceWriter?, _ signals: SignalPipe
    ) throws -> Storm.Verdict {
        var storm = Storm(seed: seed, clients: clients, length: .seconds(Int64(seconds)))
        var isStarting = true
        while true {
            let events = laboratory.takeEvents()
            for event in events { storm.take(event) }
            try writer?.write(events, storm.audit)
            if let signal = signals.take().first { throw ExitCode(128 + signal) }
            if isStarting, laboratory.isSettled {
                isStarting = false
                if let reason = storm.reasonNotToBegin { throw Failure(reason) }
                storm.prepare(laboratory)
            }
            if !isStarting, let verdict = storm.advance(on: laboratory) { return verdict }
            laboratory.waitForEvents(until: isStarting ? nil : storm.next, orReadable: signals.descriptor)
        }
    }
}

/// A time of faults and calls on a laboratory, and the calm after it.
private struct Storm {
    struct Verdict {
        var isGood: Bool
        var sentence: String
    }

    private(set) var next: Instant
    private var witness = Witness()
    var audit: Audit { witness.audit }
    private var picture: Picture { witness.picture }
    private var random: Generator
    /// The weather has randomness of its own, so that a seed's faults don't depend on how fast its clients are.
    private var weather: Generator
    private let half: Instant
    private let end: Instant
    private var calmUntil: Instant?
    private var faults = 0
    private var wipes = 0
    private var changes = 0
    private var installed = 0
    /// Whether leaders answer reads from their leases, in every other seed.
    private let hasLeases: Bool
    /// The servers whose disks this run has wiped.
    private var wiped = NodeSet()
    private var calls = 0
    /// The open call of each client.
    private var open: [UInt64: Int] = [:]
    private var idle: [Int]
    private var readsLeft: [Bytes] = (0..<4).map { Bytes("k\($0)".utf8) } + [Bytes("n".utf8)]

    private static let recoveryMax = Interval.seconds(30)

    init(seed: UInt64, clients: Int, length: Interval) {
        random = Generator(seed: seed, stream: 3)
        weather = Generator(seed: seed, stream: 4)
        half = .zero + Interval(nanoseconds: length.nanoseconds / 2)
        end = .zero + length
        next = .zero
        hasLeases = seed % 2 == 0
        idle = Array(0..<clients)
    }

    mutating func take(_ event: Event) {
        witness.take(event)
        if case .node(_, _, .raft(.snapshotInstalled)) = event.kind { installed += 1 }
        guard case .returned(let answer) = event.kind, let client = open.removeValue(forKey: answer.call) else {
            return
        }
        idle.append(client)
    }

    /// Lets servers take snapshots often, and leaders have leases.
    func prepare(_ laboratory: LiveCluster) {
        let options: [OptionChange] = [.snapshotEvery(200), .snapshotTrailing(20)] + (hasLeases ? [.lease(true)] : [])
        for option in options { _ = try? laboratory.perform(.option(option), seeing: picture) }
    }

    /// Why the cluster that has just started is not fit for it; `nil` where it is.
    var reasonNotToBegin: String? {
        if let failure = picture.nodes.compactMap(\.failure).first { return failure }
        guard forgetful.count * 2 >= picture.nodes.count else { return nil }
        return "the disks of \(forgetful) were wiped in an earlier run, so that nobody can be elected: "
            + "choose another --data-dir"
    }

    /// The servers whose disks were wiped, in this run or an earlier one: they don't count any more.
    private var forgetful: NodeSet { NodeSet(picture.nodes.filter { $0.incarnation != .first }.map(\.id)) }

    mutating func advance(on laboratory: LiveCluster) -> Verdict? {
        if let finding = audit.firstFinding { return Verdict(isGood: false, sentence: "\(finding)") }
        if let calmUntil { return recover(on: laboratory, until: calmUntil) }
        if laboratory.now >= end {
            mend(laboratory)
            calmUntil = laboratory.now + Storm.recoveryMax
            return nil
        }
        while let client = idle.popLast() { call(request(), by: client, on: laboratory) }
        guard laboratory.now >= next else { return nil }
        next = laboratory.now + weather.interval(in: .milliseconds(20) ... .milliseconds(600))
        let fault = fault(on: laboratory)
        do throws(Refusal) {
            try laboratory.perform(fault, seeing: picture)
            faults += 1
            if case .nodes(.wipe, _) = fault { wipes += 1 }
            if case .members = fault { changes += 1 }
        } catch {
            // What is down can't be killed, and so on: the next one comes.
        }
        return nil
    }

    private mutating func recover(on laboratory: LiveCluster, until end: Instant) -> Verdict? {
        next = end
        if laboratory.now >= end {
            let lines = ["the cluster did not recover:"] + picture.nodes.compactMap(\.failure) + picture.table
            return Verdict(isGood: false, sentence: lines.joined(separator: "\n"))
        }
        guard laboratory.isSettled, open.isEmpty, picture.leader != nil else { return nil }
        if let key = readsLeft.popLast() {
            call(.get(key: key, .readindex), by: 0, on: laboratory)
            return nil
        }
        guard picture.isConverged, picture.nodes.allSatisfy({ $0.isRunning }) else { return nil }
        witness.finish()
        if let finding = audit.firstFinding { return Verdict(isGood: false, sentence: "\(finding)") }
        let unchecked = audit.safety.unchecked + audit.clients.unchecked
        return Verdict(
            isGood: true,
            sentence: "all held: \(faults) faults, \(wipes) of them wiped disks and \(changes) changes of members, "
                + "\(installed) snapshots sent, \(calls) calls, "
                + "\(audit.clients.checked) answers checked"
                + (unchecked > 0 ? ", \(unchecked) things not checked" : ""))
    }

    private mutating func call(_ request: Request, by client: Int, on laboratory: LiveCluster) {
        let command = Command.client(ClientCommand(request, client: "c\(client + 1)", isBackground: true))
        guard let call = try? laboratory.perform(command, seeing: picture) else { return }
        calls += 1
        open[call] = client
    }

    private mutating func request() -> Request {
        let key = Bytes("k\(random.below(4))".utf8)
        let value = Bytes("v\(calls)".utf8)
        switch random.below(8) {
        case 0, 1: return .get(key: key, .readindex)
        case 2: return .get(key: key, hasLeases ? .lease : .readindex)
        case 3, 4: return .write(.set(key: key, value: value))
        case 5: return .write(.increment(key: Bytes("n".utf8), by: 1))
        case 6: return .write(.compareAndSet(key: key, old: picture.leader?.store[key] ?? [], new: value))
        default: return .write(.delete(key: key))
        }
    }

    private mutating func fault(on laboratory: LiveCluster) -> Command {
        let nodes = laboratory.members
        let id = nodes[Int(weather.below(UInt64(nodes.count)))]
        let node = NodeReference.node(id)
        let other = NodeReference.node(nodes[Int(weather.below(UInt64(nodes.count)))])
        let kind = weather.below(21)
        // One disk is wiped in every soak that is long enough, whatever is drawn.
        if wipes == 0, mayWipe(id, at: laboratory.now) { return .nodes(.wipe, [node]) }
        switch kind {
        case 0: return .nodes(.kill, [node])
        case 1: return .nodes(.power, [node])
        case 2, 3, 4: return .nodes(.revive, [node])
        case 5: return .nodes(.pause, [node])
        case 6: return .nodes(.resume, [node])
        case 7 where node != other: return .cut([LinkReference(from: node, to: other, isBothWays: weather.chance(0.5))])
        case 8: return .isolate(node)
        case 9: return .loss(nil, weather.chance(0.5) ? 0 : 0.1)
        case 10: return .latency(nil, .zero ... .milliseconds(Int64(weather.below(30))))
        case 11 where mayWipe(id, at: laboratory.now): return .nodes(.wipe, [node])
        case 12, 13: return .transfer(node)
        case 14, 15: return .nodes(.snapshot, [node])
        case 16, 17, 18: if laboratory.now < half, let change = changeOfMembers(on: laboratory, id) { return change }
        default: break
        }
        return .heal([])
    }

    /// A member goes, or comes back; once, a new server joins. All of it in the first half: in the second, disks are wiped,
    /// and then all others are needed.
    private func changeOfMembers(on laboratory: LiveCluster, _ node: NodeID) -> Command? {
        guard let members = picture.leader?.members else { return nil }
        let next = laboratory.members.count + 1
        if next <= min(firstCount + 1, Desk.nodesMax) { return .members(adding: [NodeID(next)], removing: []) }
        let outsiders = laboratory.members.filter { !members.contains($0) }
        if !outsiders.isEmpty { return .members(adding: outsiders, removing: []) }
        return .members(adding: [], removing: [.node(node)])
    }

    /// The members as of the latest change that any server knows of.
    private var latestMembers: Configuration? {
        picture.nodes.max { $0.membersIndex < $1.membersIndex }?.members
    }

    /// How many servers there were at first.
    private var firstCount: Int { picture.began?.nodes ?? 0 }

    /// Whether a disk may be taken away: those of a majority never, or what was promised would be forgotten. Afterwards
    /// all others are needed for a majority, so that it is left to the second half.
    private mutating func mayWipe(_ node: NodeID, at now: Instant) -> Bool {
        let gone = wiped.union(forgetful).with(node)
        guard now >= half, let voters = latestMembers?.electorate,
            gone.intersection(voters).count * 2 < voters.count
        else { return false }
        wiped = gone
        return true
    }

    private func mend(_ laboratory: LiveCluster) {
        let nodes = laboratory.members.map { NodeReference.node($0) }
        let commands: [Command] =
            [.heal([]), .loss(nil, 0), .latency(nil, .zero ... .zero)]
            + nodes.flatMap { [.nodes(.resume, [$0]), .nodes(.revive, [$0])] }
        // What is well already is refused, and that is as it should be.
        for command in commands { _ = try? laboratory.perform(command, seeing: picture) }
    }
}

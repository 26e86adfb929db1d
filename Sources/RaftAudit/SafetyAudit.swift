import RaftCore
import RaftTrace

/// Holds the servers to the paper's safety properties, to monotone terms and commits, and to what they promised each
/// other, event by event.
///
/// It keeps history variables: the leaders, votes, entries and commits there were, so that a crash, or a server that
/// forgets, hides nothing. Of a long history it keeps the latest part; see ``windowSize`` and ``termsMax``.
public struct SafetyAudit: Sendable {
    /// What doesn't hold, in the order in which it was seen; at most ``findingsMax``.
    public private(set) var findings: [Finding] = []
    /// How many events couldn't be judged, because others before them were left out.
    public internal(set) var unchecked = 0
    /// Whether the cluster ran before anybody watched it. What was before is missing, and so may be what comes later: then
    /// nothing is held against anyone but what a server says of itself.
    public private(set) var isMidway = false

    var servers: [Server] = []
    private var leaders: [Term: Leader] = [:]
    /// The latest term that had a leader.
    private var latestLed = Term.zero
    private var votes: [Ballot: NodeID] = [:]
    private var entries = EntryHistory(size: SafetyAudit.windowSize)
    /// The terms of committed entries, and the term in which each was committed; zero for what was left out.
    var committed = Window<(entry: Term, committedIn: Term)>(size: SafetyAudit.windowSize)
    private var applied = Window<Digest?>(size: SafetyAudit.windowSize)
    /// What the servers' state was, by the last entry that they had applied.
    var digests: [LogPosition: (digest: UInt64, node: NodeID)] = [:]
    private var sequence: UInt64 = 0

    /// How many of the latest entries are remembered, at least. What happens to older ones is not judged.
    private static let windowSize = 100_000
    /// How many terms are remembered before the older ones are forgotten.
    private static let termsMax = 2_000
    /// How many snapshots are remembered before all are forgotten.
    static let digestsMax = 4_096
    /// The largest number of findings that are kept.
    public static let findingsMax = 20

    /// What is known of a server.
    struct Server: Sendable {
        var isRunning = false
        /// Which of its lives this is, counted from its first start.
        var life = 0
        var incarnation = Incarnation.first
        var isLeader = false
        var term = Term.zero
        var commit = LogIndex.zero
        var applied = LogIndex.zero
        /// The terms of its entries.
        var log = TermLog()
        /// Whether ``log`` is what it has; not after events were left out, until it tells its state.
        var isLogKnown = true
        /// The latest term that it has told anyone.
        var promisedTerm = Term.zero
        /// How far it has told a leader that its log is on disk.
        var promisedLog = LogIndex.zero
    }

    private struct Leader: Sendable {
        var node: NodeID
        var life: Int
        /// Its log when it was elected; `nil` where that wasn't known.
        var log: TermLog?
    }

    /// A server's vote of a term.
    private struct Ballot: Hashable, Sendable {
        var voter: NodeID
        var incarnation: Incarnation
        var term: Term
    }

    /// An audit that has seen nothing yet.
    public init() {}

    /// Takes note of an event.
    public mutating func take(_ kind: Event.Kind, sequence: UInt64) {
        self.sequence = sequence
        if isMidway, !kind.isBeginning { return takeUnjudged(kind) }
        switch kind {
        case .began(let began):
            self = SafetyAudit()
            self.sequence = sequence
            servers = Array(repeating: Server(), count: began.nodes + 1)
            // What was before counts as one thing that nobody has checked.
            if began.running != nil { (isMidway, unchecked) = (true, 1) }
        case .node(let node, let term, let event):
            // Servers may join later.
            while Int(node.rawValue) >= servers.count { servers.append(Server()) }
            take(event, of: node, in: term)
        case .sent(let sent): if sent.copyOf == nil { takeSent(sent.message) }
        case .dropped: for place in servers.indices { servers[place].isLogKnown = false }
        case .delivered, .lost, .link, .clock, .stepped, .settings, .load, .called, .returned, .command, .violation:
            break
        }
    }

    /// Takes an event of a cluster of which not everything is known.
    private mutating func takeUnjudged(_ kind: Event.Kind) {
        guard case .node(let node, _, let event) = kind else { return }
        switch event {
        case .raft(.halted(let violation)): find(violation.property, "\(node) halts: \(violation)", nodes: [node])
        case .raft(.roleChanged), .raft(.appended), .raft(.truncated), .raft(.committed), .applied, .started:
            unchecked += 1
        default: break
        }
    }

    // MARK: - Servers

    private mutating func take(_ event: NodeEvent, of node: NodeID, in term: Term) {
        let place = Int(node.rawValue)
        switch event {
        case .raft(let observation):
            if term < servers[place].term {
                find(.monotone, "\(node) went from term \(servers[place].term) to \(term)")
            }
            servers[place].term = term
            take(observation, of: node, in: term)
        case .started(let started): start(node, in: term, started)
        case .stopped, .failed:
            servers[place].isRunning = false
            servers[place].isLeader = false
        case .applied(let applied): take(applied, of: node)
        case .snapshot(let step): take(step, of: node)
        case .state(let state): adopt(state, of: node, in: term)
        case .paused, .resumed, .timerHeld, .timerFreed, .disk, .hungUp: break
        }
    }

    private mutating func take(_ observation: Observation, of node: NodeID, in term: Term) {
        switch observation {
        case .roleChanged(let change):
            servers[Int(node.rawValue)].isLeader = change.role == .leader
            if change.role == .leader { elect(node, in: term) }
        case .appended(let appended): append(appended, to: node)
        case .truncated(let truncated): truncate(truncated, of: node)
        case .committed(let committed): commit(committed, on: node, in: term)
        case .snapshotInstalled(let installed): install(installed, on: node)
        case .halted(let violation): find(violation.property, "\(node) halts: \(violation)")
        case .termChanged, .voteCast, .voteCounted, .timerSet, .appendRefused, .progressed, .heldBack, .persisted,
            .readRound, .transfer, .lease, .configured, .changeRefused, .compacted,
            .snapshotReceived:
            break
        }
    }

    // MARK: - Starting

    private mutating func start(_ node: NodeID, in term: Term, _ started: NodeStarted) {
        let place = Int(node.rawValue)
        var server = servers[place]
        let before = server
        server.isRunning = true
        server.life += 1
        server.isLeader = false
        // What a snapshot stands for is committed, and the state machine has it.
        server.commit = started.snapshot?.index ?? .zero
        server.applied = server.commit
        server.term = term
        server.log = TermLog(started.log, after: started.base ?? .zero)
        server.isLogKnown = true
        if started.incarnation != server.incarnation {
            // Another disk: it has promised nothing.
            server.incarnation = started.incarnation
            server.promisedTerm = .zero
            server.promisedLog = .zero
        }
        servers[place] = server
        checkKept(by: node, before: before)
        if let snapshot = started.snapshot { checkStandsFor(snapshot, on: node) }
        let first = max(
            server.log.base.index.rawValue,
            server.log.count - min(server.log.count, UInt64(SafetyAudit.windowSize)))
        for index in first..<server.log.count { checkEntry(at: LogIndex(index + 1), of: node, payload: nil) }
    }

    /// After a crash a server has what it told others it had.
    private mutating func checkKept(by node: NodeID, before: Server) {
        let server = servers[Int(node.rawValue)]
        if server.term < server.promisedTerm {
            find(
                .promise, "\(node) told others of term \(server.promisedTerm), and starts again in term \(server.term)")
        }
        guard before.isLogKnown, server.promisedLog > .zero else { return }
        let end = min(server.promisedLog.rawValue, max(before.log.count, server.log.count) + 1)
        let start = end > UInt64(SafetyAudit.windowSize) ? end - UInt64(SafetyAudit.windowSize) : 1
        let lost = (start...end).first { raw in
            // What a snapshot stands for is judged by its last entry.
            if server.log.hasForgotten(LogIndex(raw)) || before.log.hasForgotten(LogIndex(raw)) { return false }
            return server.log.term(at: LogIndex(raw)) != before.log.term(at: LogIndex(raw))
        }
        guard let lost else { return }
        let had = before.log.term(at: LogIndex(lost)).map { "entry \(lost) of term \($0)" } ?? "entry \(lost)"
        let has = server.log.term(at: LogIndex(lost)).map { "has one of term \($0) there" } ?? "has nothing there"
        find(.promise, "\(node) acknowledged \(had), and after its start \(has)", entry: LogIndex(lost), nodes: [node])
        servers[Int(node.rawValue)].promisedLog = LogIndex(lost - 1)
    }

    private mutating func adopt(_ state: NodeState, of node: NodeID, in term: Term) {
        let place = Int(node.rawValue)
        guard !servers[place].isLogKnown || !servers[place].isRunning else { return }
        servers[place].isRunning = true
        servers[place].isLeader = state.role == .leader
        servers[place].term = term
        servers[place].incarnation = state.incarnation
        servers[place].commit = state.commit
        servers[place].applied = state.applied
        servers[place].log = TermLog(state.log, after: state.base ?? .zero)
        servers[place].isLogKnown = true
        servers[place].promisedLog = min(servers[place].promisedLog, LogIndex(servers[place].log.count))
    }

    // MARK: - Leaders

    private mutating func elect(_ node: NodeID, in term: Term) {
        let server = servers[Int(node.rawValue)]
        if let other = leaders[term], other.node != node || other.life != server.life {
            let who = other.node == node ? "\(node) leads twice" : "\(other.node) and \(node) both lead"
            find(.electionSafety, "\(who) in term \(term)", nodes: [other.node, node])
        }
        latestLed = max(latestLed, term)
        forgetTerms(before: latestLed)
        leaders[term] = Leader(node: node, life: server.life, log: server.isLogKnown ? server.log : nil)
        guard server.isLogKnown else { return unchecked += 1 }
        // By Log Matching the last entry that was committed before would do; but that may be what is broken.
        guard let index = missing(from: server.log, committedBefore: term), let known = committed[index] else { return }
        find(
            .leaderCompleteness,
            "\(node) leads in term \(term) without entry \(index) of term \(known.entry), which was committed in term \(known.committedIn)",
            entry: index, nodes: [node])
    }

    /// The first committed entry that is not in `log`, of those committed before `term`.
    private func missing(from log: TermLog, committedBefore term: Term) -> LogIndex? {
        guard let known = committed.known else { return nil }
        func isMissing(_ index: UInt64) -> Bool {
            guard let entry = committed[LogIndex(index)], entry.entry != .zero,
                !log.hasForgotten(LogIndex(index))
            else { return false }
            return entry.committedIn < term && log.term(at: LogIndex(index)) != entry.entry
        }
        // Where the last one is there the others are, by Log Matching, which is judged by itself.
        let last = known.last { committed[LogIndex($0)].map { $0.committedIn < term } ?? false }
        guard let last, isMissing(last) else { return nil }
        return known.first(where: isMissing).map { LogIndex($0) }
    }

    /// What was long ago is forgotten, for memory has an end.
    private mutating func forgetTerms(before term: Term) {
        guard leaders.count > SafetyAudit.termsMax else { return }
        let oldest = Term(term.rawValue - min(term.rawValue, UInt64(SafetyAudit.termsMax / 2)))
        leaders = leaders.filter { $0.key >= oldest }
        votes = votes.filter { $0.key.term >= oldest }
    }

    // MARK: - Logs

    private mutating func append(_ appended: Appended, to node: NodeID) {
        let place = Int(node.rawValue)
        guard servers[place].isLogKnown else { return unchecked += 1 }
        guard appended.first.rawValue <= servers[place].log.count + 1 else {
            return find(
                .logMatching,
                "\(node) appends entry \(appended.first) where its log ends at \(servers[place].log.count)")
        }
        if appended.first.rawValue <= servers[place].log.count { overwrite(from: appended.first, on: node) }
        var index = appended.first
        for entry in appended.entries {
            if index.rawValue <= servers[place].log.count {
                servers[place].log.overwrite(at: index, with: entry.term)
            } else {
                servers[place].log.append(entry.term)
            }
            checkEntry(at: index, of: node, payload: entry.payload)
            index = index.next
        }
        if index.rawValue <= servers[place].log.count { checkEntry(at: index, of: node, payload: nil) }
    }

    private mutating func truncate(_ truncated: Truncated, of node: NodeID) {
        let place = Int(node.rawValue)
        guard servers[place].isLogKnown else { return unchecked += 1 }
        overwrite(from: truncated.first, on: node)
        servers[place].log.truncate(from: truncated.first)
    }

    /// What was at `first` and beyond is given up.
    private mutating func overwrite(from first: LogIndex, on node: NodeID) {
        let place = Int(node.rawValue)
        let server = servers[place]
        if server.isLeader {
            find(
                .leaderAppendOnly, "\(node) leads in term \(server.term) and takes away entry \(first)", entry: first,
                nodes: [node])
        }
        if first <= server.commit {
            find(
                .stateMachineSafety,
                "\(node) takes away entry \(first), which it knows to be committed (commit index \(server.commit))",
                entry: first, nodes: [node])
        } else if first <= server.promisedLog, let known = committed[first], known.entry == server.log.term(at: first) {
            find(
                .promise, "\(node) takes away entry \(first), which it acknowledged and which is committed",
                entry: first,
                nodes: [node])
        }
        servers[place].promisedLog = min(server.promisedLog, first.previous)
    }

    /// By induction, logs match up to an entry if every entry of its index and term is the same and follows the same.
    private mutating func checkEntry(at index: LogIndex, of node: NodeID, payload: Payload?) {
        let server = servers[Int(node.rawValue)]
        guard let term = server.log.term(at: index), let previous = server.log.term(at: index.previous) else { return }
        let position = LogPosition(term: term, index: index)
        guard let other = entries.conflict(at: position, previous: previous, payload: payload, on: node) else { return }
        find(
            .logMatching,
            "\(other) and \(node) both have an entry \(index) of term \(term), but not the same one, or not after the same",
            entry: index, nodes: [other, node])
    }

    // MARK: - Commits

    private mutating func commit(_ change: Committed, on node: NodeID, in term: Term) {
        let place = Int(node.rawValue)
        let known = servers[place].commit
        if change.to < known { find(.monotone, "\(node)'s commit index goes from \(known) to \(change.to)") }
        servers[place].commit = max(known, change.to)
        guard servers[place].isLogKnown else { return unchecked += 1 }
        guard change.to.rawValue <= servers[place].log.count else {
            return find(
                .stateMachineSafety,
                "\(node)'s commit index is \(change.to), but its log ends at \(servers[place].log.count)")
        }
        guard change.from < change.to else { return }
        // Of a step that is longer than what is remembered, only the end can be judged.
        let size = UInt64(SafetyAudit.windowSize)
        let first = max(change.from.next.rawValue, change.to.rawValue > size ? change.to.rawValue - size : 1)
        for index in first...change.to.rawValue {
            guard let entry = servers[place].log.term(at: LogIndex(index)) else { continue }
            commit(LogIndex(index), of: entry, on: node, in: term)
        }
    }

    private mutating func commit(_ index: LogIndex, of entry: Term, on node: NodeID, in term: Term) {
        if committed.hasForgotten(index) { return unchecked += 1 }
        if let known = committed[index] {
            guard known.entry != .zero, known.entry != entry else { return }
            return find(
                .stateMachineSafety,
                "\(node) commits an entry \(index) of term \(entry), where one of term \(known.entry) was committed",
                entry: index, nodes: [node])
        }
        // A gap is what was left out; nothing is held against anyone there.
        committed.skip(to: index.previous, with: (.zero, .zero))
        committed.append((entry, term))
        guard latestLed > term else { return }
        for (later, leader) in leaders.sorted(by: { $0.key < $1.key }) where later > term {
            guard let log = leader.log, !log.hasForgotten(index), log.term(at: index) != entry else { continue }
            find(
                .leaderCompleteness,
                "entry \(index) of term \(entry) is committed in term \(term), but \(leader.node) leads in term \(later) without it",
                entry: index, nodes: [node, leader.node])
        }
    }

    private mutating func take(_ applied: Applied, of node: NodeID) {
        let place = Int(node.rawValue)
        if applied.index > servers[place].commit {
            find(
                .stateMachineSafety,
                "\(node) applies entry \(applied.index), but has committed only \(servers[place].commit)",
                entry: applied.index, nodes: [node])
        }
        if applied.index <= servers[place].applied {
            find(
                .stateMachineSafety, "\(node) applies entry \(applied.index) again", entry: applied.index, nodes: [node]
            )
        }
        servers[place].applied = applied.index
        if applied.index.rawValue > UInt64(self.applied.count) {
            // A gap is what was left out, or what snapshots stand for.
            self.applied.skip(to: applied.index.previous, with: nil)
            return self.applied.append(Digest.of(applied))
        }
        guard let known = self.applied[applied.index] ?? nil else { return unchecked += 1 }
        if known != Digest.of(applied) {
            find(
                .stateMachineSafety, "\(node) applies entry \(applied.index) to another effect than a server before it",
                entry: applied.index, nodes: [node])
        }
    }

    // MARK: - Promises

    private mutating func takeSent(_ message: Message) {
        let place = Int(message.from.rawValue)
        guard place < servers.count, message.incarnation == servers[place].incarnation else { return }
        switch message.body {
        case .voteRequest(let request):
            guard request.poll == .vote else { return }
            vote(of: message.from, message.incarnation, for: message.from, in: message.term)
        case .voteResponse(let response):
            guard response.poll == .vote else { return }
            if response.isGranted { vote(of: message.from, message.incarnation, for: message.to, in: message.term) }
        case .appendResponse(let response):
            // One of an earlier term was held back by the disk. It speaks of the log as it was then, like any that takes
            // long on its way, and only a leader of that term listens.
            if case .accepted(let match) = response.outcome, message.term == servers[place].term {
                acknowledge(match, by: message.from)
            }
        case .append, .timeoutNow, .snapshot, .snapshotResponse, .readIndexRequest, .readIndexResponse: break
        }
        servers[place].promisedTerm = max(servers[place].promisedTerm, message.term)
    }

    private mutating func acknowledge(_ match: LogIndex, by node: NodeID) {
        let place = Int(node.rawValue)
        servers[place].promisedLog = max(servers[place].promisedLog, match)
        if servers[place].isLogKnown, match.rawValue > servers[place].log.count {
            find(.promise, "\(node) acknowledges entry \(match), but its log ends at \(servers[place].log.count)")
        }
    }

    private mutating func vote(of voter: NodeID, _ incarnation: Incarnation, for candidate: NodeID, in term: Term) {
        let ballot = Ballot(voter: voter, incarnation: incarnation, term: term)
        if let other = votes.updateValue(candidate, forKey: ballot), other != candidate {
            find(
                .promise, "\(voter) votes for \(other) and for \(candidate) in term \(term)",
                nodes: [voter, other, candidate])
        }
    }

    // MARK: - Findings

    mutating func find(
        _ property: Property, _ sentence: String, entry: LogIndex? = nil, nodes: [NodeID] = []
    ) {
        guard findings.count < SafetyAudit.findingsMax else { return }
        findings.append(Finding(property, sentence, sequence: sequence, nodes: nodes, entry: entry))
    }
}

extension Event.Kind {
    /// Whether a cluster begins.
    var isBeginning: Bool { if case .began = self { true } else { false } }
}

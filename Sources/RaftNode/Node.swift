import ByteCoding
import DequeModule
import KeyValue
import RaftCore
import RaftTrace

/// One server as a value: its part of Raft, its state machine with the clients' sessions, and the clients that wait.
///
/// A host hands in what happens and does what the ``Effects`` say. The live cluster and the simulator are two hosts of
/// the same value, so that what is proved in one holds in the other.
public struct Node: Sendable {
    /// The server's part of Raft.
    public private(set) var raft: Raft
    /// What the log is applied to.
    public internal(set) var machine = StateMachine()
    /// The last entry that was applied.
    public internal(set) var applied = LogIndex.zero
    /// Whether a follower leaves what is committed to ``apply(at:into:)``, which its host calls when the step's write and
    /// messages are on their way: nobody waits for it to have applied anything, but its leader does for its answer.
    public var appliesLater = false
    /// Why the server's disk failed; a server without a disk does nothing.
    public private(set) var diskFailure: String?

    private var writes = WaitingWrites()
    private var reads: [RequestID: Request] = [:]
    /// Reads that may be answered once this much is applied.
    private var confirmedReads: [(id: RequestID, index: LogIndex)] = []
    private var output = Output()
    /// The snapshot that is being written.
    var writing: SnapshotWriting?
    /// The last entry that a snapshot would have stood for, had it not been too large: the next is tried as much later as
    /// if it had been taken.
    var tooLarge: LogIndex?

    /// A server around its part of Raft, which has just started: nothing is applied yet.
    public init(raft: Raft) { self.raft = raft }

    /// A server around its part of Raft, which has just started: what is applied is what the snapshot on its disk, if there
    /// is one, stands for.
    ///
    /// - Throws: ``ByteReadingError`` where the snapshot holds no state machine.
    public init(raft: Raft, snapshot: Snapshot?) throws(ByteReadingError) {
        self.raft = raft
        guard let snapshot else { return }
        machine = try StateMachine(decoding: snapshot.bytes)
        applied = snapshot.mark.last.index
    }

    /// When the server wants to act unasked.
    public var deadline: Instant? { diskFailure == nil ? raft.deadline : nil }

    /// Takes one step: handles `input` at the moment `now` and says in `effects` what to do about it.
    public mutating func handle(_ input: NodeInput, at now: Instant, into effects: inout Effects) {
        guard diskFailure == nil else { return refuse(input, into: &effects) }
        switch input {
        case .message(let message): step(.message(message), at: now, &effects)
        case .deadline: step(.deadline, at: now, &effects)
        case .durable(let number): step(.durable(number), at: now, &effects)
        case .campaign: step(.campaign, at: now, &effects)
        case .changeMembers(let added, let removed):
            step(.changeMembers(adding: added, removing: removed), at: now, &effects)
        case .transfer(let target): step(.transfer(to: target), at: now, &effects)
        case .timer(let moment): step(.timer(moment), at: now, &effects)
        case .requests(let requests): take(requests, at: now, &effects)
        case .takeSnapshot: takeSnapshot(keeping: nil, &effects)
        case .snapshotWritten(let outcome): finishSnapshot(outcome, at: now, &effects)
        case .snapshotLoaded(let snapshot): step(.snapshotLoaded(snapshot), at: now, &effects)
        case .diskFailed(let reason): failDisk(reason, &effects)
        }
    }

    /// Changes the settings from the next step on.
    public mutating func adopt(_ settings: Settings) { raft.adopt(settings) }

    // MARK: - Steps

    mutating func step(_ input: Input, at now: Instant, _ effects: inout Effects) {
        let wasLeader = raft.isLeader
        output.clear()
        output.isObserved = effects.isObserved
        raft.handle(input, at: now, into: &output)
        for observation in output.observations { effects.events.append(.raft(observation)) }
        if let write = output.write {
            // Of the steps that one input leads to, only one writes; another's would take its place.
            precondition(effects.write == nil, "an input leads to two writes, \(write.number) being the second")
            effects.write = write
        }
        effects.messages.append(contentsOf: output.messages)
        if output.wantsSnapshot { effects.wantsSnapshot = true }
        if let snapshot = output.installed { restore(snapshot, &effects) }
        for answer in output.reads { settle(answer, &effects) }
        if wasLeader, !raft.isLeader || raft.violation != nil { releaseWrites(&effects) }
        if !appliesLater || raft.isLeader { finishStep(&effects) }
    }

    /// Whether there is something for ``apply(at:into:)`` to do.
    public var hasUnapplied: Bool {
        diskFailure == nil && raft.violation == nil
            && (applied < raft.commitIndex || confirmedReads.contains { $0.index <= applied })
    }

    /// Applies what was left to be applied later (``appliesLater``).
    public mutating func apply(at now: Instant, into effects: inout Effects) {
        guard diskFailure == nil else { return }
        finishStep(&effects)
    }

    private mutating func finishStep(_ effects: inout Effects) {
        applyCommitted(&effects)
        answerConfirmedReads(&effects)
        takeSnapshotIfDue(&effects)
    }

    /// Takes clients' requests: writes are appended together, reads are confirmed together.
    private mutating func take(_ requests: [ClientRequest], at now: Instant, _ effects: inout Effects) {
        if let violation = raft.violation {
            let sentence = "\(raft.id) is halted: \(violation)"
            for request in requests { effects.replies.append(Reply(id: request.id, result: .error(sentence))) }
            return
        }
        let keepsSessions = raft.settings.rules[.exactlyOnce]
        var payloads: [Payload] = []
        var ids: [RequestID] = []
        for request in requests {
            guard case .write(let command) = request.kind else { continue }
            guard command.operation.bytes <= Operation.bytesMax else {
                let reason = "a write has at most \(Operation.bytesMax) bytes"
                effects.replies.append(Reply(id: request.id, result: .error(reason)))
                continue
            }
            guard !raft.isLeader || hasRoom(for: command.operation) else {
                effects.replies.append(Reply(id: request.id, result: .refused(.full)))
                continue
            }
            // Without the rule a command enters the log as nobody's, and is applied as often as it comes.
            payloads.append(.command((keepsSessions ? command : SessionCommand(command.operation)).encoded()))
            ids.append(request.id)
        }
        if !payloads.isEmpty { propose(payloads, for: ids, at: now, &effects) }
        for request in requests {
            guard case .read(let read) = request.kind else { continue }
            switch read.readMode {
            case .leader where !raft.isLeader:
                effects.replies.append(Reply(id: request.id, result: .notLeader(raft.leader)))
            case .leader, .local: effects.replies.append(Reply(id: request.id, result: look(up: read)))
            case .readindex, nil:
                reads[request.id] = read
                step(.read(request.id), at: now, &effects)
            case .lease:
                reads[request.id] = read
                step(.leaseRead(request.id), at: now, &effects)
            }
        }
    }

    /// Whether the store may grow by what `operation` brings. What is on its way through the log isn't counted: a snapshot
    /// has room for more than the store should have.
    private func hasRoom(for operation: KeyValue.Operation) -> Bool {
        if case .delete = operation { return true }
        return machine.store.bytes + operation.bytes <= Store.bytesMax
    }

    private mutating func propose(
        _ payloads: [Payload], for ids: [RequestID], at now: Instant, _ effects: inout Effects
    ) {
        // The waiting clients are noted before anything of the step can be applied.
        let first = raft.log.lastIndex.next
        let isLeader = raft.isLeader
        if isLeader { writes.add(ids, from: LogPosition(term: raft.currentTerm, index: first)) }
        step(.propose(payloads), at: now, &effects)
        let refusal: ClientResult
        switch output.proposal {
        case .refused(let leader): refusal = .notLeader(leader)
        case .overloaded: refusal = overload
        case .appended, nil: return
        }
        if isLeader { writes.drop(ids.count) }
        for id in ids { effects.replies.append(Reply(id: id, result: refusal)) }
    }

    private var overload: ClientResult { .error("\(raft.id) has more to do than it can keep: try again later") }

    // MARK: - Applying

    /// Applies what is committed, in order, and answers the clients that wait for it.
    private mutating func applyCommitted(_ effects: inout Effects) {
        while applied < raft.commitIndex, raft.violation == nil {
            let index = applied.next
            let entry = raft.log[index]
            let outcome = apply(entry, at: index, &effects)
            applied = index
            let byTerm = raft.settings.rules[.answerByIndexAndTerm]
            while let waiting = writes.next(upTo: index) {
                let isItsOwn = waiting.position.index == index && (waiting.position.term == entry.term || !byTerm)
                let result = isItsOwn ? outcome.map(ClientResult.init) ?? .ok : .unknown
                let isSessionGone = isItsOwn && outcome == .sessionExpired
                effects.replies.append(Reply(id: waiting.id, result: result, isSessionGone: isSessionGone))
            }
        }
    }

    private mutating func apply(_ entry: Entry, at index: LogIndex, _ effects: inout Effects) -> Outcome? {
        guard case .command(let bytes) = entry.payload, let command = try? SessionCommand(decoding: bytes) else {
            if effects.isObserved { effects.events.append(.applied(Applied(index: index))) }
            return nil
        }
        let isDuplicate = effects.isObserved && machine.hasApplied(command)
        let outcome = machine.apply(command)
        if effects.isObserved {
            let key = command.operation.key
            let isOwned = !command.client.isEmpty
            effects.events.append(
                .applied(
                    Applied(
                        index: index, key: key, value: machine.store[key], client: isOwned ? command.client : nil,
                        sequence: isOwned ? command.sequence : nil, isDuplicate: isDuplicate)))
        }
        return outcome
    }

    /// A leader that no longer leads can't say what becomes of the writes it took. Without the rule that a client is
    /// answered for its own entry, they go on waiting for whatever comes to their index.
    private mutating func releaseWrites(_ effects: inout Effects) {
        guard raft.settings.rules[.answerByIndexAndTerm] || raft.violation != nil else { return }
        releaseWrites(upTo: LogIndex(.max), &effects)
    }

    /// Nobody can say what became of the writes that wait for `index` or an earlier one.
    mutating func releaseWrites(upTo index: LogIndex, _ effects: inout Effects) {
        while let waiting = writes.next(upTo: index) {
            effects.replies.append(Reply(id: waiting.id, result: .unknown))
        }
    }

    // MARK: - Reading

    private mutating func settle(_ answer: ReadAnswer, _ effects: inout Effects) {
        switch answer {
        case .ready(let id, let index): confirmedReads.append((id, index))
        case .overloaded(let id):
            reads[id] = nil
            effects.replies.append(Reply(id: id, result: overload))
        case .refused(let id, let leader):
            reads[id] = nil
            effects.replies.append(Reply(id: id, result: .notLeader(leader)))
        }
    }

    /// Answers the reads whose index is applied (thesis §6.4, step 4).
    private mutating func answerConfirmedReads(_ effects: inout Effects) {
        guard !confirmedReads.isEmpty else { return }
        for read in confirmedReads where read.index <= applied {
            guard let request = reads.removeValue(forKey: read.id) else { continue }
            effects.replies.append(Reply(id: read.id, result: look(up: request)))
        }
        confirmedReads.removeAll { $0.index <= applied }
    }

    private func look(up request: Request) -> ClientResult {
        switch request {
        case .get(let key, _): machine.store[key].map { .value($0) } ?? .notFound
        case .keys(let prefix, _): machine.store.keys(withPrefix: prefix).map { .keys($0) } ?? .refused(.tooMany)
        case .write: .error("a write is no read")
        }
    }

    // MARK: - Failure

    /// The disk failed: the server stops, and says so to everyone who waits.
    mutating func failDisk(_ reason: String, _ effects: inout Effects) {
        diskFailure = reason
        effects.events.append(.failed(NodeFailed(reason: reason)))
        releaseWrites(upTo: LogIndex(.max), &effects)
        for id in reads.keys.sorted() { effects.replies.append(Reply(id: id, result: .unknown)) }
        reads = [:]
        confirmedReads = []
    }

    private func refuse(_ input: NodeInput, into effects: inout Effects) {
        guard case .requests(let requests) = input, let diskFailure else { return }
        for request in requests {
            effects.replies.append(Reply(id: request.id, result: .error("\(raft.id) has stopped: \(diskFailure)")))
        }
    }
}

extension Raft {
    fileprivate var isLeader: Bool { if case .leader = role { true } else { false } }
}

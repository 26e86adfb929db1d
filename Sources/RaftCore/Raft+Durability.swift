import DequeModule

// What must be on disk before it is promised (paper Figure 2: "updated on stable storage before responding to RPCs").

/// What a server has given to its disk and what the disk has confirmed.
///
/// Writes reach the disk in order and each as a whole, so that the number of a write says everything: an entry that
/// was replaced and then came back is durable only by the write that brought it back.
struct Durability: Hashable, Sendable {
    /// Whether term or vote changed in this step.
    var isHardStateChanged = false
    /// The lowest index that changed in this step.
    var firstChanged: LogIndex?
    /// The snapshot that took the place of the log in this step.
    var installed: Snapshot?
    /// Whether the log begins elsewhere since this step.
    var isBaseChanged = false
    /// The number of the last write that was handed out.
    private(set) var lastWrite: WriteNumber = 0
    /// The number of the last write that is on disk.
    private(set) var durableWrite: WriteNumber = 0
    /// The number of the last write that carries term and vote.
    private(set) var hardStateWrite: WriteNumber = 0
    /// The longest beginning of the present log that is on disk.
    private(set) var durableIndex: LogIndex
    /// Writes on their way, oldest first, each with the last index of the present log that it brings.
    private var pending = Deque<Pending>()
    /// Messages that wait for a write, in the order of their writes.
    private var held = Deque<Held>()

    private struct Pending: Hashable, Sendable {
        var number: WriteNumber
        var last: LogIndex
    }

    private struct Held: Hashable, Sendable {
        var after: WriteNumber
        var message: Message
    }

    init(durableIndex: LogIndex) { self.durableIndex = durableIndex }

    /// Takes note that the log changes from `index` on: what is or will be on disk there is no part of it any more.
    mutating func change(from index: LogIndex) {
        firstChanged = min(firstChanged ?? index, index)
        durableIndex = min(durableIndex, index.previous)
        for place in pending.indices { pending[place].last = min(pending[place].last, index.previous) }
    }

    /// Takes note that a snapshot takes the place of the whole log: what is or will be on disk of that is no part of it any
    /// more.
    mutating func install(_ snapshot: Snapshot) {
        change(from: LogIndex(1))
        firstChanged = nil
        installed = snapshot
        isBaseChanged = true
    }

    /// Takes note that a snapshot on disk stands for the log up to `index`.
    mutating func cover(upTo index: LogIndex) { durableIndex = max(durableIndex, index) }

    /// The write to wait for before term and vote can be promised; `nil` where they are on disk.
    var promiseAfter: WriteNumber? {
        if isHardStateChanged { return lastWrite + 1 }
        return hardStateWrite > durableWrite ? hardStateWrite : nil
    }

    /// Holds `message` until the write of this number is on disk. Where a slow disk holds too many, the oldest is lost, as
    /// any message may be.
    mutating func hold(_ message: Message, until number: WriteNumber) {
        if held.count >= Durability.heldMax { held.removeFirst() }
        held.append(Held(after: number, message: message))
    }

    /// How many messages wait for the disk at a time.
    static let heldMax = 1_024

    /// The next message that waits for nothing any more.
    mutating func released() -> Message? {
        guard let oldest = held.first, oldest.after <= durableWrite else { return nil }
        held.removeFirst()
        return oldest.message
    }

    /// Numbers the write of this step, which leaves the log ending at `last`.
    mutating func startWrite(last: LogIndex) -> WriteNumber {
        lastWrite += 1
        if isHardStateChanged { hardStateWrite = lastWrite }
        pending.append(Pending(number: lastWrite, last: last))
        isHardStateChanged = false
        firstChanged = nil
        installed = nil
        isBaseChanged = false
        return lastWrite
    }

    /// The same, with the writes numbered from the last one that is on disk on: what went before makes no difference.
    /// Nor does it if a message that is held back is held back once more, for any message may arrive twice.
    var relative: Durability {
        var relative = self
        relative.lastWrite -= durableWrite
        relative.hardStateWrite -= min(hardStateWrite, durableWrite)
        relative.durableWrite = 0
        for place in pending.indices { relative.pending[place].number -= durableWrite }
        relative.held = []
        for held in held where !relative.held.contains(where: { $0.message == held.message }) {
            relative.held.append(Held(after: held.after - durableWrite, message: held.message))
        }
        return relative
    }

    /// The same, had the servers other names.
    func renamed(by renaming: Renaming) -> Durability {
        var renamed = self
        for place in held.indices { renamed.held[place].message = held[place].message.renamed(by: renaming) }
        return renamed
    }

    /// Takes note that every write up to `number` is on disk.
    mutating func complete(_ number: WriteNumber) {
        durableWrite = max(durableWrite, min(number, lastWrite))
        while let oldest = pending.first, oldest.number <= durableWrite {
            durableIndex = max(durableIndex, oldest.last)
            pending.removeFirst()
        }
    }
}

extension Raft {
    /// Sends `body` once the present term and vote are on disk.
    mutating func promise(_ body: Message.Body, to peer: NodeID, term: Term? = nil) {
        guard keeps(.persistBeforeReply), let write = durability.promiseAfter else {
            return send(body, to: peer, term: term)
        }
        let message = Message(from: id, incarnation: incarnation, to: peer, term: term ?? currentTerm, body: body)
        durability.hold(message, until: write)
    }

    /// Everything up to the write `number` is on disk: what waited for it happens.
    mutating func becomeDurable(_ number: WriteNumber) {
        let awaited = durability.promiseAfter
        durability.complete(number)
        observe(.persisted(Persisted(write: number, index: durableIndex)))
        while let message = durability.released() { output.messages.append(message) }
        if let awaited, awaited <= number { hardStateIsDurable() }
        switch role {
        case .leader: maybeCommit()
        case .follower: acknowledgeDurable()
        case .candidate, .preCandidate: break
        }
    }

    /// Term and vote are on disk: a candidate's own vote counts, and one who gave its vote starts to wait now, however
    /// long the disk took.
    private mutating func hardStateIsDurable() {
        switch role {
        case .candidate: countOwnVote()
        case .follower(let following) where following.leader == nil && votedFor != nil: restartElectionTimer()
        case .follower, .preCandidate, .leader: break
        }
    }

    /// Puts what changed in this step into one write.
    mutating func composeWrite() {
        let isLogChanged = durability.firstChanged != nil || durability.isBaseChanged
        guard durability.isHardStateChanged || isLogChanged else { return }
        let hardState = durability.isHardStateChanged ? HardState(term: currentTerm, vote: votedFor) : nil
        let (snapshot, base) = (durability.installed, durability.isBaseChanged ? log.base : nil)
        let first = max(durability.firstChanged ?? log.lastIndex.next, log.firstIndex)
        let number = durability.startWrite(last: log.lastIndex)
        output.write = Write(
            number: number, hardState: hardState, snapshot: snapshot, base: base, first: first,
            entries: tail.all(from: first, upTo: log.lastIndex) ?? log.entries(from: first))
    }
}

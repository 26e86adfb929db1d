// Linearizable reads at followers: the leader confirms that it leads and names the index, the follower answers once it
// has applied that far (thesis §6.4).

extension Raft {
    /// Lets the leader confirm a read that came to this follower.
    mutating func forward(_ id: ReadID) {
        guard let leader, forwarded.count < settings.limits.forwardedReadsMax else {
            output.reads.append(.refused(id, leader: leader))
            return
        }
        forwarded.leader = TermLeader(node: leader, term: currentTerm)
        forwarded.waiting.append(id)
    }

    /// Asks the leader for the reads that wait, unless it is being asked: those that come meanwhile share the next
    /// request. Where the leader changed, or went, they are over.
    mutating func forwardReads() {
        guard forwarded.count > 0 else { return }
        guard let asked = forwarded.leader, asked.node == leader, asked.term == currentTerm else {
            return endForwardedReads()
        }
        guard forwarded.request == nil, !forwarded.waiting.isEmpty else { return }
        forwarded.request = ForwardedReads.Request(context: forwarded.nextContext, reads: forwarded.waiting, sent: now)
        forwarded.nextContext &+= 1
        forwarded.waiting = []
        sendForwardedReads()
    }

    /// A message of the leader came: it is asked again where it could have answered by now, for messages get lost. That is
    /// the same request, which it may answer once or twice; either answer is of after the reads began.
    mutating func resendForwardedReads() {
        guard violation == nil, let request = forwarded.request, request.sent + settings.timing.heartbeat <= now,
            forwarded.leader == leader.map({ TermLeader(node: $0, term: currentTerm) })
        else { return }
        forwarded.request?.sent = now
        sendForwardedReads()
    }

    private mutating func sendForwardedReads() {
        guard let leader, let request = forwarded.request else { return }
        promise(.readIndexRequest(ReadIndexRequest(context: request.context)), to: leader)
    }

    /// The leader's answer. Only one that names the request that is out means anything: others are late, or of a life
    /// that is over.
    mutating func receive(_ response: ReadIndexResponse, from message: Message) {
        guard let request = forwarded.request, request.context == response.context,
            forwarded.leader == TermLeader(node: message.from, term: currentTerm)
        else { return }
        forwarded.request = nil
        guard let index = response.index else {
            for id in request.reads + forwarded.waiting { output.reads.append(.refused(id, leader: nil)) }
            forwarded.waiting = []
            return
        }
        for id in request.reads { output.reads.append(.ready(id, index: index)) }
    }

    /// The leader that was asked no longer leads. A server that leads now itself reads for its clients.
    private mutating func endForwardedReads() {
        let reads = (forwarded.request?.reads ?? []) + forwarded.waiting
        forwarded.request = nil
        forwarded.waiting = []
        for id in reads {
            if case .leader = role { read(id) } else { output.reads.append(.refused(id, leader: leader)) }
        }
    }

    /// A follower asks for its clients' reads. A question that is asked again while it waits changes nothing.
    mutating func receive(_ request: ReadIndexRequest, from message: Message) {
        let reader = PendingReads.Reader.follower(message.from, context: request.context)
        // Who is no member may never get the entries that it would have to wait for.
        guard case .leader(let leadership) = role, configuration.contains(message.from),
            leadership.reads.pending.count + leadership.reads.early.count < settings.limits.pendingReadsMax
        else { return refuse(reader, leader: nil) }
        if !leadership.reads.contains(reader) { read(reader) }
    }
}

/// The reads of a follower's clients that its leader is to confirm.
struct ForwardedReads: Sendable {
    /// The leader that is asked.
    var leader: TermLeader?
    /// The request that is out.
    var request: Request?
    /// The reads that wait for the next one.
    var waiting: [ReadID] = []
    /// The name of the next request. The first is drawn at random at every start, so that no answer to an earlier life is
    /// taken for one to this.
    var nextContext: UInt64

    /// The first name is below this: every program that reads a trace can hold such numbers exactly.
    static let contextsMax: UInt64 = 1 << 52

    init(firstContext: UInt64) { nextContext = firstContext }

    /// A request that is out.
    struct Request: Sendable {
        var context: UInt64
        var reads: [ReadID]
        var sent: Instant
    }

    /// How many reads wait.
    var count: Int { (request?.reads.count ?? 0) + waiting.count }
}

/// The leader of a term.
struct TermLeader: Hashable, Sendable {
    var node: NodeID
    var term: Term
}

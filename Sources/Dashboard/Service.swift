import KeyValue
import Laboratory
import RaftCore
import RaftTrace

/// What the cluster did for its clients: what they asked and were told, what it promised, and how long it could not serve
/// them after each fault.
struct Service: Sendable {
    /// What a client asked.
    struct Operation: Sendable {
        var call: ClientCall
        var at: Instant
        /// The place of its event in the timeline.
        var place: Int
        /// What it was told, and when.
        var answer: Answer?
    }

    /// What a client was told.
    struct Answer: Sendable {
        var result: ClientResult
        var at: Instant
        var place: Int
    }

    /// Something that was done to the cluster, and how long it took to recover.
    struct Fault: Sendable {
        var text: String
        var at: Instant
        /// Whether nobody led at some time since.
        var lostLeader = false
        /// When somebody led again.
        var leader: Instant?
        /// Since when a write has waited; `nil` while nothing was asked.
        var asked: Instant?
        /// When an entry was committed after that.
        var commit: Instant?
    }

    /// An entry that a leader's log has taken the place of.
    private struct Struck: Hashable, Sendable {
        var index: LogIndex
        var term: Term
    }

    private(set) var operations: [Operation] = []
    private(set) var faults: [Fault] = []
    /// Since when nobody leads; `nil` while somebody does.
    private(set) var leaderlessSince: Instant?
    private var struck: Set<Struck> = []

    /// How many clients' entries were replaced by a leader's.
    var struckOut: Int { struck.count }

    private static let operationsMax = 200
    private static let faultsMax = 50

    /// Looks at an event before it changes what is known.
    mutating func takeBefore(_ event: Event, seeing picture: Picture) {
        guard case .node(let node, _, .raft(.truncated(let truncated))) = event.kind else { return }
        strike(truncated, on: picture[node])
    }

    /// Takes an event after which this is what is known.
    mutating func take(_ event: Event, place: Int, seeing picture: Picture) {
        switch event.kind {
        case .began(let began):
            self = Service()
            // Of a cluster that ran before nobody knows since when.
            leaderlessSince = began.running == nil ? event.at : nil
        case .called(let call): begin(call, at: event.at, place: place)
        case .returned(let answer): end(answer, at: event.at, place: place)
        case .command(let command) where Service.isFault(command):
            let isAsked = picture.load != nil || operations.contains { $0.answer == nil && !$0.call.request.isRead }
            faults.append(Fault(text: command.text, at: event.at, asked: isAsked ? event.at : nil))
            if faults.count > Service.faultsMax { faults.removeFirst() }
        case .node(_, _, .raft(.committed(let committed))) where committed.stored != nil:
            for place in faults.indices where faults[place].asked != nil && faults[place].commit == nil {
                faults[place].commit = event.at
            }
        case .node(_, _, .raft(.roleChanged)), .node(_, _, .stopped), .node(_, _, .started), .node(_, _, .failed),
            .node(_, _, .paused), .node(_, _, .resumed), .node(_, _, .raft(.termChanged)), .node(_, _, .state):
            noteLeader(picture.leader.map { !$0.isPaused } ?? false, at: event.at)
        default: break
        }
    }

    /// Whether a command breaks something.
    private static func isFault(_ command: CommandDone) -> Bool {
        faultVerbs.contains(command.verb) && !command.text.hasSuffix(" ok") && command.text != "loss 0%"
    }

    private static let faultVerbs: Set<Substring> = [
        "kill", "power", "wipe", "pause", "cut", "partition", "isolate", "disk", "loss", "hold",
    ]

    private mutating func begin(_ call: ClientCall, at moment: Instant, place: Int) {
        guard Load.number(of: call.client) == nil else { return }
        if !call.request.isRead {
            for place in faults.indices where faults[place].asked == nil { faults[place].asked = moment }
        }
        operations.append(Operation(call: call, at: moment, place: place))
        if operations.count > 2 * Service.operationsMax { operations.removeFirst(Service.operationsMax) }
    }

    private mutating func end(_ answer: ClientReturn, at moment: Instant, place: Int) {
        guard let number = operations.lastIndex(where: { $0.call.call == answer.call }) else { return }
        operations[number].answer = Answer(result: answer.result, at: moment, place: place)
    }

    private mutating func strike(_ truncated: Truncated, on node: NodePicture?) {
        guard let node, truncated.first <= truncated.last else { return }
        for raw in truncated.first.rawValue...truncated.last.rawValue {
            guard let entry = node.log.entry(at: LogIndex(raw)), case .command = entry.payload else { continue }
            struck.insert(Struck(index: LogIndex(raw), term: entry.term))
        }
    }

    private mutating func noteLeader(_ hasLeader: Bool, at moment: Instant) {
        if !hasLeader {
            if leaderlessSince == nil { leaderlessSince = moment }
            if let last = faults.indices.last, faults[last].leader == nil { faults[last].lostLeader = true }
        } else if leaderlessSince != nil {
            leaderlessSince = nil
            for place in faults.indices where faults[place].lostLeader && faults[place].leader == nil {
                faults[place].leader = moment
            }
        }
    }
}

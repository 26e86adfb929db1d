import KeyValue
import RaftCore
import RaftTrace

extension Node {
    /// The whole of the server's state as an event, so that a reader of events can begin here.
    public var state: NodeState {
        let store = machine.store
        // Sorting a large store would hold the server up; its size is told all the same.
        let keys = store.count <= 16 * NodeState.storeMax ? store.keys()?.prefix(NodeState.storeMax) ?? [] : []
        var peers: [Progressed] = []
        if case .leader(let leadership) = raft.role {
            peers = leadership.peers.map {
                Progressed(
                    peer: $0.peer, next: $0.next, match: $0.match, isProbing: $0.isProbing,
                    isCounted: raft.configuration.incarnation(of: $0.peer) == $0.incarnation, installing: $0.installing)
            }
        }
        return NodeState(
            incarnation: raft.incarnation, role: raft.role.name, vote: raft.votedFor, leader: raft.leader,
            commit: raft.commitIndex, applied: applied, durable: raft.durableIndex, log: TermRun.runs(of: raft.log),
            base: raft.log.toldBase, snapshot: raft.snapshot?.last, members: raft.configuration,
            timer: raft.electionTimer, peers: peers,
            store: keys.map { .init(key: $0, value: store[$0] ?? []) }, storeCount: store.count)
    }
}

extension TermRun {
    /// The runs of a log. Terms never decrease along it, so that the end of a run is found by halving.
    public static func runs(of log: Log) -> [TermRun] {
        var runs: [TermRun] = []
        var start = log.firstIndex
        while let term = log.term(at: start) {
            var (low, high) = (start.rawValue, log.lastIndex.rawValue)
            while low < high {
                let middle = low + (high - low + 1) / 2
                if log.term(at: LogIndex(middle)) == term { low = middle } else { high = middle - 1 }
            }
            runs.append(TermRun(term: term, count: Int(low - start.rawValue + 1)))
            start = LogIndex(low + 1)
        }
        return runs
    }
}

extension Log {
    /// ``Log/base`` as events tell it: nothing where the log is whole.
    public var toldBase: LogPosition? { base == .zero ? nil : base }
}

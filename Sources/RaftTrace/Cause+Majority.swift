import RaftCore

// How a leader came to hear no majority.

extension CauseSearch {
    /// The event that took the majority away from a leader: the loss of the server with which too few were left; where
    /// nobody is lost for good, whatever keeps messages from arriving.
    func majorityCause(on leader: NodeID) -> Int? {
        var reach = Reach(leader)
        _ = nearest { place in
            reach.note(row[place].kind, at: place)
            return isBeginning(place)
        }
        return reach.placeOfLoss ?? reach.hindrance
    }

    /// Who can be reached, as the latest events say, going back from the last.
    private struct Reach {
        let leader: NodeID
        /// What of each server is known: whether it runs, whether each way to it is open, and whether it counts.
        private var known: Set<Fact> = []
        /// Since when each server that is lost has been so.
        private var lost: [NodeID: Int] = [:]
        private var voters: NodeSet?
        /// What keeps messages from arriving, where nothing stops them.
        private(set) var hindrance: Int?

        private enum Fact: Hashable {
            case life(NodeID)
            case link(from: NodeID, to: NodeID)
            case count(NodeID)
        }

        init(_ leader: NodeID) { self.leader = leader }

        /// Where the server was lost without which there is no majority.
        var placeOfLoss: Int? {
            guard let voters else { return lost.values.min() }
            let places = lost.filter { voters.contains($0.key) }.values.sorted()
            let spare = (voters.count - 1) / 2
            return places.count > spare ? places[spare] : nil
        }

        mutating func note(_ kind: Event.Kind, at place: Int) {
            switch kind {
            case .began(let began): voters = voters ?? NodeSet(began.members)
            case .node(leader, _, .raft(.configured(let configured))):
                voters = voters ?? configured.members.electorate
            case .node(leader, _, .raft(.progressed(let progressed))):
                note(.count(progressed.peer), of: progressed.peer, isLost: !progressed.isCounted, place)
            case .node(leader, _, .resumed): hindrance = hindrance ?? place
            case .node(leader, _, _): break
            case .node(let node, _, let event):
                switch event {
                case .stopped, .failed, .paused: note(.life(node), of: node, isLost: true, place)
                case .started, .resumed: note(.life(node), of: node, isLost: false, place)
                case .raft(.halted): note(.life(node), of: node, isLost: true, place)
                default: break
                }
            case .link(let state) where state.from == leader || state.to == leader:
                let node = state.from == leader ? state.to : state.from
                note(.link(from: state.from, to: state.to), of: node, isLost: state.isCut, place)
                if state.loss > 0 || state.isHeld || state.latencyMax > .zero { hindrance = hindrance ?? place }
            default: break
            }
        }

        private mutating func note(_ fact: Fact, of node: NodeID, isLost: Bool, _ place: Int) {
            // Of each, only the latest counts; of several losses, the earliest.
            if known.insert(fact).inserted, isLost { lost[node] = min(lost[node] ?? place, place) }
        }
    }
}

import RaftCore

// Why something happened: everything has its cause among what was told before it.

extension Event {
    /// The event among `earlier` that led to this one; `nil` where it is the first of its chain: a command that somebody
    /// gave, the beginning of the cluster, or something whose cause is no longer kept.
    ///
    /// Takes time in proportion to how far back the cause is.
    ///
    /// - Parameter earlier: The events before this one, in order and without gaps. Events that come after it don't count.
    public func cause(among earlier: some BidirectionalCollection<Event>) -> Event? {
        earlier.withRow { row in CauseSearch(self, in: row).place.map { row[$0] } }
    }

    /// This event and what led to it, the latest first, down to the command, the call or the clock that began it.
    ///
    /// - Parameters:
    ///   - earlier: The events before this one, in order and without gaps. Events that come after it don't count.
    ///   - limit: How many events there are at most.
    public func chain(among earlier: some RandomAccessCollection<Event>, limit: Int = 24) -> [Event] {
        earlier.withRow { row in
            var chain = [self]
            while chain.count < limit, let last = chain.last, let place = CauseSearch(last, in: row).place {
                chain.append(row[place])
            }
            return chain
        }
    }
}

extension Collection<Event> {
    /// Lets `body` look at the events where they lie next to each other; where they don't, at a copy.
    fileprivate func withRow<Result>(_ body: (UnsafeBufferPointer<Event>) -> Result) -> Result {
        withContiguousStorageIfAvailable(body) ?? Array(self).withUnsafeBufferPointer(body)
    }
}

/// The search for what led to an event, from the event back. What can have led to it is the nearest event before it that
/// fits, on the same server, in the same life, with the same numbers.
struct CauseSearch {
    let event: Event
    /// The events before it.
    let row: UnsafeBufferPointer<Event>

    init(_ event: Event, in row: UnsafeBufferPointer<Event>) {
        self.event = event
        // Where the whole row is at hand, what comes after the event doesn't count.
        var (low, high) = (0, row.count)
        while low < high {
            let middle = (low + high) / 2
            if row[middle].sequence < event.sequence { low = middle + 1 } else { high = middle }
        }
        self.row = UnsafeBufferPointer(rebasing: row[..<low])
    }

    /// Where the cause is in the row.
    var place: Int? {
        switch event.kind {
        case .began: nearestCommand { $0.verb == "reset" }
        case .node(let node, let term, let event): cause(of: event, on: node, term)
        case .sent(let sent): cause(of: sent)
        case .delivered(let delivered): sending(of: delivered.number)
        case .lost(let lost): cause(of: lost)
        case .link(let state): cause(of: state)
        case .clock: nearest { isBeginning($0) || command(at: $0)?.changesClock == true }
        case .stepped: nearestCommand { $0.verb == "step" }
        case .settings: nearestCommand { $0.verb == "rule" || $0.verb == "option" }
        case .load: nearestCommand { $0.verb == "load" || $0.verb == "reset" }
        case .called(let call) where Load.number(of: call.client) != nil:
            nearest { if case .load = row[$0].kind { true } else { false } }
        case .called(let call): nearestCommand { $0.asks(call) }
        case .returned(let answer): cause(of: answer)
        case .violation: row.isEmpty ? nil : row.count - 1
        case .command, .dropped: nil
        }
    }

    // MARK: - Going back

    /// The nearest event that fits, before `end` or before the event itself.
    func nearest(before end: Int? = nil, _ fits: (Int) -> Bool) -> Int? {
        var place = end ?? row.count
        while place > 0 {
            place -= 1
            if fits(place) { return place }
        }
        return nil
    }

    /// The nearest event that fits since `node` started, the start among them.
    func nearest(inLifeOf node: NodeID, before end: Int? = nil, _ fits: (Int) -> Bool) -> Int? {
        var isFound = false
        let place = nearest(before: end) {
            isFound = fits($0)
            return isFound || isStart(of: node, at: $0)
        }
        return isFound ? place : nil
    }

    /// The nearest event of the same turn that fits, as long as nothing of another moment lies between.
    func nearestInTurn(_ fits: (Int) -> Bool) -> Int? {
        var isFound = false
        let place = nearest {
            isFound = isTogether($0) && fits($0)
            return isFound || !isTogether($0)
        }
        return isFound ? place : nil
    }

    /// The nearest observation of `node` that fits, in its present life.
    func nearestObservation(
        on node: NodeID, before end: Int? = nil, _ fits: (Observation) -> Bool
    ) -> Int? {
        nearest(inLifeOf: node, before: end) { observation(at: $0, on: node).map(fits) ?? false }
    }

    // MARK: - What stands at a place

    /// Whether it happened on `node`. What it was isn't looked at, for that takes time.
    func isOf(_ node: NodeID, _ place: Int) -> Bool {
        if case .node(let id, _, _) = row[place].kind { id == node } else { false }
    }

    func nodeEvent(at place: Int, on node: NodeID) -> NodeEvent? {
        guard isOf(node, place), case .node(_, _, let event) = row[place].kind else { return nil }
        return event
    }

    func observation(at place: Int, on node: NodeID) -> Observation? {
        guard isOf(node, place), case .node(_, _, .raft(let observation)) = row[place].kind else { return nil }
        return observation
    }

    /// Whether it happened in a turn together with the event: all of a turn has one time.
    func isTogether(_ place: Int) -> Bool { row[place].at == event.at }

    func isBeginning(_ place: Int) -> Bool { if case .began = row[place].kind { true } else { false } }

    /// Whether nothing that `node` did before this place belongs to its life after it.
    func isStart(of node: NodeID, at place: Int) -> Bool {
        switch row[place].kind {
        case .began: true
        case .node(node, _, .started): true
        default: false
        }
    }
}

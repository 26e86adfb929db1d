import Laboratory
import RaftCore
import RaftNode
import RaftTrace

// A steady load on a simulated world.

extension World {
    /// Clients write steadily from now on, or do no more; what is open goes on.
    mutating func setLoad(_ load: Load?) {
        tell(.load(load))
        let busy = clients.map(\.client).filter { $0.openCalls > 0 }.compactMap { Load.number(of: $0.name) }
        self.load = load.map { LoadSchedule($0, at: now, busy: Set(busy)) }
        loadWake = nil
        goOnWithLoad()
    }

    /// Begins the writes that are due; none while the clock stands still.
    mutating func goOnWithLoad() {
        if let loadWake, loadWake <= now { self.loadWake = nil }
        guard load != nil, !isFrozen else { return }
        while let client = load?.next(at: now) {
            call(Load.request(ofCall: nextCall), by: self.client(named: Load.client(client)))
        }
        guard loadWake == nil, let deadline = load?.deadline else { return }
        loadWake = deadline
        schedule(.load, at: max(now, deadline))
    }

    /// A client of the load, if it is one, has its answer.
    mutating func finishLoad(of client: String) {
        guard load != nil, let number = Load.number(of: client) else { return }
        load?.finish(number)
        goOnWithLoad()
    }
}

import HeapModule
import Laboratory
import RaftCore
import RaftNode
import RaftTrace

// What happens in a world whose clock stands still.

extension World {
    /// Lets the next thing happen: what takes no time of the cluster's, and when there is no more of that, what is due, if
    /// steps were ordered. Answers whether there was anything.
    mutating func goOnFrozen() -> Bool {
        if stepTimeless() { return true }
        guard let left = stepsLeft else { return false }
        guard left > 0 else {
            stepsLeft = nil
            return false
        }
        takeStep()
        return true
    }

    /// Lets the next thing happen that takes no time of the cluster's. Answers whether there was one.
    private mutating func stepTimeless() -> Bool {
        // What waits for its time is looked for anew when the clock goes on, see ``lookAgainAtAll()``.
        while let occurrence = queue.popMin() {
            guard occurrence.kind.isTimeless else { continue }
            happen(occurrence.kind)
            return true
        }
        return false
    }

    /// The clock goes on to what is due next, and that happens. What clients do of themselves before is no step.
    private mutating func takeStep() {
        guard let due = nextDue else {
            stepsLeft = 0
            return tell(.stepped(ClockStepped()))
        }
        if let client = clientDue(by: due.at) { return wakeDueClient(client) }
        stepsLeft? -= 1
        now = max(now, due.at)
        tell(.stepped(due.told))
        guard let message = due.message else { return handle(.deadline, on: place(of: due.node)) }
        if let waiting = links[Picture.LinkID(from: due.node, to: message.to)]?.next(by: now) {
            deliver(waiting.message, number: waiting.number)
        }
    }

    /// What time alone would bring next.
    private var nextDue: Due? {
        let deadlines = servers.filter(\.isAwake).compactMap { server in
            server.deadline.map { Due(at: $0, deadlineOf: server.id) }
        }
        let messages = links.compactMap { Due(on: $1, from: $0.from, to: $0.to) }
        return (deadlines + messages).min()
    }

    private func clientDue(by moment: Instant) -> Int? {
        clients.indices.filter { clients[$0].client.deadline.map { $0 <= moment } ?? false }
            .min { clients[$0].client.deadline ?? .zero < clients[$1].client.deadline ?? .zero }
    }

    private mutating func wakeDueClient(_ place: Int) {
        now = max(now, clients[place].client.deadline ?? now)
        clients[place].wake = now
        wakeClient(place)
    }

    /// Arranges for everything that waits for its time: the clock goes on.
    mutating func lookAgainAtAll() {
        for place in servers.indices { lookAgain(place) }
        for from in nodes {
            for to in nodes where to != from { lookAgain(at: Picture.LinkID(from: from, to: to)) }
        }
        for place in clients.indices {
            clients[place].wake = nil
            scheduleWake(ofClient: place)
        }
        loadWake = nil
        goOnWithLoad()
    }
}

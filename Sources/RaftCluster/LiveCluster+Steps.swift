import Glibc
import Laboratory
import NIOCore
import RaftCore
import RaftTrace
import Synchronization

// `step`: while the clock stands still, the next thing that is due happens. Nobody waits for anybody: the servers' threads
// are asked, and whenever this thread takes events it goes on with what they have answered.

extension LiveCluster {
    /// Begins so many steps, after those that are under way.
    func beginSteps(_ count: Int) {
        wasSettled = false
        stepping = stepping ?? Stepping()
        stepping?.left += count
        advanceSteps()
    }

    /// Goes on with the steps as far as what was asked is answered.
    func advanceSteps() {
        while let steps = stepping {
            switch steps.stage {
            case .resting(let moment):
                guard NIODeadline.now() >= moment else { return }
                stepping?.stage = .looking(look())
            case .looking(let looking):
                guard let looks = looking.looks else { return }
                take(looks, before: steps.lastLooks)
            case .moving(let missing, let target):
                guard missing.isEmpty else { return }
                act(on: target)
                stepping?.rest()
            }
        }
    }

    /// Whether nothing is going on: no message between sockets, no write on its way to a disk, no request under way.
    /// While the clock stands still, nothing then happens until somebody does something. Blocks for as long as the
    /// servers' threads take to answer.
    public func isQuiet() -> Bool {
        func wait(for looking: Looking) -> Looks {
            while true {
                if let looks = looking.looks { return looks }
                usleep(20)
            }
        }
        let first = wait(for: look())
        return first.areQuiet(before: wait(for: look()))
    }

    /// Asks everybody whether they rest. What was ordered of a server before comes first.
    private func look() -> Looking {
        let looking = Looking(count: hosts.count + 1)
        for (node, host) in hosts {
            host.flatSubmit { host in
                host.inOrder { host in
                    let look = host.look()
                    looking.take { $0.nodes[node] = look }
                    return host.loop.makeSucceededVoidFuture()
                }
            }.whenComplete { [events] _ in if looking.answer() { events.signal() } }
        }
        clients.eventLoop.execute { [clients, events] in
            let look = clients.value.look()
            looking.take { $0.clients = look }
            if looking.answer() { events.signal() }
        }
        return looking
    }

    private func take(_ looks: Looks, before: Looks?) {
        guard let before, before.areQuiet(before: looks) else {
            stepping?.lastLooks = looks
            // What has just come to rest is looked at again at once, what is at work a little later.
            guard !looks.areIdle, let pause = stepping?.pauseLonger() else {
                stepping?.stage = .looking(look())
                return
            }
            clients.eventLoop.scheduleTask(in: pause) { [events] in events.signal() }
            return
        }
        // All is quiet: a step is over, and the next may begin.
        guard let left = stepping?.left, left > 0 else {
            stepping = nil
            return
        }
        guard let due = looks.due else {
            events.tell([.stepped(ClockStepped())], at: clock.now)
            stepping = nil
            return
        }
        // What clients do of themselves before is no step.
        if let moment = looks.clients.deadline, moment <= due.at { return move(to: .clients, at: moment) }
        stepping?.left -= 1
        move(to: .due(due), at: due.at)
    }

    /// Lets the clock, which stands still, go on to `moment`. No timer runs out by that: nobody looks at the time unless
    /// he has something to do.
    private func move(to target: Stepping.Target, at moment: Instant) {
        clock = ClusterClock(rate: 0, from: max(clock.now, moment))
        if case .due(let due) = target { events.tell([.stepped(due.told)], at: clock.now) }
        let missing = Outstanding()
        for host in hosts.values {
            missing.begin()
            host.flatSubmit { [clock] host in
                host.inOrder { host in
                    host.adopt(clock)
                    return host.loop.makeSucceededVoidFuture()
                }
            }.whenComplete { [events] _ in
                missing.end()
                events.signal()
            }
        }
        missing.begin()
        clients.eventLoop.execute { [clients, clock, events] in
            clients.value.adopt(clock)
            missing.end()
            events.signal()
        }
        stepping?.stage = .moving(missing, to: target)
    }

    private func act(on target: Stepping.Target) {
        switch target {
        case .clients: clients.eventLoop.execute { [clients] in clients.value.wakeUp() }
        case .due(let due):
            hosts[due.node]?.flatSubmit { host in
                host.inOrder { host in
                    host.act(on: due)
                    return host.loop.makeSucceededVoidFuture()
                }
            }.whenComplete { _ in }
        }
    }
}

/// Steps that are under way.
struct Stepping {
    /// How many are still to begin.
    var left = 0
    var stage = Stage.resting(until: .now())
    /// What everybody said last; `nil` where something has been done since.
    var lastLooks: Looks?
    private var pause = Stepping.pauseMin

    private static let pauseMin = TimeAmount.microseconds(100)
    private static let pauseMax = TimeAmount.milliseconds(5)

    enum Stage {
        /// Everybody is asked at this moment.
        case resting(until: NIODeadline)
        /// Everybody is asked whether they rest.
        case looking(Looking)
        /// Everybody is told the time; the target is to act then.
        case moving(Outstanding, to: Target)
    }

    enum Target {
        case due(Due)
        case clients
    }

    /// Something was done: everybody is to be asked again.
    mutating func rest() {
        stage = .resting(until: .now())
        lastLooks = nil
        pause = Stepping.pauseMin
    }

    /// Somebody is at work: everybody is asked after a while. Answers how long that is.
    mutating func pauseLonger() -> TimeAmount {
        defer { pause = min(pause + pause, Stepping.pauseMax) }
        stage = .resting(until: .now() + pause)
        return pause
    }
}

/// What everybody answers who was asked whether they rest.
struct Looks: Sendable {
    var nodes: [NodeID: Look] = [:]
    var clients = ClientLook()

    /// Whether nobody is at work, as far as can be seen by asking once.
    var areIdle: Bool {
        // A server that is paused takes nothing, and nobody waits for it.
        let paused = NodeSet(nodes.filter(\.value.isPaused).keys)
        return nodes.values.allSatisfy { $0.isIdle && $0.awaited.allSatisfy(paused.contains) }
    }

    /// Whether nobody is at work nor will be by what is under way. Who was asked before another might have passed
    /// something on since; not where everybody says, asked again, that nothing has come in between.
    func areQuiet(before later: Looks) -> Bool {
        areIdle && later.areIdle && nodes.mapValues(\.activity) == later.nodes.mapValues(\.activity)
            && clients.activity == later.clients.activity
    }

    /// What time alone would bring next.
    var due: Due? { nodes.values.compactMap(\.due).min() }
}

/// What one server's thread answers.
struct Look: Sendable {
    /// Whether it is not at work, nor its disk.
    var isIdle: Bool
    var isPaused: Bool
    /// The peers that have not yet said that they handled everything.
    var awaited: [NodeID]
    /// Changes whenever it was at work.
    var activity: Int
    /// What time alone would bring it.
    var due: Due?
}

/// What the clients' thread answers.
struct ClientLook: Sendable {
    /// Changes whenever one of them was at work.
    var activity = 0
    /// When one of them wants to act unasked.
    var deadline: Instant?
}

/// A question to everybody, and the answers so far.
final class Looking: Sendable {
    private let answers = Mutex(Looks())
    private let missing: Atomic<Int>

    init(count: Int) { missing = Atomic(count) }

    func take(_ body: (inout Looks) -> Void) { answers.withLock { body(&$0) } }

    /// One more has answered. Answers whether that was the last.
    func answer() -> Bool { missing.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }

    /// What everybody has answered; `nil` while somebody hasn't.
    var looks: Looks? { missing.load(ordering: .acquiring) == 0 ? answers.withLock { $0 } : nil }
}

import Foundation
import Laboratory
import RaftCluster
import RaftCore
import RaftSimulation
import RaftTrace
import Script

/// A cluster of three on either laboratory, and what is known of it.
final class Bench {
    enum Kind: CaseIterable {
        case live
        case simulated
    }

    let laboratory: any Laboratory
    private(set) var picture = Picture()

    private struct Impatience: Error, CustomStringConvertible {
        let description: String
    }

    init(_ kind: Kind, latency: ClosedRange<Interval> = .zero ... .zero) throws {
        switch kind {
        case .live: laboratory = try LiveCluster(.init(nodes: 3, latency: latency))
        case .simulated: laboratory = SimulatedCluster(.init(nodes: 3, latency: latency))
        }
        laboratory.start()
    }

    deinit { (laboratory as? LiveCluster)?.close() }

    /// Takes events until all is settled and `isDone`. Gives up after two minutes without it.
    @discardableResult
    func follow(until isDone: (Picture) -> Bool = { _ in true }) throws -> [Event] {
        var all: [Event] = []
        let end = ContinuousClock.now + .seconds(120)
        while true {
            let events = laboratory.takeEvents()
            all += events
            for event in events { picture.apply(event) }
            if laboratory.isSettled, isDone(picture) { return all }
            guard ContinuousClock.now < end else {
                throw Impatience(description: "settled: \(laboratory.isSettled), after \(all.suffix(5).map(\.kind))")
            }
            if let live = laboratory as? LiveCluster {
                var request = pollfd(fd: live.eventDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
                poll(&request, 1, 1_000)
            } else {
                laboratory.waitForEvents(until: nil)
            }
        }
    }

    /// Carries out a line, and answers what came of it until all is settled.
    @discardableResult
    func perform(_ line: String) throws -> [Event] {
        try begin(line)
        return try follow()
    }

    func begin(_ line: String) throws {
        guard case .command(let command)? = try Statement.Kind(parsing: line, nodes: 3) else {
            throw Refusal("'\(line)' is no command")
        }
        try laboratory.perform(command, seeing: picture)
    }

    /// Lets the clock stand still when somebody leads, and the others follow.
    func freezeWithLeader() throws {
        while true {
            try follow { ($0.leader?.commit ?? .zero) > .zero && $0.isConverged }
            try perform("freeze")
            // What was between sockets and disks comes to rest with the first step.
            try perform("step")
            // A busy machine may have stopped in the middle of another election.
            let (leader, nodes) = (picture.leader, picture.nodes)
            let isCalm = nodes.allSatisfy { $0.term == leader?.term && ($0.id == leader?.id || $0.role == .follower) }
            if leader != nil, isCalm { return }
            try perform("thaw")
        }
    }
}

import RaftCore
import RaftTrace

/// How much happened when: commits and elections, counted in short stretches of cluster time.
public struct Statistics: Sendable {
    /// A stretch of time.
    private struct Stretch {
        var number: Int64
        var commits = 0
        var elections = 0
        var loaded = 0
    }

    private var stretches: [Stretch] = []

    /// How long a stretch is.
    static let stretch = Interval.milliseconds(250)
    private static let stretchesMax = 480

    mutating func take(_ event: Event) {
        if case .returned(let answer) = event.kind, answer.result.isOK, Load.number(of: answer.client) != nil {
            change(at: event.at) { $0.loaded += 1 }
        }
        guard case .node(_, _, .raft(let observation)) = event.kind else { return }
        switch observation {
        case .committed(let committed):
            // The leader counted it; the followers only learn of it.
            guard committed.stored != nil else { return }
            change(at: event.at) { $0.commits += committed.from.distance(to: committed.to) }
        case .roleChanged(let change) where change.role == .candidate:
            self.change(at: event.at) { $0.elections += 1 }
        default: break
        }
    }

    private mutating func change(at moment: Instant, _ body: (inout Stretch) -> Void) {
        let number = moment.nanoseconds / Statistics.stretch.nanoseconds
        if stretches.last?.number != number { stretches.append(Stretch(number: number)) }
        body(&stretches[stretches.count - 1])
        if stretches.count > 2 * Statistics.stretchesMax { stretches.removeFirst(Statistics.stretchesMax) }
    }

    /// The commits of the last `count` stretches before `now`, the latest last.
    func commits(_ count: Int, until now: Instant) -> [Int] { series(count, until: now, \.commits) }

    /// The elections of the last `count` stretches before `now`, the latest last.
    func elections(_ count: Int, until now: Instant) -> [Int] { series(count, until: now, \.elections) }

    /// Commits a second of cluster time, over the last two seconds.
    func commitsPerSecond(at now: Instant) -> Double { perSecond(at: now, \.commits) }

    /// Writes of a load that were done, a second of cluster time, over the last two seconds.
    func loadPerSecond(at now: Instant) -> Double { perSecond(at: now, \.loaded) }

    private func perSecond(at now: Instant, _ value: KeyPath<Stretch, Int>) -> Double {
        let span = 8
        return Double(series(span, until: now, value).reduce(0, +)) / (Statistics.stretch.seconds * Double(span))
    }

    private func series(_ count: Int, until now: Instant, _ value: KeyPath<Stretch, Int>) -> [Int] {
        let last = now.nanoseconds / Statistics.stretch.nanoseconds
        var numbers = Array(repeating: 0, count: max(0, count))
        for stretch in stretches.reversed() {
            let place = count - 1 - Int(last - stretch.number)
            guard place >= 0 else { break }
            if place < count { numbers[place] += stretch[keyPath: value] }
        }
        return numbers
    }
}

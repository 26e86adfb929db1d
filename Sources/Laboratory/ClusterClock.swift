import Glibc
import RaftCore

/// The cluster's clock: cluster time as a function of real time, with a rate. A change of rate makes a new clock that
/// agrees with the old one at the moment of the change.
public struct ClusterClock: Sendable {
    /// Seconds of cluster time in a second; zero while frozen.
    public private(set) var rate: Double
    private var anchor: Instant
    private var anchoredAt: Int64

    /// A clock that starts now, at `anchor`.
    public init(rate: Double, from anchor: Instant = .zero) {
        self.rate = rate
        self.anchor = anchor
        anchoredAt = ClusterClock.realTime()
    }

    /// A clock that tells the time of day, as it passes from now on: whatever process of a machine has one, they agree.
    public static var timeOfDay: ClusterClock {
        var (best, least) = (ClusterClock(rate: 1), Int64.max)
        // Both clocks can't be read at once. Where nothing came between, they are off by less than a microsecond.
        for _ in 0..<100 where least > 1_000 {
            let before = realTime()
            let now = time(of: CLOCK_REALTIME)
            let after = realTime()
            guard after - before < least else { continue }
            least = after - before
            (best.anchor, best.anchoredAt) = (Instant(nanoseconds: now), before + least / 2)
        }
        return best
    }

    /// Whether it stands still.
    public var isFrozen: Bool { rate == 0 }

    /// The cluster's time.
    public var now: Instant {
        rate == 0 ? anchor : anchor + scaled(ClusterClock.realTime() - anchoredAt, by: rate)
    }

    /// The same clock at another rate from now on.
    public func changed(toRate rate: Double) -> ClusterClock { ClusterClock(rate: rate, from: now) }

    /// Nanoseconds of real time until `moment`, zero if it is past; `nil` where it never comes. What is more than a year
    /// away is looked at again after a year.
    public func realDelay(until moment: Instant) -> Int64? {
        guard rate > 0 else { return nil }
        let delay = (Double((moment - now).nanoseconds) / rate).rounded(.up)
        return Int64(min(max(0, delay), ClusterClock.year))
    }

    private static let year = 365.0 * 86_400 * 1e9

    private func scaled(_ nanoseconds: Int64, by rate: Double) -> Interval {
        rate == 1
            ? Interval(nanoseconds: nanoseconds) : Interval(nanoseconds: Int64(Double(nanoseconds) * rate))
    }

    /// Nanoseconds of a clock that only goes forward.
    static func realTime() -> Int64 { time(of: CLOCK_MONOTONIC) }

    private static func time(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Real time, which passes whatever a cluster's clock says.
public enum RealTime {
    /// Lets so much of it pass.
    public static func sleep(nanoseconds: Int64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        nanosleep(&time, nil)
    }
}

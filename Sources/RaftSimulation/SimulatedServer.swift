import RaftCore
import RaftNode
import RaftStorage

/// One server of a simulated world: the node, as every laboratory has it, with a simulated disk and clock.
struct SimulatedServer: Sendable {
    let id: NodeID
    /// Who its disk says it is.
    var identity: Identity
    /// The disk while it is closed; the log has it while the server runs.
    var disk: SimulatedDisk
    var life: Life?
    /// Counts lives, so that what belongs to an earlier one is nothing to the present.
    var lives: UInt64 = 0
    var clock = ServerClock()
    /// A disk that stalls takes this much longer.
    var stall = Interval.zero

    /// A server that runs.
    struct Life: Sendable {
        var node: Node
        var log: WriteAheadLog<SimulatedDisk>
        let number: UInt64
        /// What was asked of the disk while it was busy.
        var writes: [Write] = []
        var isWriting = false
        var isPaused = false
        /// What came while it was paused.
        var deferred: [NodeInput] = []
        /// The clients that wait for each request.
        var waiting: [RequestID: Int] = [:]
        /// When it is to be woken, in the world's time.
        var wake: Instant?
    }

    var isRunning: Bool { life != nil }
}

/// A server's clock, which may go faster or slower than the world's.
struct ServerClock: Sendable {
    private var rate = 1.0
    private var anchor = Instant.zero
    private var local = Instant.zero

    /// The server's time at a moment of the world.
    func time(at moment: Instant) -> Instant {
        rate == 1 && anchor == local
            ? moment : local + Interval(nanoseconds: Int64(Double((moment - anchor).nanoseconds) * rate))
    }

    /// The moment of the world at which it is `time`, or shortly after.
    func moment(of time: Instant) -> Instant {
        rate == 1 && anchor == local
            ? time : anchor + Interval(nanoseconds: Int64((Double((time - local).nanoseconds) / rate).rounded(.up)) + 1)
    }

    /// Goes at another rate from `moment` on.
    mutating func change(rate: Double, at moment: Instant) {
        local = time(at: moment)
        anchor = moment
        self.rate = rate
    }
}

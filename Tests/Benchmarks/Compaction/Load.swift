import KeyValue
import Laboratory
import RaftCluster
import RaftCore
import RaftTrace

/// Writes at a steady rate through the laboratory's own clients, and how long each took to be answered.
final class Load {
    let cluster: LiveCluster
    private(set) var picture = Picture()
    /// When each call that is open was begun, by its number.
    private var begun: [UInt64: Instant] = [:]
    /// The answers: when they came, and how long they took, in nanoseconds.
    private(set) var answers: [(at: Instant, nanoseconds: Int64)] = []
    private(set) var failures = 0
    private var written: UInt64 = 0
    private let keys: UInt64
    private let clients = 64

    init(_ cluster: LiveCluster, keys: UInt64) {
        self.cluster = cluster
        self.keys = keys
    }

    /// Lets `seconds` pass, or until `isOver`, with `rate` writes a second.
    func run(_ seconds: Double, rate: Double, until isOver: (Picture) -> Bool = { _ in false }) throws {
        let start = cluster.now
        var done = 0.0
        while true {
            let elapsed = Double((cluster.now - start).nanoseconds) / 1e9
            if elapsed >= seconds { break }
            // No more are open than a busy service would have: a cluster that is slower is asked more slowly.
            while done < elapsed * rate, begun.count < 4_096 {
                done += 1
                try write()
            }
            done = max(done, elapsed * rate - 4_096)
            take()
            if isOver(picture) { break }
            cluster.waitForEvents(until: cluster.now + .microseconds(500))
        }
    }

    /// Waits until everything is answered.
    func drain() {
        while !begun.isEmpty {
            cluster.waitForEvents(until: cluster.now + .milliseconds(10))
            take()
        }
    }

    func perform(_ command: Command) throws { try cluster.perform(command, seeing: picture) }

    func forgetAnswers() { answers = [] }

    private func write() throws {
        let key = Bytes("key-\(written % keys)".utf8)
        let value = Bytes("value-\(written)-0123456789012345678901234567890123456789".utf8)
        let name = "c\(written % UInt64(clients))"
        written += 1
        let command = ClientCommand(.write(.set(key: key, value: value)), client: name)
        if let call = try cluster.perform(.client(command), seeing: picture) { begun[call] = cluster.now }
    }

    private func take() {
        for event in cluster.takeEvents() {
            picture.apply(event)
            guard case .returned(let answer) = event.kind, let start = begun.removeValue(forKey: answer.call) else {
                continue
            }
            if !answer.result.isOK { failures += 1 }
            answers.append((event.at, (event.at - start).nanoseconds))
        }
    }
}

extension [(at: Instant, nanoseconds: Int64)] {
    /// The time within which this share of the answers came, in microseconds.
    func percentile(_ share: Double) -> Int {
        let sorted = map(\.nanoseconds).sorted()
        guard !sorted.isEmpty else { return 0 }
        return Int(sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * share))] / 1_000)
    }
}

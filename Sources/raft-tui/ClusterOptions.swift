import ArgumentParser
import RaftCluster
import RaftCore
import RaftSimulation
import Script

/// What the commands that start a cluster have in common.
struct ClusterOptions: ParsableArguments {
    @Option(help: "The number of nodes, 1 to 9 (default: 5, or as many as the data directory holds).")
    var nodes: Int?

    @Option(help: "Keep the nodes' disks in this directory (default: a fresh one that goes on a clean exit).")
    var dataDir: String?

    @Option(help: "The port of the first node on 127.0.0.1; the others follow (default: any free ports).")
    var port: Int?

    @Option(help: "The seed of all random numbers.")
    var seed: UInt64 = 1

    @Option(help: "The clock's rate, 1/1000 to 4: cluster time passes so much faster than yours.")
    var speed: Speed?

    @Option(help: "How long messages take, like 20ms or 10ms..30ms.")
    var latency: Latency?

    func validate() throws {
        if let nodes, !LiveCluster.sizes.contains(nodes) {
            throw ValidationError("--nodes is a number from 1 to 9, not \(nodes).")
        }
        if let port, !(1...65_526).contains(port) {
            throw ValidationError("--port is a number from 1 to 65526, not \(port).")
        }
    }

    /// Makes sure that nothing is asked for that only real nodes have.
    func refuseDisks() throws {
        if dataDir != nil || port != nil {
            throw ValidationError("--simulated has no disks and no ports: leave out --data-dir and --port")
        }
    }

    /// What a live cluster is started with, where the options don't say it.
    func live(nodes: Int?, speed usual: Double, latency usualLatency: ClosedRange<Interval>) -> LiveCluster.Options {
        LiveCluster.Options(
            nodes: nodes, dataDirectory: dataDir, basePort: port, seed: seed, speed: speed?.rate ?? usual,
            latency: latency?.range ?? usualLatency)
    }

    /// What a simulated cluster is started with, where the options don't say it.
    func simulated(nodes: Int?) -> SimulatedCluster.Options {
        SimulatedCluster.Options(
            nodes: nodes ?? LiveCluster.usualSize, seed: seed, speed: speed?.rate ?? 1,
            latency: latency?.range ?? .zero ... .zero)
    }
}

/// A clock's rate on the command line.
struct Speed: ExpressibleByArgument {
    let rate: Double

    init?(argument: String) {
        guard let rate = try? Value.rate(argument) else { return nil }
        self.rate = rate
    }
}

/// A latency on the command line.
struct Latency: ExpressibleByArgument {
    let range: ClosedRange<Interval>

    init?(argument: String) {
        guard let range = try? Value.durations(argument) else { return nil }
        self.range = range
    }
}

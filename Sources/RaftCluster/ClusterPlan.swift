import Glibc
import Laboratory
import RaftCore
import RaftStorage

/// Which servers a cluster starts with, and whose disks they have.
struct ClusterPlan {
    /// The servers' identities, in ascending order of their numbers.
    let identities: [Identity]
    /// What the names of clients' sessions end in.
    let sessionSuffix: String
    /// Whether none of them has a disk yet.
    let isNew: Bool

    /// Finds the servers whose disks are in `directory`, or plans a new cluster.
    init(directory: DataDirectory, options: LiveCluster.Options) throws {
        let found = try directory.identities()
        guard let first = found.first else {
            identities = ClusterPlan.fresh(count: options.nodes ?? LiveCluster.usualSize)
            sessionSuffix = ""
            isNew = true
            return
        }
        let members = first.configuration.members
        if let wanted = options.nodes, wanted != members.count {
            throw Refusal(
                "\(directory.path) holds a cluster of \(members.count) nodes, not of \(wanted): leave out --nodes, or choose another directory"
            )
        }
        // A server whose directory is gone has forgotten what it promised: its new disk is another one. The time of day
        // is later than any life before.
        let anew = ClusterPlan.anew
        // Servers that joined later are none of those that the cluster started with.
        let last = (members.map(\.id) + found.map(\.node)).max() ?? first.node
        identities = (1...Int(last.rawValue)).map { number in
            let node = NodeID(number)
            return found.first { $0.node == node }
                ?? Identity(
                    cluster: first.cluster, node: node, incarnation: anew, configuration: first.configuration)
        }
        // The clients of this run are not those of earlier ones, and must not be taken for them.
        isNew = false
        sessionSuffix = "~" + String(UInt32.random(in: .min ... .max), radix: 36)
    }

    /// A life that is later than any before, as far as the time of day tells.
    static var anew: Incarnation { Incarnation(UInt32(truncatingIfNeeded: time(nil))) }

    /// A new cluster of `count` servers.
    static func fresh(count: Int) -> [Identity] {
        let cluster = UInt64.random(in: .min ... .max)
        let configuration = Configuration(count: count)
        return configuration.members.map {
            Identity(cluster: cluster, node: $0.id, incarnation: $0.incarnation, configuration: configuration)
        }
    }
}

import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftTrace

// What is served to the world: each server by a face of its own, with clients that know only this server.

extension LiveCluster {
    /// What the HTTP face of `node` asks; `nil` where there is no such server.
    public func face(of node: NodeID) -> ServedHost? {
        if let known = faces[node] { return known.face }
        guard let host = hosts[node] else { return nil }
        let loop = host.eventLoop
        let (events, clock, numbers, suffix) = (events, clock, callNumbers, LiveCluster.anySuffix)
        let clients = try? loop.submit {
            let clients = ClientHost(
                loop: loop, events: events, clock: clock, callNumbers: numbers, sessionSuffix: suffix,
                patience: Client.patience, askingOnly: node)
            clients.setHosts([node: host])
            return NIOLoopBound(clients, eventLoop: loop)
        }.wait()
        guard let clients else { return nil }
        let face = ServedHost(id: node, host: host, clients: clients, hub: hub) { _ in
            "this node is on a screen, whose prompt takes commands"
        }
        faces[node] = (face, clients)
        return face
    }

    /// The clients on the screen, and those of the faces.
    var allClients: [NIOLoopBound<ClientHost>] { [clients] + faces.values.map(\.clients) }

    /// What no other run's sessions end in.
    static var anySuffix: String { "~" + String(UInt32.random(in: .min ... .max), radix: 36) }
}

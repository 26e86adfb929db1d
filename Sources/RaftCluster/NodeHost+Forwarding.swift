import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport

// A client that knows only one server asks that one, and the server hands on what only the leader can do. It does so over
// its own connection to the leader: where the two are cut off from each other, it can't.

extension NodeHost {
    /// Lets the server handle a request, or its leader, if that takes one.
    func serve(_ request: ClientRequest, sink: @escaping ReplySink) {
        guard request.needsLeader, let leader = life?.node.raft.leader, leader != id else {
            return submit(request, sink: sink)
        }
        forward(request, to: leader, sink: sink)
    }

    private func forward(_ request: ClientRequest, to leader: NodeID, sink: @escaping ReplySink) {
        guard let endpoint = life?.endpoint, canReach(leader) else {
            return sink(Reply(id: request.id, result: .error("\(id) can't reach \(leader), which leads")))
        }
        endpoint.ask(ByteBuffer(bytes: request.kind.encoded()), of: leader) { [id] answer in
            switch answer {
            case .success(let bytes):
                let reply = try? Reply(id: request.id, decoding: Array(bytes.readableBytesView))
                sink(reply ?? Reply(id: request.id, result: .unknown))
            case .failure(.broken): sink(Reply(id: request.id, result: .unknown))
            case .failure(.unreachable):
                sink(Reply(id: request.id, result: .error("\(id) can't reach \(leader), which leads")))
            }
        }
    }

    /// Whether something that this server sends now would get through.
    private func canReach(_ peer: NodeID) -> Bool {
        let link = links[peer, default: untouchedLink]
        return !link.isCut && !link.isHeld
    }

    func endpoint(
        _ endpoint: Endpoint, asked request: ByteBuffer, by peer: NodeID, answer: @escaping (ByteBuffer) -> Void
    ) {
        guard life?.endpoint === endpoint else { return }
        guard let kind = try? ClientRequest.Kind(decoding: Array(request.readableBytesView)) else {
            return note(.hungUp(HungUp(reason: "\(peer) handed on an unreadable request")))
        }
        let box = NIOLoopBound((host: self, answer: answer), eventLoop: loop)
        submit(ClientRequest(id: forwarded.draw(), kind: kind)) { reply in
            let (host, answer) = box.value
            // An answer that doesn't get through is none: whoever waits for it can't know.
            if host.canReach(peer) { answer(ByteBuffer(bytes: reply.encoded())) }
        }
    }
}

extension ClientRequest {
    /// Whether a server that doesn't lead can't handle it. Reads that need the leader's word ask for that themselves.
    fileprivate var needsLeader: Bool {
        switch kind {
        case .write: true
        case .read(let read): read.readMode == .leader
        }
    }
}

/// Numbers requests, so that those of different askers are never taken for each other.
struct RequestNumbers: Sendable {
    private var last: RequestID

    /// The numbers of `asker`.
    init(of asker: Asker) { last = asker.space << 48 }

    /// Who asks a server.
    enum Asker {
        /// The clients on the screen.
        case clients
        /// Other servers.
        case servers
        /// The face of a server.
        case face(NodeID)

        fileprivate var space: RequestID {
            switch self {
            case .clients: 0
            case .servers: 1
            case .face(let node): 2 + RequestID(node.rawValue)
            }
        }
    }

    /// The next number.
    mutating func draw() -> RequestID {
        last += 1
        return last
    }
}

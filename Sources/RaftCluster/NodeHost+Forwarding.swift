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
    ///
    /// - Parameter end: When nobody waits for the answer any more.
    func serve(_ request: ClientRequest, until end: Instant, to channel: ReplyChannel) {
        guard request.needsLeader, let leader = life?.node.raft.leader, leader != id else {
            return submit([request], to: channel)
        }
        forward(request, until: end, to: leader) { channel.deliver([$0]) }
    }

    private func forward(
        _ request: ClientRequest, until end: Instant, to leader: NodeID, answer: @escaping (Reply) -> Void
    ) {
        let unreachable = Reply(id: request.id, result: .error("\(id) can't reach \(leader), which leads"))
        guard let endpoint = life?.endpoint, canReach(leader) else { return answer(unreachable) }
        let bytes = ByteBuffer(bytes: request.kind.encoded())
        endpoint.ask(bytes, of: leader, at: clock.now, until: end) { result in
            switch result {
            case .success(let bytes):
                let reply = try? Reply(id: request.id, decoding: Array(bytes.readableBytesView))
                answer(reply ?? Reply(id: request.id, result: .unknown))
            case .failure(.broken): answer(Reply(id: request.id, result: .unknown))
            case .failure(.unreachable): answer(unreachable)
            case .failure(.oversized): answer(.oversized(request.id, "request", bytes.readableBytes))
            }
        }
    }

    /// Whether something that this server sends now would get through.
    fileprivate func canReach(_ peer: NodeID) -> Bool {
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
        let number = forwarded.add(peer, answer)
        submit([ClientRequest(id: number, kind: kind)], to: forwarded.channel)
    }
}

/// The requests that other servers have handed on to this one, and that wait for its answers. Confined to the server's
/// loop.
final class ForwardedRequests {
    private var waiting: [RequestID: (peer: NodeID, answer: (ByteBuffer) -> Void)] = [:]
    private var last: RequestID = 0
    private weak var host: NodeHost?
    /// Where the server's answers to them go.
    private(set) lazy var channel = {
        let box = NIOLoopBound(Weak(self), eventLoop: loop)
        return ReplyChannel { replies in
            for reply in replies { box.value.object?.take(reply) }
        }
    }()
    private let loop: any EventLoop

    init(_ host: NodeHost) {
        self.host = host
        loop = host.loop
    }

    /// Keeps a request of `peer`, and answers its number.
    func add(_ peer: NodeID, _ answer: @escaping (ByteBuffer) -> Void) -> RequestID {
        last += 1
        waiting[last] = (peer, answer)
        return last
    }

    private func take(_ reply: Reply) {
        guard let (peer, answer) = waiting.removeValue(forKey: reply.id) else { return }
        // An answer that doesn't get through is none: whoever waits for it can't know.
        if host?.canReach(peer) == true { answer(ByteBuffer(bytes: reply.handedBack())) }
    }
}

extension Reply {
    /// The answer as bytes that go to another server; that it is too large, where it is.
    func handedBack() -> [UInt8] {
        let bytes = encoded()
        return bytes.count <= Endpoint.payloadMax ? bytes : Reply.oversized(id, "answer", bytes.count).encoded()
    }

    /// The answer to a request that is too large to be handed on, or whose answer is too large to be handed back.
    fileprivate static func oversized(_ id: RequestID, _ what: String, _ size: Int) -> Reply {
        let reason =
            "the \(what) is too large to go from one node to another: it takes \(size) bytes of at most "
            + "\(Endpoint.payloadMax); ask the leader itself, or for less"
        return Reply(id: id, result: .error(reason), isFinal: true)
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

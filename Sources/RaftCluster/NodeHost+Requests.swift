import NIOCore
import RaftNode
import RaftTrace

// Clients' requests: from their loops to the server, and the answers back.

extension NodeHost {
    /// Takes clients' requests; those that come before the loop gets to them are handled together.
    func submit(_ requests: [ClientRequest], to channel: ReplyChannel) {
        activity += 1
        guard life != nil else {
            return channel.deliver(requests.map { Reply(id: $0.id, result: .error("\(id) is down")) })
        }
        let isFirst = life?.requests.isEmpty == true
        for var request in requests {
            request.id = life?.waiting.add(request.id, channel) ?? 0
            life?.requests.append(request)
        }
        guard isFirst else { return }
        let box = NIOLoopBound(self, eventLoop: loop)
        loop.execute { box.value.handleRequests() }
    }

    private func handleRequests() {
        guard let requests = life?.requests, !requests.isEmpty else { return }
        life?.requests.removeAll(keepingCapacity: true)
        handle(.requests(requests))
        endTurn()
    }
}

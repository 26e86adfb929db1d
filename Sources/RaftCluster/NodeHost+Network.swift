import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport

// Messages: from the server to their links, over the sockets, and in.

extension NodeHost: EndpointDelegate {
    func endpoint(_ endpoint: Endpoint, received message: Message, number: UInt64) {
        guard life?.endpoint === endpoint else { return }
        counters.messagesReceived += 1
        note(.delivered(MessageDelivered(number: number, from: message.from, to: id)))
        handle(.message(message))
    }

    func endpointFinishedReading(_ endpoint: Endpoint) {
        guard life?.endpoint === endpoint else { return }
        endTurn()
    }

    func endpoint(_ endpoint: Endpoint, closedConnectionBecause reason: String) {
        guard life?.endpoint === endpoint else { return }
        note(.hungUp(HungUp(reason: reason)))
        endTurn()
    }
}

extension NodeHost {
    /// Puts a message on its link. Answers whether nothing delays it there.
    func putOnLink(_ message: Message, number: UInt64) -> Bool {
        let now = clock.now
        let fate = links[message.to, default: untouchedLink].put(
            message, number: number, at: now, isFrozen: clock.isFrozen, random: &random)
        switch fate {
        case .passes:
            note(.sent(MessageSent(number: number, message: message, due: nil)))
            return true
        case .waits(let due):
            note(.sent(MessageSent(number: number, message: message, due: due)))
            return false
        case .lost(let loss):
            note(.sent(MessageSent(number: number, message: message, due: nil)))
            noteLost(number, to: message.to, loss.reason)
            return false
        }
    }

    /// Sends a message over the socket.
    func transmit(_ message: Message, number: UInt64) {
        guard let endpoint = life?.endpoint else { return noteLost(number, to: message.to, .unreachable) }
        // In slow motion every message is acknowledged, so that it is known when all is quiet. At full speed the peers
        // are asked when somebody wants to know.
        switch endpoint.send(message, number: number, wantsHandled: clock.rate < 1) {
        case .sent: counters.count(message)
        case .unreachable: noteLost(number, to: message.to, .unreachable)
        case .full: noteLost(number, to: message.to, .full)
        }
    }

    /// Sends what has waited long enough.
    func deliverDue(at now: Instant) {
        for peer in links.keys.sorted() {
            while let waiting = links[peer]?.next(by: now) {
                transmit(waiting.message, number: waiting.number)
            }
        }
    }

    /// Changes the link to `peer`, and tells what it is now. What a cut takes off it is lost.
    func changeLink(to peer: NodeID, _ change: LinkChange) {
        for waiting in links[peer, default: untouchedLink].apply(change, at: clock.now) {
            noteLost(waiting.number, to: peer, .cut)
        }
        note(.link(links[peer, default: untouchedLink].state(from: id, to: peer)))
        endTurn()
    }

    /// Does something by hand with messages that wait on the link to `peer`; those that have arrived meanwhile are not
    /// meant.
    func handleMessages(to peer: NodeID, _ action: MessageAction, _ messages: LinkMessages) {
        guard var link = links[peer] else { return }
        let handled = link.handle(action, messages, number: messageNumbers.draw)
        links[peer] = link
        for waiting in handled.delivered { transmit(waiting.message, number: waiting.number) }
        life?.endpoint.flush()
        for waiting in handled.lost { noteLost(waiting.number, to: peer, .dropped) }
        for copy in handled.copies {
            note(.sent(copy.told(isHeld: link.isHeld)))
        }
        endTurn()
    }

    /// Takes everything off all links: their server is gone, and its sockets with it.
    func clearLinks() {
        for peer in links.keys.sorted() {
            for waiting in links[peer]?.clear() ?? [] { noteLost(waiting.number, to: peer, .unreachable) }
        }
    }

    private func noteLost(_ number: UInt64, to peer: NodeID, _ reason: MessageLost.Reason) {
        note(.lost(MessageLost(number: number, from: id, to: peer, reason: reason)))
    }
}

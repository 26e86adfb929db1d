import NIOCore
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport

// Messages: from the server to their links, over the sockets, and in.

extension NodeHost: EndpointDelegate {
    func endpoint(_ endpoint: Endpoint, received message: Message, number: UInt64) {
        guard life?.endpoint === endpoint else { return }
        turn.kinds.append(.delivered(MessageDelivered(number: number, from: message.from, to: id)))
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
            turn.kinds.append(.sent(MessageSent(number: number, message: message, due: nil)))
            return true
        case .waits(let due):
            turn.kinds.append(.sent(MessageSent(number: number, message: message, due: due)))
            return false
        case .lost(let loss):
            turn.kinds.append(.sent(MessageSent(number: number, message: message, due: nil)))
            noteLost(number, to: message.to, loss.reason)
            return false
        }
    }

    /// Sends a message over the socket.
    func transmit(_ message: Message, number: UInt64) {
        guard let life else { return noteLost(number, to: message.to, .unreachable) }
        // In slow motion every message is acknowledged, so that it is known when all is quiet. At full speed the peers
        // are asked when somebody wants to know.
        switch life.endpoint.send(message, number: number, wantsHandled: clock.rate < 1) {
        case .sent: break
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
        var link = links[peer] ?? untouchedLink
        switch change {
        case .cut: for waiting in link.cut() { noteLost(waiting.number, to: peer, .cut) }
        case .heal: link.heal()
        case .latency(let range): link.setLatency(range, at: clock.now)
        case .loss(let share): link.loss = share
        }
        links[peer] = link
        var state = LinkState(from: id, to: peer)
        state.isCut = link.isCut
        (state.latencyMin, state.latencyMax) = (link.latency.lowerBound, link.latency.upperBound)
        state.loss = link.loss
        turn.kinds.append(.link(state))
        endTurn()
    }

    /// Takes everything off all links: their server is gone, and its sockets with it.
    func clearLinks() {
        for peer in links.keys.sorted() {
            for waiting in links[peer]?.clear() ?? [] { noteLost(waiting.number, to: peer, .unreachable) }
        }
    }

    private func noteLost(_ number: UInt64, to peer: NodeID, _ reason: MessageLost.Reason) {
        turn.kinds.append(.lost(MessageLost(number: number, from: id, to: peer, reason: reason)))
    }
}

/// What can be done to a link, one way.
enum LinkChange: Sendable {
    case cut
    case heal
    case latency(ClosedRange<Interval>)
    case loss(Double)
}

extension Link.Loss {
    var reason: MessageLost.Reason {
        switch self {
        case .cut: .cut
        case .chance: .chance
        case .full: .full
        }
    }
}

import Laboratory
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport

// What a server says and does while the clock stands still and goes on from one thing that is due to the next.

extension NodeHost {
    /// Whether this server rests, and what time alone would bring it.
    func look() -> Look {
        Look(
            isIdle: isIdle, isPaused: life?.isPaused ?? false, awaited: life?.endpoint.awaitedPeers() ?? [],
            activity: activity, due: due)
    }

    /// Whether there is nothing that this server would go on with by itself.
    private var isIdle: Bool {
        guard let life else { return true }
        // A step that is being looked at goes on when it was seen, a disk that stalls with nothing.
        if watchedUpTo != nil, !life.isPaused { return false }
        let isWriting = life.isWriting || !life.writes.isEmpty && diskCondition != .stall
        return !isWriting && life.requests.isEmpty && life.snapshotsOpen == 0
    }

    private var due: Due? {
        let messages = links.compactMap { Due(on: $1, from: id, to: $0) }
        let own = nodeDeadline.map { Due(at: $0, deadlineOf: id) }
        return (messages + [own].compactMap(\.self)).min()
    }

    /// Lets what is due happen, and nothing else; unless it is gone since.
    func act(on due: Due) {
        let now = clock.now
        if let message = due.message {
            guard links[message.to]?.first?.number == message.number,
                let waiting = links[message.to]?.next(by: now)
            else { return }
            transmit(waiting.message, number: waiting.number)
            life?.endpoint.flush()
        } else if let deadline = nodeDeadline, deadline <= now {
            handle(.deadline)
        }
        endTurn()
    }
}

import RaftNode
import RaftTrace

// A server that is watched waits after every step: its events are told, and nothing else of it leaves until whoever
// looks has seen them. So an order can be carried out within the step that is its reason.

extension NodeHost {
    /// Begins or ends to wait after every step.
    func watch(_ isWatched: Bool) {
        self.isWatched = isWatched
        if !isWatched { release(upTo: .max) }
    }

    /// Tells the turn and keeps what it has led to.
    func waitToBeSeen() {
        tellTurn()
        watchedUpTo = lastTold
    }

    /// Everything up to this event was seen: the step goes on, and then what came meanwhile.
    func release(upTo sequence: UInt64) {
        guard let last = watchedUpTo, last <= sequence else { return }
        // One that was paused within its step goes on with it when it is resumed.
        guard life?.isPaused != true else { return }
        watchedUpTo = nil
        finishTurn()
        // Together they are one step, to be seen again.
        handleDeferred()
    }

    /// The server is gone: its unfinished step leads to nothing, and what it would have answered nobody knows.
    func forgetWatchedTurn() {
        guard watchedUpTo != nil else { return }
        watchedUpTo = nil
        turn.outbox = []
        turn.replies.forget()
    }
}

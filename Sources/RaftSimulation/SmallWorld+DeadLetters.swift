import RaftCore

// Which messages need not be remembered.

extension SmallWorld {
    /// Forgets the messages that can make no difference any more to the servers that they are for, neither in `state`
    /// nor in any that follows: whether they were sent once says nothing about what can happen.
    ///
    /// Each reason below says why the message, delivered now or later, changes nothing and leads to no message that was
    /// not sent before. They rest on the rules, so that they are used only where all of them are kept.
    func forgetDeadLetters(in state: inout State) {
        guard settings.rules == .all else { return }
        let canCrash = pasts[state.past].crashes < bounds.crashes
        let (letters, standings, last) = (letters, standings, Term(bounds.terms))
        state.messages.removeAll { number in
            let letter = letters[Int(number)]
            return standings[Int(state.servers[letter.to])].ignores(letter, canCrash: canCrash, lastTerm: last)
        }
    }

    /// A message, as far as it decides that.
    struct Letter: Sendable {
        var from: Int
        var to: Int
        var term: Term
        var kind: Kind

        enum Kind: Sendable {
            case voteRequest
            case voteResponse
            case append(proven: LogIndex, commit: LogIndex)
            case accepted(LogIndex)
            case refused(previous: LogIndex)
        }

        init(_ message: Message) {
            from = Int(message.from.rawValue) - 1
            to = Int(message.to.rawValue) - 1
            term = message.term
            switch message.body {
            case .voteRequest: kind = .voteRequest
            case .voteResponse: kind = .voteResponse
            case .append(let append):
                let proven = append.previous.index.advanced(by: append.entries.count)
                kind = .append(proven: proven, commit: min(append.commit, proven))
            case .appendResponse(let response):
                switch response.outcome {
                case .accepted(let match): kind = .accepted(match)
                case .refused(let previous, _): kind = .refused(previous: previous)
                }
            }
        }
    }

    /// A server, as far as it decides that, and which moves it allows.
    struct Standing: Sendable {
        let term: Term
        let role: RoleName
        let isWriting: Bool
        private let durableTerm: Term
        private let hasVoted: Bool
        private let commit: LogIndex
        /// How far a follower's log is both proved to match and on disk.
        private let promised: LogIndex
        /// How far each server is known to match, by its place; empty but for a leader.
        private var match = SIMD8<UInt64>()

        init(_ server: SmallServer) {
            let raft = server.raft
            term = raft.currentTerm
            role = raft.role.name
            isWriting = !server.writes.isEmpty
            durableTerm = server.disk.hardState.term
            hasVoted = server.disk.hardState.vote != nil
            commit = raft.commitIndex
            promised = min(raft.verifiedIndex, raft.durableIndex)
            guard case .leader(let leadership) = raft.role else { return }
            for peer in leadership.peers { match[Int(peer.peer.rawValue) - 1] = peer.match.rawValue }
        }

        /// Whether `letter` makes no difference to the server any more.
        func ignores(_ letter: Letter, canCrash: Bool, lastTerm: Term) -> Bool {
            // What is told of a term that isn't on disk may be forgotten in a crash.
            guard letter.term <= durableTerm else { return false }
            let isPast = letter.term < durableTerm
            let isPresent = letter.term == term
            switch letter.kind {
            case .voteRequest:
                // No later term is to come that would be told to the candidate, and the vote is given away for good.
                return durableTerm == lastTerm && (isPast || hasVoted)
            case .voteResponse:
                // Answers of the past are nothing, and a candidacy begins with a term of its own.
                return isPast || isPresent && role != .candidate
            case .append(let proven, let commit):
                // The log holds it for as long as the term goes on, and every greater match was acknowledged by itself.
                guard !canCrash, letter.term == lastTerm, isPresent, role == .follower else { return false }
                return promised > .zero && proven <= promised && commit <= self.commit
            case .accepted(let index):
                // A leader learns nothing from a match that is less than the one it knows.
                return isPast || isPresent && (role != .leader || index.rawValue < match[letter.from])
            case .refused(let previous):
                // Nor does it go back behind it.
                return isPast || isPresent && (role != .leader || previous.rawValue <= match[letter.from])
            }
        }
    }
}

import RaftCore

// Which messages need not be remembered.

extension SmallWorld {
    /// Forgets the messages that can make no difference any more to the servers that they are for, neither in `state`
    /// nor in any that follows: whether they were sent once says nothing about what can happen.
    ///
    /// Each reason below says why the message, delivered now or later, changes nothing and leads to no message that was
    /// not sent before. They rest on the rules, so that they are used only where all of them are kept.
    func forgetDeadLetters(in state: inout State) {
        guard bounds.isReduced, settings.rules == .all, bounds.snapshots == 0, bounds.changes == 0 else { return }
        let canCrash = pasts[state.past].crashes < bounds.crashes
        let (letters, standings, last) = (letters, standings, Term(bounds.terms))
        var told = UInt64.zero
        state.messages.removeAll { number in
            let letter = letters[Int(number)]
            let receiver = standings[Int(state.servers[letter.to])]
            let sender = standings[Int(state.servers[letter.from])]
            if receiver.ignores(letter, from: sender, canCrash: canCrash, lastTerm: last) { return true }
            guard receiver.onlyHears(letter, canCrash: canCrash, lastTerm: last) else { return false }
            defer { told |= 1 << UInt64(letter.to) }
            return told & 1 << UInt64(letter.to) != 0
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
            case timeoutNow
            case snapshot
            case snapshotResponse
            case readIndex
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
            case .timeoutNow: kind = .timeoutNow
            case .snapshot: kind = .snapshot
            case .snapshotResponse: kind = .snapshotResponse
            case .readIndexRequest, .readIndexResponse: kind = .readIndex
            }
        }
    }

    /// A server, as far as it decides that, and which moves it allows.
    struct Standing: Sendable {
        let term: Term
        let role: RoleName
        let isWriting: Bool
        /// Whether it has committed what is in no snapshot of its own.
        let hasNewCommits: Bool
        private let durableTerm: Term
        private let vote: Int?
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
            hasNewCommits = raft.commitIndex > raft.snapshot?.last.index ?? .zero
            durableTerm = server.disk.hardState.term
            vote = server.disk.hardState.vote.map { Int($0.rawValue) - 1 }
            commit = raft.commitIndex
            promised = min(raft.verifiedIndex, raft.durableIndex)
            guard case .leader(let leadership) = raft.role else { return }
            for peer in leadership.peers { match[Int(peer.peer.rawValue) - 1] = peer.match.rawValue }
        }

        /// Whether `letter` makes no difference to the server any more.
        func ignores(_ letter: Letter, from sender: Standing, canCrash: Bool, lastTerm: Term) -> Bool {
            // What is told of a term that isn't on disk may be forgotten in a crash; and a server that still writes
            // holds its answers to requests back, so that they were not all sent before.
            guard letter.term <= durableTerm else { return false }
            let isPast = letter.term < durableTerm
            let isPresent = letter.term == term
            switch letter.kind {
            case .voteRequest:
                // It is refused for good, and no later term is to come that the candidate would be told of; or the vote
                // was given, and the candidate counts votes no more.
                guard durableTerm == lastTerm, !isWriting else { return false }
                guard !isPast else { return true }
                guard let vote else { return false }
                return vote != letter.from || sender.durableTerm == lastTerm && sender.role != .candidate
            case .voteResponse:
                // Answers of the past are nothing, and a candidacy begins with a term of its own.
                return isPast || isPresent && role != .candidate
            case .append(let proven, let commit):
                guard !isWriting else { return false }
                // It is refused, which is nothing to a sender that will not lead in the last term.
                if isPast, durableTerm == lastTerm { return sender.follows(lastTerm, canCrash: canCrash) }
                // The log holds it for as long as the term goes on, and every greater match was acknowledged by itself.
                guard !canCrash, letter.term == lastTerm, isPresent, role == .follower else { return false }
                return promised > .zero && proven <= promised && commit <= self.commit
            case .accepted(let index):
                // A leader learns nothing from a match that is less than the one it knows.
                return isPast || isPresent && hasLearned(index, of: letter.from)
            case .refused(let previous):
                // Nor does it go back behind that.
                return isPast || isPresent && hasLearned(previous.previous, of: letter.from)
            case .timeoutNow, .snapshotResponse: return isPast
            case .snapshot: return false
            // Nobody reads in a small world.
            case .readIndex: return false
            }
        }

        /// Whether a leader knows a server's log to match further than up to `index`; a follower will never ask. A candidate
        /// may: a refusal of what it sent as the leader of an earlier term speaks of the present one.
        private func hasLearned(_ index: LogIndex, of server: Int) -> Bool {
            switch role {
            case .follower: true
            case .leader: index.rawValue < match[server]
            case .candidate, .precandidate: false
            }
        }

        /// Whether the server makes no more of `letter` than that there is a last term: one such message is enough.
        func onlyHears(_ letter: Letter, canCrash: Bool, lastTerm: Term) -> Bool {
            guard case .refused = letter.kind, letter.term == lastTerm else { return false }
            return term < lastTerm && follows(lastTerm, canCrash: canCrash)
        }

        /// Whether the server is in the last term and leads nobody, so that it never will; or leads the term before, and
        /// leaves that only by hearing of the last, in which it then is a follower.
        private func follows(_ lastTerm: Term, canCrash: Bool) -> Bool {
            if durableTerm == lastTerm { return role == .follower }
            return role == .leader && term == durableTerm && term.next == lastTerm && !canCrash
        }
    }
}

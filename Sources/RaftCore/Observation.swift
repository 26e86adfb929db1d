/// What happened inside a server, with the numbers that decided it. The screen, the trace and the explanations are
/// made from these and from nothing else.
public enum Observation: Hashable, Sendable {
    /// The server adopted or started a later term.
    case termChanged(TermChange)
    /// The server's role changed.
    case roleChanged(RoleChange)
    /// A candidate got an answer from this server.
    indirect case voteCast(VoteCast)
    /// This candidate counted an answer.
    case voteCounted(VoteCounted)
    /// The election timer was set.
    case timerSet(TimerSet)
    /// Entries were added to the log.
    case appended(Appended)
    /// Entries were removed from the log.
    case truncated(Truncated)
    /// A leader's entries were refused.
    indirect case appendRefused(AppendRefused)
    /// The leader learned how far a follower is, or decided what to send it next.
    indirect case progressed(Progressed)
    /// The commit index advanced.
    case committed(Committed)
    /// A majority stores an entry of an earlier term, which isn't committed by that (paper §5.4.2).
    case heldBack(HeldBack)
    /// More of what was written is on disk.
    case persisted(Persisted)
    /// A leader asks whether it still leads, or learned that it does (thesis §6.4).
    case readRound(ReadRoundStep)
    /// Other members are in use from now on (paper §6).
    case configured(Configured)
    /// A change of the members can't be made now.
    case changeRefused(ChangeRefused)
    /// The beginning of the log was forgotten: a snapshot stands for it (paper §7).
    case compacted(Compacted)
    /// A part of a leader's snapshot has arrived (paper §7).
    case snapshotReceived(SnapshotReceived)
    /// A leader's snapshot took the place of the log (paper §7).
    case snapshotInstalled(SnapshotInstalled)
    /// A leader hands over, or has given that up (thesis §3.10).
    case transfer(TransferStep)
    /// A leader's lease was extended, or is over (thesis §6.4.1).
    case lease(LeaseStep)
    /// A broken invariant halted the server.
    case halted(Violation)
}

/// A step of a leader that hands over (thesis §3.10).
public struct TransferStep: Hashable, Sendable, Codable {
    /// The server that is to lead.
    public var target: NodeID
    /// How far it is.
    public var stage: Stage

    /// How far a transfer is.
    public enum Stage: String, Hashable, Sendable, Codable {
        /// The leader takes no more commands, and brings the target's log up to its own.
        case began
        /// The target has the whole log and is told to campaign.
        case told
        /// The target has not taken over in time; the leader serves again.
        case givenUp = "given-up"
    }
}

/// A leader's lease was extended, or is over (thesis §6.4.1). Small extensions aren't told.
public struct LeaseStep: Hashable, Sendable, Codable {
    /// Until when it lasts, at least; `nil` where there is none any more.
    public var until: Instant?
    /// How long a lease lasts from the beginning of the round that was confirmed.
    public var length: Interval
}

/// The server adopted or started a later term.
public struct TermChange: Hashable, Sendable, Codable {
    /// The term before.
    public var from: Term
    /// The term now.
    public var to: Term
    /// The server that it was heard from; `nil` for a candidate's own step.
    public var peer: NodeID?
}

/// The name of a role.
public enum RoleName: String, Hashable, Sendable, Codable, CaseIterable {
    /// Answers leaders and candidates.
    case follower
    /// Asks whether it could win an election.
    case precandidate
    /// Asks for votes.
    case candidate
    /// Handles clients and replicates its log.
    case leader
}

/// The server's role changed.
public struct RoleChange: Hashable, Sendable, Codable {
    /// The role now.
    public var role: RoleName
    /// Why.
    public var reason: Reason
    /// The server that gave the reason, where there is one.
    public var peer: NodeID?
    /// The votes that were counted, where votes were the reason.
    public var votes: Int?
    /// The votes that make a majority.
    public var needed: Int?

    /// Why a role changed.
    public enum Reason: String, Hashable, Sendable, Codable {
        /// No leader was heard for an election timeout.
        case electionTimeout = "election-timeout"
        /// It was told to campaign.
        case told
        /// A majority would vote for it.
        case preVoteWon = "pre-vote-won"
        /// A majority voted for it.
        case electionWon = "election-won"
        /// A majority can't be had any more.
        case electionLost = "election-lost"
        /// A later term was heard of.
        case laterTerm = "later-term"
        /// A leader of this term was heard.
        case leaderHeard = "leader-heard"
        /// It gave its vote to another candidate.
        case votedForAnother = "voted-for-another"
        /// No majority was heard for an election timeout.
        case majorityLost = "majority-lost"
        /// It led the cluster until it was no member any more.
        case removed
    }
}

/// A candidate got an answer from this server.
public struct VoteCast: Hashable, Sendable, Codable {
    /// The candidate.
    public var candidate: NodeID
    /// The term that the vote is for.
    public var forTerm: Term
    /// Whether a vote was meant or only asked about.
    public var isPreVote: Bool
    /// Whether it was given.
    public var isGranted: Bool
    /// Why it was refused.
    public var reason: Refusal?
    /// The candidate that has the vote of this term.
    public var votedFor: NodeID?
    /// The leader that still lives.
    public var leader: NodeID?
    /// The position of the voter's last entry.
    public var own: LogPosition
    /// The position of the candidate's last entry.
    public var last: LogPosition

    /// Why a vote was refused.
    public enum Refusal: String, Hashable, Sendable, Codable {
        /// The vote of this term is another's.
        case alreadyVoted = "already-voted"
        /// The voter's log is newer.
        case newerLog = "newer-log"
        /// A leader was heard within the shortest election timeout.
        case leaderAlive = "leader-alive"
        /// The candidate's term is past.
        case earlierTerm = "earlier-term"
        /// The voter isn't a member, or has forgotten what it promised.
        case notAVoter = "not-a-voter"
        /// The candidate isn't the server that was made a member: its disk was wiped.
        case notAMember = "not-a-member"
        /// The voter has just started, and may have forgotten that it heard a leader (thesis §6.4.1).
        case justStarted = "just-started"
    }
}

/// This candidate counted an answer.
public struct VoteCounted: Hashable, Sendable, Codable {
    /// The voter.
    public var voter: NodeID
    /// Whether a vote was meant or only asked about.
    public var isPreVote: Bool
    /// Whether it was given.
    public var isGranted: Bool
    /// The votes so far.
    public var votes: Int
    /// The votes that make a majority.
    public var needed: Int
}

/// The election timer was set.
public struct TimerSet: Hashable, Sendable, Codable {
    /// When it will run out.
    public var deadline: Instant
    /// The time that was drawn.
    public var timeout: Interval
}

/// Entries were added to the log.
public struct Appended: Hashable, Sendable {
    /// The index of the first of them.
    public var first: LogIndex
    /// The entries.
    public var entries: [Entry]

    /// Entries that were added from `first` on.
    public init(first: LogIndex, entries: [Entry]) {
        self.first = first
        self.entries = entries
    }
}

/// Entries were removed from the log.
public struct Truncated: Hashable, Sendable, Codable {
    /// The index of the first of them.
    public var first: LogIndex
    /// The index of the last of them.
    public var last: LogIndex
    /// The term of the first of them.
    public var had: Term
    /// The term of the leader's entry at that place; `nil` where there was no conflict.
    public var wanted: Term?
}

/// A leader's entries were refused.
public struct AppendRefused: Hashable, Sendable, Codable {
    /// The server that sent them.
    public var leader: NodeID
    /// The position of the entry that they follow.
    public var previous: LogPosition
    /// The term of the entry at that index in this server's log; `nil` where there is none.
    public var own: Term?
    /// What the leader was told to try.
    public var hint: LogPosition
    /// Whether the leader's term is past.
    public var isEarlierTerm: Bool
}

/// The leader learned how far a follower is, or decided what to send it next.
public struct Progressed: Hashable, Sendable, Codable {
    /// The follower.
    public var peer: NodeID
    /// The next entry to send to it.
    public var next: LogIndex
    /// The highest entry known to be on its disk.
    public var match: LogIndex
    /// Whether the leader still looks for the place where the logs agree.
    public var isProbing: Bool
    /// Whether it counts towards a majority.
    public var isCounted: Bool
    /// How far a snapshot has got that it is sent; `nil` where it needs none.
    public var installing: SnapshotTransfer?

    /// How far a follower is.
    public init(
        peer: NodeID, next: LogIndex, match: LogIndex, isProbing: Bool, isCounted: Bool,
        installing: SnapshotTransfer? = nil
    ) {
        self.installing = installing
        self.peer = peer
        self.next = next
        self.match = match
        self.isProbing = isProbing
        self.isCounted = isCounted
    }
}

/// The commit index advanced.
public struct Committed: Hashable, Sendable, Codable {
    /// The commit index before.
    public var from: LogIndex
    /// The commit index now.
    public var to: LogIndex
    /// How many voters store the entry, where this server counted them.
    public var stored: Int?
    /// How many voters there are.
    public var voters: Int
}

/// A majority stores an entry of an earlier term, which isn't committed by that (paper §5.4.2).
public struct HeldBack: Hashable, Sendable, Codable {
    /// The entry's index.
    public var index: LogIndex
    /// The entry's term.
    public var entryTerm: Term
    /// How many voters store it.
    public var stored: Int
    /// How many voters there are.
    public var voters: Int
}

/// More of what was written is on disk.
public struct Persisted: Hashable, Sendable, Codable {
    /// The latest write that is there.
    public var write: WriteNumber
    /// How far the log is on disk.
    public var index: LogIndex
}

/// A leader asks whether it still leads, or learned that it does (thesis §6.4).
public struct ReadRoundStep: Hashable, Sendable, Codable {
    /// The number of the round.
    public var round: ReadRound
    /// Whether a majority has confirmed it.
    public var isConfirmed: Bool
    /// How many reads wait for it, or were released by it.
    public var reads: Int
    /// The server that has just confirmed it; `nil` where it begins, or is confirmed because the voters have changed.
    public var peer: NodeID?
    /// The voters that have confirmed it, the leader among them.
    public var confirmedBy: [NodeID]
    /// How many voters there are.
    public var voters: Int
}

/// A broken invariant, with the numbers. A server that finds one halts: with every rule kept it can't happen, and with
/// one switched off it is what the rule prevents.
public enum Violation: Hashable, Sendable, Error, CustomStringConvertible {
    /// Two servers lead in one term (paper §5.2, Election Safety).
    case twoLeaders(term: Term, one: NodeID, other: NodeID)
    /// A leader wants to replace an entry that this server knows to be committed (paper §5.4, Leader Completeness).
    case committedEntryReplaced(index: LogIndex, own: Term, other: Term, commit: LogIndex)
    /// A leader's commit index is beyond what this server's log can hold (paper Figure 2).
    case commitBeyondLog(commit: LogIndex, last: LogIndex)
    /// Something that ``Raft/checkInvariants()`` holds to be always true is not.
    case invariant(String)

    /// The violation in one sentence.
    public var description: String {
        switch self {
        case .twoLeaders(let term, let one, let other):
            "\(one) and \(other) both lead in term \(term) (Election Safety, §5.2)"
        case .committedEntryReplaced(let index, let own, let other, let commit):
            """
            entry \(index) of term \(own) is committed (commit index \(commit)), but the leader has one of term \
            \(other) in its place (Leader Completeness, §5.4)
            """
        case .commitBeyondLog(let commit, let last):
            "the commit index would be \(commit), but the log ends at \(last) (Figure 2)"
        case .invariant(let sentence): sentence
        }
    }
}

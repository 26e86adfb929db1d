import RaftAudit
import RaftCore

/// What happened in a small world that its servers may have forgotten: the history variables of the proof (thesis,
/// appendix B.2), and what the bounds have been used up for.
///
/// They are part of a state: two histories that end in the same present, but have others of these, stay apart.
struct Past: Hashable, Sendable {
    /// How many commands clients have given.
    var commands = 0
    /// How many crashes there were.
    var crashes = 0
    /// How many snapshots were taken.
    var snapshots = 0
    /// How many times the members changed.
    var changes = 0
    /// The leader of each term, and its log when it was elected.
    private var reigns: [Term: Reign] = [:]
    /// The votes that were told to others.
    private var votes: [Ballot: NodeID] = [:]
    /// The entries that were committed on any server, from index 1, and the terms of the servers that did it first.
    private var committed: [Committed] = []

    private struct Reign: Hashable, Sendable {
        var leader: NodeID
        var log: Log
    }

    private struct Ballot: Hashable, Sendable {
        var voter: NodeID
        var term: Term
    }

    private struct Committed: Hashable, Sendable {
        var entry: Entry
        var term: Term
    }

    /// What a step of a server adds to the past.
    struct Addition: Sendable {
        var node: NodeID
        /// The server's term after the step.
        var term: Term
        var isCommand = false
        var isCrash = false
        var isSnapshot = false
        var isChange = false
        /// The last entry that a leader's snapshot stands for, if one was installed.
        var installed: LogPosition?
        /// The log with which the server was elected, if it was.
        var electedWith: Log?
        /// The votes that it told, each with its term.
        var votes: [(term: Term, candidate: NodeID)] = []
        /// The entries that it knows to be committed from now on, and the index of the first of them.
        var commits: (first: LogIndex, entries: [Entry])?

        /// Whether nothing is added.
        var isEmpty: Bool {
            !isCommand && !isCrash && !isSnapshot && !isChange && electedWith == nil && votes.isEmpty && commits == nil
                && installed == nil
        }
    }

    /// Adds to the past. Answers the property that is broken by it, if one is.
    mutating func add(_ addition: Addition) -> Broken? {
        if addition.isCommand { commands += 1 }
        if addition.isCrash { crashes += 1 }
        if addition.isSnapshot { snapshots += 1 }
        if addition.isChange { changes += 1 }
        if let last = addition.installed, let broken = add(addition.node, installed: last) { return broken }
        for vote in addition.votes {
            if let broken = add(voteOf: addition.node, for: vote.candidate, in: vote.term) { return broken }
        }
        if let log = addition.electedWith, let broken = add(addition.node, in: addition.term, log) { return broken }
        guard let commits = addition.commits else { return nil }
        for (place, entry) in commits.entries.enumerated() {
            let index = commits.first.advanced(by: place)
            if let broken = add(entry, at: index, committedBy: addition.node, in: addition.term) { return broken }
        }
        return nil
    }

    /// A server votes for at most one candidate in a term (paper §5.2).
    private mutating func add(voteOf node: NodeID, for candidate: NodeID, in term: Term) -> Broken? {
        let other = votes.updateValue(candidate, forKey: Ballot(voter: node, term: term))
        guard let other, other != candidate else { return nil }
        return Broken(.promise, "\(node) votes for \(other) and for \(candidate) in term \(term)")
    }

    /// At most one server leads in a term (paper §5.2), and it has every entry that was committed before (§5.4).
    private mutating func add(_ node: NodeID, in term: Term, _ log: Log) -> Broken? {
        if let other = reigns.updateValue(Reign(leader: node, log: log), forKey: term) {
            let who = other.leader == node ? "\(node) leads twice" : "\(other.leader) and \(node) both lead"
            return Broken(.electionSafety, "\(who) in term \(term)")
        }
        for (place, known) in committed.enumerated() where known.term < term {
            let index = LogIndex(UInt64(place) + 1)
            if index >= log.base.index, log.term(at: index) != known.entry.term {
                return Past.incomplete(node, term, index, known)
            }
        }
        return nil
    }

    /// A snapshot stands for what was committed (paper §7).
    private func add(_ node: NodeID, installed last: LogPosition) -> Broken? {
        let place = Int(last.index.rawValue) - 1
        guard place < committed.count, committed[place].entry.term == last.term else {
            return Broken(
                .stateMachineSafety,
                "\(node) has a snapshot up to \(last), which is not what was committed")
        }
        return nil
    }

    /// No other entry is ever committed at this index (paper §5.4.3), and later leaders have it (§5.4).
    private mutating func add(_ entry: Entry, at index: LogIndex, committedBy node: NodeID, in term: Term) -> Broken? {
        let place = Int(index.rawValue) - 1
        if place < committed.count {
            let known = committed[place].entry
            guard known != entry else { return nil }
            let what = known.term == entry.term ? "another" : "one of term \(known.term)"
            return Broken(
                .stateMachineSafety,
                "\(node) commits an entry \(index) of term \(entry.term), where \(what) was committed")
        }
        let new = Committed(entry: entry, term: term)
        committed.append(new)
        for (later, reign) in reigns.sorted(by: { $0.key < $1.key }) where later > term {
            if index >= reign.log.base.index, reign.log.term(at: index) != entry.term {
                return Past.incomplete(reign.leader, later, index, new)
            }
        }
        return nil
    }

    private static func incomplete(_ leader: NodeID, _ term: Term, _ index: LogIndex, _ known: Committed) -> Broken {
        Broken(
            .leaderCompleteness,
            "\(leader) leads in term \(term) without entry \(index) of term \(known.entry.term), which was committed in term \(known.term)"
        )
    }
}

extension Past: Part {
    func identity(under renaming: Renaming) -> Past {
        var past = self
        past.reigns = reigns.mapValues { Reign(leader: renaming.name(of: $0.leader), log: $0.log) }
        past.votes = [:]
        for (ballot, candidate) in votes {
            let renamed = Ballot(voter: renaming.name(of: ballot.voter), term: ballot.term)
            past.votes[renamed] = renaming.name(of: candidate)
        }
        return past
    }
}

/// A property that doesn't hold, and what shows it.
struct Broken: Hashable, Sendable {
    var property: Property
    var sentence: String

    init(_ property: Property, _ sentence: String) {
        self.property = property
        self.sentence = sentence
    }
}

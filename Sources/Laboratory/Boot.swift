import KeyValue
import RaftCore

/// What a server's disk holds before it starts for the first time.
public struct Boot: Hashable, Sendable {
    /// The server.
    public var node: NodeID
    /// The term that it has seen.
    public var term: Term
    /// The candidate that has its vote of the term.
    public var vote: NodeID?
    /// Its log, from index 1.
    public var log: [Entry]

    /// An entry: empty, or one that sets a key for nobody.
    public struct Entry: Hashable, Sendable {
        /// The entry's term.
        public var term: Term
        /// The key that it sets, and to what; `nil` for an empty entry.
        public var assignment: Assignment?

        /// An entry of `term`.
        public init(term: Term, assignment: Assignment? = nil) {
            self.term = term
            self.assignment = assignment
        }
    }

    /// A key and what it is set to.
    public struct Assignment: Hashable, Sendable {
        /// The key.
        public var key: Bytes
        /// The value.
        public var value: Bytes

        /// `key` is set to `value`.
        public init(key: Bytes, value: Bytes) {
            self.key = key
            self.value = value
        }
    }

    /// A disk that holds this.
    public init(node: NodeID, term: Term, vote: NodeID? = nil, log: [Entry] = []) {
        self.node = node
        self.term = term
        self.vote = vote
        self.log = log
    }

    /// The write that brings it to a disk.
    public var write: Write {
        let entries = log.map { entry in
            RaftCore.Entry(
                term: entry.term,
                payload: entry.assignment.map {
                    .command(SessionCommand(.set(key: $0.key, value: $0.value)).encoded())
                } ?? .noop)
        }
        return Write(number: 1, hardState: HardState(term: term, vote: vote), first: LogIndex(1), entries: entries)
    }

    /// The first index at which this log and another one break Log Matching: an entry of the same term, but not the same
    /// entry, or not after the same ones (paper §5.3). `nil` where they don't.
    public func conflict(with other: Boot) -> LogIndex? {
        var isSame = true
        for (place, (one, another)) in zip(log, other.log).enumerated() {
            if one.term == another.term, !isSame || one != another { return LogIndex(UInt64(place) + 1) }
            if one != another { isSame = false }
        }
        return nil
    }
}

extension Boot: CustomStringConvertible {
    /// `boot 1 term=3 vote=2 log=1,1:x=5,2`.
    public var description: String {
        let entries = log.map { entry in
            entry.term.description
                + (entry.assignment.map { ":\(ByteText.text(of: $0.key))=\(ByteText.text(of: $0.value))" } ?? "")
        }
        return "boot \(node.rawValue) term=\(term)" + (vote.map { " vote=\($0.rawValue)" } ?? "")
            + (log.isEmpty ? "" : " log=" + entries.joined(separator: ","))
    }
}

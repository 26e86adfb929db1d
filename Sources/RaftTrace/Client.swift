import KeyValue
import RaftCore

/// What a client asks for.
public enum Request: Hashable, Sendable {
    /// A write, which goes through the log.
    case write(Operation)
    /// The value of a key.
    case get(key: Bytes, ReadMode)
    /// The keys that start with a prefix.
    case keys(prefix: Bytes, ReadMode)

    /// Whether it changes nothing.
    public var isRead: Bool { readMode != nil }

    /// What the read is worth; `nil` for a write.
    public var readMode: ReadMode? {
        switch self {
        case .write: nil
        case .get(_, let mode), .keys(_, let mode): mode
        }
    }
}

/// What a read is worth (thesis §6.4).
public enum ReadMode: String, Hashable, Sendable, Codable, CaseIterable {
    /// Linearizable: the leader notes its commit index and asks a majority whether it still leads; the server that was
    /// asked answers once it has applied that index.
    case readindex
    /// Linearizable as long as clocks go right: a leader that a majority has confirmed lately answers at once (thesis
    /// §6.4.1). Elsewhere, and where leases are off, as ``readindex``.
    case lease
    /// What the server that believes it leads has applied, at once. One that was deposed and doesn't know answers what was
    /// true once.
    case leader
    /// What any server has applied, at once.
    case local

    /// Whether the answer takes every write into account that was acknowledged before the read began.
    public var isLinearizable: Bool { self == .readindex || self == .lease }
}

/// What a client is told.
public enum ClientResult: Hashable, Sendable {
    /// The write is done: a promise.
    case ok
    /// The value that was read, or that an increment made.
    case value(Bytes)
    /// The keys that were asked for, in ascending order.
    case keys([Bytes])
    /// The key isn't there.
    case notFound
    /// Nothing was changed, for this is the value.
    case mismatch(Bytes)
    /// The server that was asked doesn't lead, and appended nothing; `leader` does, as far as it knows.
    case notLeader(NodeID?)
    /// Nobody can say whether the write was or will be done.
    case unknown
    /// It can't be done, and nothing was appended.
    case error(String)
    /// It won't be done by any server, and wasn't.
    case refused(Refused)

    /// Why no server does what is asked.
    public enum Refused: String, Hashable, Sendable, CaseIterable {
        /// The store has as many bytes as it may have (``Store/bytesMax``).
        case full
        /// More keys were asked for than are listed at once (``Store/listedMax``).
        case tooMany = "too-many"
        /// The name under which the write is to be done once stands for another write.
        case nameUsed = "name-used"
    }

    /// The result that an outcome is told as.
    public init(_ outcome: Outcome) {
        switch outcome {
        case .done: self = .ok
        case .value(let value): self = .value(value)
        case .notFound: self = .notFound
        case .mismatch(let value): self = .mismatch(value)
        case .keys(let keys): self = .keys(keys)
        case .sessionExpired: self = .unknown
        case .nameUsed: self = .refused(.nameUsed)
        }
    }

    /// The result's name, as a script and a trace have it.
    public var name: String {
        switch self {
        case .ok, .value, .keys: "ok"
        case .notFound: "not-found"
        case .mismatch: "mismatch"
        case .notLeader: "not-leader"
        case .unknown: "unknown"
        case .error: "error"
        case .refused: "refused"
        }
    }

    /// Whether it is what the store said, so that the call had its effect.
    public var isAnswer: Bool {
        switch self {
        case .ok, .value, .keys, .notFound, .mismatch: true
        case .notLeader, .unknown, .error, .refused: false
        }
    }

    /// Whether it promises that what was asked is done.
    public var isOK: Bool { name == "ok" }
}

extension ClientResult: CustomStringConvertible {
    /// The result as the language has it: `ok 5`, `not-leader 3`, `error n2 is down`.
    public var description: String { told.isEmpty ? name : name + " " + (isSentence ? sentence : Word.quoted(told)) }

    private var isSentence: Bool {
        switch self {
        case .error, .keys: true
        default: false
        }
    }

    private var sentence: String {
        switch self {
        case .error(let sentence): sentence
        case .keys(let keys): keys.map(Word.quoted).joined(separator: " ")
        default: ""
        }
    }

    /// What comes with the result's name, as bytes.
    public var told: Bytes {
        switch self {
        case .ok, .notFound, .unknown, .notLeader(nil): []
        case .value(let value), .mismatch(let value): value
        case .keys, .error: Bytes(sentence.utf8)
        case .notLeader(let leader?): Bytes(String(leader.rawValue).utf8)
        case .refused(let reason): Bytes(reason.rawValue.utf8)
        }
    }
}

/// A client asks.
public struct ClientCall: Hashable, Sendable {
    /// The client's name.
    public var client: String
    /// The number of the call, which the return repeats.
    public var call: UInt64
    /// What it asks for.
    public var request: Request
    /// The server it asks and no other; `nil` where it follows the leader.
    public var via: NodeID?
    /// Whether it sends its last write again, under the same number.
    public var isRetry: Bool

    /// A call.
    public init(client: String, call: UInt64, request: Request, via: NodeID? = nil, isRetry: Bool = false) {
        self.client = client
        self.call = call
        self.request = request
        self.via = via
        self.isRetry = isRetry
    }
}

/// A client is answered.
public struct ClientReturn: Hashable, Sendable {
    /// The client's name.
    public var client: String
    /// The number of its call.
    public var call: UInt64
    /// What it is told.
    public var result: ClientResult

    /// A return.
    public init(client: String, call: UInt64, result: ClientResult) {
        self.client = client
        self.call = call
        self.result = result
    }
}

import KeyValue
import RaftCore

// How operations, results and keys are written in a trace: as strings throughout, so that any program can read them.

/// An operation or a read as it is written in a trace.
struct RequestForm: Codable {
    var op: String
    var key: String?
    var value: String?
    var old: String?
    var read: ReadMode?

    init(_ request: Request) {
        switch request {
        case .write(let operation): self.init(operation)
        case .get(let key, let mode):
            self.init(op: "get", key: ByteText.text(of: key), read: mode)
        case .keys(let prefix, let mode):
            self.init(op: "keys", key: ByteText.text(of: prefix), read: mode)
        }
    }

    init(_ operation: Operation) {
        let key = ByteText.text(of: operation.key)
        switch operation {
        case .set(_, let value): self.init(op: "set", key: key, value: ByteText.text(of: value))
        case .delete: self.init(op: "del", key: key)
        case .increment(_, let amount): self.init(op: "incr", key: key, value: String(amount))
        case .compareAndSet(_, let old, let new):
            self.init(op: "cas", key: key, value: ByteText.text(of: new), old: ByteText.text(of: old))
        }
    }

    init(op: String, key: String?, value: String? = nil, old: String? = nil, read: ReadMode? = nil) {
        self.op = op
        self.key = key
        self.value = value
        self.old = old
        self.read = read
    }

    func request() throws -> Request {
        if op == "get" { return .get(key: try bytes(key, "key"), read ?? .readindex) }
        if op == "keys" { return .keys(prefix: try bytes(key, "key"), read ?? .readindex) }
        return .write(try operation())
    }

    func operation() throws -> Operation {
        let key = try bytes(key, "key")
        switch op {
        case "set": return .set(key: key, value: try bytes(value, "value"))
        case "del": return .delete(key: key)
        case "incr":
            guard let amount = value.flatMap({ Int64($0) }) else { throw TraceError("incr without a number") }
            return .increment(key: key, by: amount)
        case "cas": return .compareAndSet(key: key, old: try bytes(old, "old"), new: try bytes(value, "value"))
        default: throw TraceError("unknown operation '\(op)'")
        }
    }
}

/// A result as it is written in a trace.
struct ResultForm: Codable {
    var result: String
    var value: String?
    var values: [String]?
    var leader: NodeID?

    init(_ result: ClientResult) {
        self.result = result.name
        switch result {
        case .ok, .notFound, .unknown: break
        case .value(let value), .mismatch(let value): self.value = ByteText.text(of: value)
        case .keys(let keys): values = keys.map(ByteText.text(of:))
        case .notLeader(let node): leader = node
        case .error(let sentence): value = sentence
        case .refused(let reason): value = reason.rawValue
        }
    }

    init(result: String, value: String?, values: [String]?, leader: NodeID?) {
        self.result = result
        self.value = value
        self.values = values
        self.leader = leader
    }

    func decoded() throws -> ClientResult {
        switch result {
        case "ok":
            if let values { return .keys(try values.map { try bytes($0, "values") }) }
            return value == nil ? .ok : .value(try bytes(value, "value"))
        case "not-found": return .notFound
        case "mismatch": return .mismatch(try bytes(value, "value"))
        case "not-leader": return .notLeader(leader)
        case "unknown": return .unknown
        case "error": return .error(value ?? "")
        case "refused":
            guard let reason = ClientResult.Refused(rawValue: value ?? "") else {
                throw TraceError("refused for no known reason")
            }
            return .refused(reason)
        default: throw TraceError("unknown result '\(result)'")
        }
    }
}

/// Why a line of a trace can't be read.
public struct TraceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, as the end of a sentence.
    public let description: String

    /// Something is wrong.
    public init(_ description: String) { self.description = description }
}

func bytes(_ text: String?, _ field: String) throws -> Bytes {
    guard let text else { throw TraceError("'\(field)' is missing") }
    guard let bytes = ByteText.bytes(of: text) else { throw TraceError("'\(field)' has a stray backslash") }
    return bytes
}

import HTTPTypes
import HummingbirdCore
import KeyValue
import NIOCore
import RaftNode
import RaftTrace

// What the store is asked: once with keys in queries and in JSON, as one types them, and once as `/kv/{key}`, where
// keys and values may be any bytes.

extension Face {
    /// `POST /set`: gives a key a value, both text in JSON. What the body claims to be is not looked at: curl calls
    /// everything a form.
    func set(_ request: WebRequest) async throws -> Response {
        let fields = try JSONFields(try await body(of: request), example: #"{"key": "x", "value": "1"}"#)
        let key = try Target.key(try fields.string("key"))
        return try await write(.set(key: key, value: try fields.string("value")), request)
    }

    /// `GET /get?key=`: a key's value, and a newline behind it.
    func get(_ target: Target) async throws -> Response {
        var value = ByteBuffer(bytes: try await value(of: try target.keyParameter(), target))
        value.writeInteger(UInt8(ascii: "\n"))
        return Response(bytes: value)
    }

    /// `DELETE /del?key=`, and `GET` for those who have only that.
    func delete(_ key: Bytes, _ request: WebRequest) async throws -> Response {
        try await write(.delete(key: key), request)
    }

    /// `/kv/{key}`: a key's value is just the body.
    func key(_ request: WebRequest, _ target: Target) async throws -> Response {
        let key = try target.key()
        switch request.method {
        case .put: return try await write(.set(key: key, value: try await body(of: request)), request)
        case .delete: return try await delete(key, request)
        default: return Response(bytes: ByteBuffer(bytes: try await value(of: key, target)))
        }
    }

    /// `POST /kv/{key}/incr?by=1`: adds to a key's number.
    func increment(_ request: WebRequest, _ target: Target) async throws -> Response {
        let by = try target.text("by") ?? "1"
        guard let amount = Int64(by) else {
            throw Refusal(
                .badRequest, "'by' must be a whole number, and is \(Bytes(by.utf8).quoted): ask for incr?by=1")
        }
        return try await write(.increment(key: try target.key(), by: amount), request)
    }

    /// `POST /kv/{key}/cas`: gives a key another value, if it has this one.
    func compareAndSet(_ request: WebRequest, _ target: Target) async throws -> Response {
        let fields = try JSONFields(try await body(of: request), example: #"{"old": "1", "new": "2"}"#)
        let (old, new) = (try fields.string("old"), try fields.string("new"))
        return try await write(.compareAndSet(key: try target.key(), old: old, new: new), request)
    }

    /// `GET /kv?prefix=`: the keys that there are.
    func keys(_ target: Target) async throws -> Response {
        let prefix = try target.parameter("prefix") ?? []
        switch await node.call(.keys(prefix: prefix, try readMode(target)), once: nil) {
        case .keys(let keys):
            var text = JSONText()
            text.object { $0.field("keys", bytes: keys) }
            return Response(json: text)
        case let result: throw Refusal(of: result, .read(key: prefix))
        }
    }

    private func value(of key: Bytes, _ target: Target) async throws -> Bytes {
        switch await node.call(.get(key: key, try readMode(target)), once: nil) {
        case .value(let value): return value
        case let result: throw Refusal(of: result, .read(key: key))
        }
    }

    private func write(_ operation: Operation, _ request: WebRequest) async throws -> Response {
        guard operation.bytes <= Operation.bytesMax else {
            throw Refusal.tooLarge("key and value have more than \(Operation.bytesMax) bytes together: send less")
        }
        let once = try idempotencyKey(request)
        switch await node.call(.write(operation), once: once) {
        case .ok: return .done
        case .value(let value):
            var text = JSONText()
            text.object { text in
                text.field("ok", true)
                text.field("value", Int64(String(decoding: value, as: UTF8.self)))
            }
            return Response(json: text)
        case let result: throw Refusal(of: result, .write(operation, isOnce: once != nil))
        }
    }

    private func readMode(_ target: Target) throws(Refusal) -> ReadMode {
        guard let name = try target.text("read") else { return .readindex }
        guard let mode = ReadMode(rawValue: name) else {
            let modes = ReadMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(.badRequest, "'read' is one of \(modes), and not \(Bytes(name.utf8).quoted)")
        }
        return mode
    }

    private func idempotencyKey(_ request: WebRequest) throws(Refusal) -> String? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...limits.idempotencyKey).contains(key.utf8.count) else {
            throw Refusal(
                .badRequest, "the Idempotency-Key has \(key.utf8.count) bytes: give it 1 to \(limits.idempotencyKey)")
        }
        guard key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw Refusal(
                .badRequest,
                "the Idempotency-Key has letters that two servers may not read alike: give it ASCII without spaces")
        }
        return key
    }
}

extension Refusal {
    /// What was asked for.
    enum Asked {
        case read(key: Bytes)
        case write(Operation, isOnce: Bool)

        var key: Bytes {
            switch self {
            case .read(let key): key
            case .write(let operation, _): operation.key
            }
        }
    }

    /// Why there is nothing better to say than `result`.
    init(of result: ClientResult, _ asked: Asked) {
        switch (result, asked) {
        case (.notFound, _): self.init(.notFound, "there is no key \(asked.key.quoted)")
        case (.mismatch(let value), .write(.increment(_, let amount), _)):
            let reason =
                "the value of \(asked.key.quoted) is no number that \(amount) can be added to: nothing was changed"
            self.init(.conflict, reason, value: value)
        case (.mismatch(let value), _):
            self.init(.conflict, "the value of \(asked.key.quoted) is another one: nothing was changed", value: value)
        case (.unknown, .read): self.init(.gatewayTimeout, "there was no answer in time: ask again")
        case (.unknown, .write(_, let isOnce)):
            let advice =
                isOnce
                ? "send it again with the same Idempotency-Key"
                : "look before you send it again, or give it an Idempotency-Key the next time"
            self.init(.gatewayTimeout, "it may or may not have been done: \(advice)")
        case (.error(let sentence), _): self = .unavailable(sentence)
        case (.refused(.nameUsed), _):
            let reason = "this Idempotency-Key stands for another write, and nothing was done: give each write its own"
            self.init(.unprocessableContent, reason)
        case (.refused(.tooMany), _):
            let (keys, bytes) = Store.listedMax
            self.init(
                .badRequest,
                "more than \(keys) keys, or \(bytes) bytes of them, begin with \(asked.key.quoted): ask for a longer prefix"
            )
        case (.refused(.full), _):
            let reason = "the store is full, with \(Store.bytesMax) bytes, and nothing was done: delete keys first"
            self.init(HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"), reason)
        case (.notLeader, _), (.ok, _), (.value, _), (.keys, _):
            self = .unavailable("nobody leads now, and nothing was done: send it again")
        }
    }
}

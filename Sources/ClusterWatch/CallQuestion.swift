import FoundationEssentials
import KeyValue
import NIOHTTP1
import RaftTrace

// A client's request as HTTP has it, and the answer as a client has it.

extension HTTPClient.Question {
    /// What asks a node for this.
    ///
    /// - Parameter name: The name under which a write is done once, however often it is sent.
    /// - Throws: ``Refusal`` where HTTP has no words for it.
    init(_ request: Request, once name: String) throws(Untellable) {
        switch request {
        case .get(let key, let mode): self.init(target: "/kv/\(PercentText.text(of: key))?read=\(mode.rawValue)")
        case .keys(let prefix, let mode):
            self.init(target: "/kv?prefix=\(PercentText.text(of: prefix))&read=\(mode.rawValue)")
        case .write(let operation):
            try self.init(operation)
            headers["Idempotency-Key"] = name
        }
    }

    private init(_ operation: Operation) throws(Untellable) {
        let path = "/kv/\(PercentText.text(of: operation.key))"
        switch operation {
        case .set(_, let value): self.init(method: .PUT, target: path, body: value)
        case .delete: self.init(method: .DELETE, target: path)
        case .increment(_, let amount): self.init(method: .POST, target: "\(path)/incr?by=\(amount)")
        case .compareAndSet(_, let old, let new):
            guard let old = String(validating: old, as: UTF8.self), let new = String(validating: new, as: UTF8.self),
                let body = try? JSONEncoder().encode(["old": old, "new": new])
            else { throw Untellable() }
            self.init(method: .POST, target: path + "/cas", body: Array(body))
        }
    }
}

/// Nobody can be asked for this over HTTP: JSON has no words for bytes that are no text.
struct Untellable: Error, Hashable, Sendable {}

/// Bytes as they stand in a path or behind a question mark.
enum PercentText {
    /// The text that stands for `bytes`.
    static func text(of bytes: Bytes) -> String {
        var text = ""
        for byte in bytes {
            if isPlain(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + ByteText.hexadecimal(byte)
            }
        }
        return text
    }

    /// The bytes that `text` stands for; `nil` where a % isn't followed by two digits.
    static func bytes(of text: String) -> Bytes? {
        var bytes = Bytes()
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let number = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(number)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

extension ClientResult {
    /// What an answer to `request` means for whoever asked.
    init(_ answer: HTTPClient.Answer, to request: Request) {
        let told = (try? JSONDecoder().decode(AnswerFields.self, from: Data(answer.body))) ?? AnswerFields()
        switch (answer.status, request) {
        case (200, .get): self = .value(answer.body)
        case (200, .keys): self = .keys((told.keys ?? []).sorted { $0.lexicographicallyPrecedes($1) })
        case (200, .write): self = told.value.map { .value($0) } ?? .ok
        case (404, _): self = .notFound
        case (422, .write): self = .refused(.nameUsed)
        case (507, .write): self = .refused(.full)
        case (409, _): self = .mismatch(told.value ?? [])
        // A server that fails in the middle of a write has perhaps done it.
        case (504, _), (500, .write): self = .unknown
        default: self = .error(told.error ?? "the node answers with HTTP \(answer.status)")
        }
    }
}

/// What answers tell in JSON.
private struct AnswerFields: Decodable {
    var error: String?
    /// The value there is, whether as a number, as text, or encoded as in a path.
    var value: Bytes?
    var keys: [Bytes]?

    init() {}

    private enum Key: String, CodingKey {
        case error
        case value
        case encoded
        case keys
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        error = try? container.decodeIfPresent(String.self, forKey: .error)
        if let number = try? container.decode(Int64.self, forKey: .value) { value = Bytes(String(number).utf8) }
        if let text = try? container.decode(String.self, forKey: .value) { value = Bytes(text.utf8) }
        if let text = try? container.decode(String.self, forKey: .encoded) { value = PercentText.bytes(of: text) }
        guard let plain = try? container.decode([String].self, forKey: .keys) else { return }
        let encoded = (try? container.decode([String].self, forKey: .encoded)) ?? []
        keys = plain.map { Bytes($0.utf8) } + encoded.compactMap { PercentText.bytes(of: $0) }
    }
}

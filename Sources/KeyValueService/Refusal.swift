import HTTPTypes
import HummingbirdCore
import KeyValue
import NIOCore

/// Why a request isn't done: a status, and one sentence that says what is wrong, where, and what to do.
struct Refusal: Error, Sendable {
    var status: HTTPResponse.Status
    var reason: String
    /// The value that there is instead.
    var value: Bytes?
    var headers: HTTPFields
    /// The kind of misbehaviour that it is, where it is one.
    var complaint: Complaint?

    init(
        _ status: HTTPResponse.Status, _ reason: String, value: Bytes? = nil, headers: HTTPFields = [:],
        complaint: Complaint? = nil
    ) {
        self.status = status
        self.reason = reason
        self.value = value
        self.headers = headers
        self.complaint = complaint
    }

    /// The answer that says so.
    var response: Response {
        var text = JSONText()
        text.object { text in
            text.field("error", reason)
            if let value { text.field("value", bytes: value) }
        }
        return Response(json: text, status: status, headers: headers)
    }

    /// What is asked for is larger than anybody may ask for.
    static func tooLarge(_ reason: String) -> Refusal { Refusal(.contentTooLarge, reason, complaint: .tooLarge) }

    /// It can't be done now, and nothing was.
    static func unavailable(_ reason: String) -> Refusal {
        Refusal(.serviceUnavailable, reason, headers: [.retryAfter: "1"])
    }
}

extension Response {
    /// An answer in JSON, with a newline behind it.
    init(json: JSONText, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        var headers = headers
        headers[.contentType] = "application/json"
        self.init(status: status, headers: headers, body: ResponseBody(byteBuffer: json.line))
    }

    /// An answer that is text.
    init(text: String, type: String = "text/plain; charset=utf-8") {
        self.init(
            status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// An answer of just these bytes, whatever they are. Nobody is to guess: a browser would show a page that was
    /// written as a value.
    init(bytes: ByteBuffer) {
        self.init(
            status: .ok,
            headers: [.contentType: "application/octet-stream", .xContentTypeOptions: "nosniff"],
            body: ResponseBody(byteBuffer: bytes))
    }

    /// It is done.
    static let done: Response = {
        var text = JSONText()
        text.object { $0.field("ok", true) }
        return Response(json: text)
    }()
}

extension HTTPField.Name {
    /// A header's name that the programmer vouches for.
    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("'\(name)' is no name of a header") }
        return name
    }

    static let host = known("Host")
    static let idempotencyKey = known("Idempotency-Key")
    static let referer = known("Referer")
    static let secFetchSite = known("Sec-Fetch-Site")
}

import HTTPTypes

/// What can be asked for, by path.
enum Route: Int, CaseIterable, Sendable {
    case index
    case set
    case get
    case del
    case status
    case metrics
    case events
    case fault
    case keys
    case key
    case increment
    case compareAndSet
    case other

    /// The path as a person reads it.
    var pattern: String {
        switch self {
        case .index: "/"
        case .set: "/set"
        case .get: "/get"
        case .del: "/del"
        case .status: "/status"
        case .metrics: "/metrics"
        case .events: "/events"
        case .fault: "/fault"
        case .keys: "/kv"
        case .key: "/kv/{key}"
        case .increment: "/kv/{key}/incr"
        case .compareAndSet: "/kv/{key}/cas"
        case .other: "other"
        }
    }

    /// How it may be asked for.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .index, .get, .status, .metrics, .events, .keys: [.get, .head]
        case .set, .fault, .increment, .compareAndSet: [.post]
        case .del: [.get, .delete]
        case .key: [.get, .head, .put, .delete]
        case .other: []
        }
    }

    /// Whether asking for it so changes something.
    func changesState(_ method: HTTPRequest.Method) -> Bool {
        switch self {
        case .set, .del, .fault, .increment, .compareAndSet: true
        case .key: method == .put || method == .delete
        case .index, .get, .status, .metrics, .events, .keys, .other: false
        }
    }

    /// The route of a path without a key in it.
    fileprivate init?(path: Substring) {
        switch path {
        case "/set": self = .set
        case "/get": self = .get
        case "/del": self = .del
        case "/status": self = .status
        case "/metrics": self = .metrics
        case "/events": self = .events
        case "/fault": self = .fault
        case "/kv": self = .keys
        case "/", "": self = .index
        default: return nil
        }
    }
}

/// What a request is about, as its first line says: a route, the key in its path, and what follows the question mark.
struct Target: Sendable {
    let route: Route
    /// The key in the path, still percent-encoded.
    private let encodedKey: Substring.UTF8View
    private let query: Substring.UTF8View
    /// The whole of it, as it came.
    let text: String

    init(_ text: String) {
        self.text = text
        let path = text.utf8.prefix { $0 != UInt8(ascii: "?") }
        query = text.utf8[path.endIndex...].dropFirst()
        if let route = Route(path: Substring(path)) {
            (self.route, encodedKey) = (route, Substring().utf8)
        } else {
            (route, encodedKey) = Target.routeOfKey(path)
        }
    }

    private static func routeOfKey(_ path: Substring.UTF8View) -> (Route, Substring.UTF8View) {
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].isEmpty, parts[1].elementsEqual("kv".utf8) else {
            return (.other, Substring().utf8)
        }
        switch parts.count == 4 ? String(parts[3]) : "" {
        case "incr": return (.increment, parts[2])
        case "cas": return (.compareAndSet, parts[2])
        default: return (parts.count == 3 ? .key : .other, parts[2])
        }
    }

    /// The key in the path.
    func key() throws(Refusal) -> [UInt8] {
        try Target.key(Target.decoded(encodedKey, isQuery: false, "the key in the path"))
    }

    /// The key after the question mark.
    func keyParameter() throws(Refusal) -> [UInt8] {
        guard let key = try parameter("key") else {
            throw Refusal(.badRequest, "the key is missing: ask for \(route.pattern)?key=NAME")
        }
        return try Target.key(key)
    }

    /// A key, which has at least one byte.
    static func key(_ key: [UInt8]) throws(Refusal) -> [UInt8] {
        guard !key.isEmpty else { throw Refusal(.badRequest, "the key is empty: give it at least one byte") }
        return key
    }

    /// The value of a parameter; `nil` where it isn't given.
    func parameter(_ name: String) throws(Refusal) -> [UInt8]? {
        var found: [UInt8]?
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let given = pair.prefix { $0 != UInt8(ascii: "=") }
            guard given.elementsEqual(name.utf8) else { continue }
            guard found == nil else { throw Refusal(.badRequest, "'\(name)' is given twice: give it once") }
            found = try Target.decoded(pair[given.endIndex...].dropFirst(), isQuery: true, "'\(name)'")
        }
        return found
    }

    /// The value of a parameter that is text.
    func text(_ name: String) throws(Refusal) -> String? {
        try parameter(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes that a percent-encoded text stands for.
    private static func decoded(
        _ text: Substring.UTF8View, isQuery: Bool, _ name: @autoclosure () -> String
    ) throws(Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    throw Refusal(
                        .badRequest, "\(name()) has a % without two hexadecimal digits: write a % itself as %25")
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where isQuery: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

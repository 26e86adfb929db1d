/// Where a node's HTTP face is, as somebody types it: `http://127.0.0.1:9001`.
public struct NodeAddress: Hashable, Sendable {
    /// The host's name or address, without brackets.
    public let host: String
    /// The port.
    public let port: Int

    /// A face at this host and port.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address that `text` says.
    ///
    /// - Throws: ``AddressFailure`` where it says none, or one that isn't plain HTTP.
    public init(parsing text: String) throws(AddressFailure) {
        let scheme = "http://"
        if text.lowercased().hasPrefix("https://") {
            throw AddressFailure("'\(text)' is HTTPS, which isn't spoken here: give \(scheme) and a node's address")
        }
        guard text.lowercased().hasPrefix(scheme) else { throw NodeAddress.unreadable(text) }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let (host, port) = NodeAddress.sides(of: rest) else { throw NodeAddress.unreadable(text) }
        self.init(host: host, port: port)
    }

    /// The addresses that `text` lists, with commas between them.
    ///
    /// - Throws: ``AddressFailure`` where one can't be read, or is there twice.
    public static func list(parsing text: String) throws(AddressFailure) -> [NodeAddress] {
        var addresses: [NodeAddress] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let address = try NodeAddress(parsing: String(part))
            guard !addresses.contains(address) else {
                throw AddressFailure("\(address) is listed twice: leave one out")
            }
            addresses.append(address)
        }
        return addresses
    }

    private static func unreadable(_ text: String) -> AddressFailure {
        AddressFailure("'\(text)' is no address of a node: give one like http://127.0.0.1:9001")
    }

    private static func sides(of text: Substring) -> (String, Int)? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        // What stands here goes into a header: nothing of it may end that.
        let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
        return host.isEmpty || !isPlain ? nil : (String(host), Int(port))
    }

    /// The host and the port as HTTP and people have them: `127.0.0.1:9001`, `[::1]:9001`.
    public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension NodeAddress: CustomStringConvertible {
    /// The address as ``init(parsing:)`` reads it.
    public var description: String { "http://\(authority)" }
}

/// Why a text is no address of a node: one sentence.
public struct AddressFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

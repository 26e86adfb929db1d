import NIOCore

/// Where a server listens: an IP address by its number, so that nothing is looked up, and a port.
public struct Address: Hashable, Sendable {
    /// The IP address, as `127.0.0.1` or `::1`.
    public let host: String
    /// The port, 0…65535; zero for any free one.
    public var port: Int

    /// `port` on 127.0.0.1.
    public static func loopback(port: Int) -> Address { Address(host: "127.0.0.1", port: port) }

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address that `text` says, as `127.0.0.1:8001`, `[::1]:8001` or `localhost:8001`; `nil` where it says none.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        if host == "localhost" { host = "127.0.0.1" }
        guard (try? SocketAddress(ipAddress: host, port: Int(port))) != nil else { return nil }
        self.init(host: host, port: Int(port))
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool { host.hasPrefix("127.") || host == "::1" }

    /// The address as the system has it.
    func socketAddress() throws -> SocketAddress { try SocketAddress(ipAddress: host, port: port) }
}

extension Address: CustomStringConvertible {
    /// The address as ``init(_:)`` reads it.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

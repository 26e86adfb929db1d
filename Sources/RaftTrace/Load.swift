import KeyValue

/// A steady load: clients that write, so many times a second of the cluster's time, each one write after the other.
public struct Load: Hashable, Sendable, Codable {
    /// Writes a second.
    public var rate: Int
    /// How many clients there are; a cluster that answers slowly is asked no faster than they can wait.
    public var clients: Int

    /// The rates that there are.
    public static let rates = 1...100_000
    /// How many clients there may be.
    public static let clientCounts = 1...256
    /// How many there are unless it is said.
    public static let usualClients = 16
    /// How many keys they write to.
    private static let keys: UInt64 = 1_000
    private static let name = "load"

    /// So many writes a second, by so many clients.
    public init(rate: Int, clients: Int = Load.usualClients) {
        self.rate = rate
        self.clients = clients
    }

    /// The client of this number, from 1.
    public static func client(_ number: Int) -> String { "\(name)\(number)" }

    /// The number of the client called so; `nil` where it is none of a load's.
    public static func number(of client: String) -> Int? {
        guard client.hasPrefix(name) else { return nil }
        let digits = client.dropFirst(name.count)
        return digits.allSatisfy { $0.isASCII && $0.isNumber } ? Int(digits) : nil
    }

    /// What the call of this number asks for.
    public static func request(ofCall call: UInt64) -> Request {
        .write(.set(key: Array("\(name)-\(call % keys)".utf8), value: Array(String(call).utf8)))
    }
}

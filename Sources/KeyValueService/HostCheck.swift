import HTTPTypes

/// Who may ask, as far as browsers tell. A page of another origin could lead a browser here under its own name, if its
/// name server says that we are it (DNS rebinding), and would then read what we answer; and it can send what it likes
/// here, if it needn't read the answer.
struct HostCheck: Sendable {
    private let names: Set<String>
    /// Whether any address will do, for we listen on all that there are. An address can't be rebound: only names can.
    private let takesAddresses: Bool

    init(host: String, names: [String]) {
        self.names = Set(
            (["localhost", "127.0.0.1", "[::1]", HostCheck.bracketed(host)] + names).map { $0.lowercased() })
        takesAddresses = ["0.0.0.0", "::", "[::]"].contains(host)
    }

    /// Refuses a request that was meant for somebody else.
    func check(authority: String?, isRepeated: Bool) throws(Refusal) {
        guard let authority, !authority.isEmpty, !isRepeated else {
            throw Refusal(.badRequest, "the request must say once which host it is for: send one Host header")
        }
        let name = HostCheck.withoutDot(HostCheck.name(of: authority))
        if names.contains(name) || names.contains(name.lowercased()) || names.contains(authority.lowercased()) {
            return
        }
        if takesAddresses, HostCheck.isAddress(name) { return }
        throw Refusal(
            .misdirectedRequest,
            "this is not \(Array(authority.utf8).quoted): ask under its address, or let whoever serves it add the name",
            complaint: .foreignHost)
    }

    /// Refuses a change that a page of another origin asks for. Browsers say where a page is from when it sends
    /// something, and to this machine also when it only fetches. To others they say then only which page it was, and not
    /// even that where the page doesn't want it: whoever wants to be sure lets no browser reach the server.
    func checkOrigin(_ headers: HTTPFields, authority: String?) throws(Refusal) {
        let own = ["http://", "https://"].map { $0 + (authority ?? "") }
        if let origin = headers[.origin], !own.contains(origin) { throw foreign(origin) }
        if let site = headers[.secFetchSite], site != "same-origin", site != "none" { throw foreign(site) }
        if let page = headers[.referer], !page.isEmpty, !own.contains(where: { page == $0 || page.hasPrefix($0 + "/") })
        {
            throw foreign(page)
        }
    }

    private func foreign(_ origin: String) -> Refusal {
        Refusal(
            .forbidden,
            "a page of another origin, \(Array(origin.utf8).quoted), may change nothing here: ask without a browser",
            complaint: .foreignOrigin)
    }

    /// The host without its port.
    private static func name(of authority: String) -> String {
        let utf8 = authority.utf8
        guard let colon = utf8.lastIndex(of: UInt8(ascii: ":")) else { return authority }
        let port = utf8[utf8.index(after: colon)...]
        guard port.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return authority }
        return String(authority[..<colon])
    }

    /// A name without the dot that says that nothing follows it.
    private static func withoutDot(_ name: String) -> String {
        let rest = name.hasSuffix(".") ? String(name.dropLast()) : name
        return isAddress(rest) ? name : rest
    }

    /// An address as it stands before a port.
    private static func bracketed(_ host: String) -> String {
        host.utf8.contains(UInt8(ascii: ":")) && !host.hasPrefix("[") ? "[\(host)]" : host
    }

    /// Whether it is an address and no name: no name ends in a number, or stands in brackets.
    private static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("["), name.hasSuffix("]") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }
}

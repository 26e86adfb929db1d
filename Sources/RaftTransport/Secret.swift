import Crypto
import RaftCore

/// What the servers of a cluster know and nobody else does. Whoever opens a connection proves that he knows it, and so
/// does whoever accepts it, without saying it: each sends a number that was never used before, and answers the other's
/// with a keyed digest of all that was said (HMAC-SHA256, RFC 2104).
///
/// It keeps strangers out. What goes over the connection afterwards is neither hidden nor sealed: that takes a network
/// that can be trusted, or a tunnel.
public struct Secret: Sendable {
    private let key: SymmetricKey

    /// The fewest bytes of a secret that can't be guessed.
    public static let bytesMin = 16
    static let nonceSize = 16
    static let proofSize = 32

    /// A secret; `nil` where `bytes` are fewer than ``bytesMin``.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count >= Secret.bytesMin else { return nil }
        key = SymmetricKey(data: bytes)
    }

    /// Who proves something.
    enum Side: UInt8 {
        case caller = 1
        case called
    }

    /// A number that was never used before.
    static func nonce() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<nonceSize).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// What shows that `side` knows the secret, in the conversation that `hello` began and `nonce` answered.
    func proof(of side: Side, _ hello: Hello, _ nonce: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Secret.said(by: side, hello, nonce), using: key))
    }

    /// Whether `proof` shows that; it takes as long to say no as to say yes.
    func accepts(_ proof: [UInt8], of side: Side, _ hello: Hello, _ nonce: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(
            proof, authenticating: Secret.said(by: side, hello, nonce), using: key)
    }

    private static func said(by side: Side, _ hello: Hello, _ nonce: [UInt8]) -> [UInt8] {
        var bytes = [side.rawValue]
        withUnsafeBytes(of: hello.cluster.littleEndian) { bytes.append(contentsOf: $0) }
        bytes += [hello.from.rawValue, hello.to.rawValue]
        withUnsafeBytes(of: hello.incarnation.rawValue.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes + hello.nonce + nonce
    }
}

import Crypto
import Glibc
import RaftTransport

/// A file with a secret: its bytes, without the white space at their end.
struct SecretFile {
    /// What the nodes' connections are kept by.
    let secret: Secret
    /// What is sent to a node's HTTP face in the place of the secret, which whoever reads a network must not learn: a
    /// keyed digest of it (HMAC-SHA256, RFC 2104). It can still be read there, and be sent again: it keeps nobody out who
    /// can read the network, but opens nothing except faults.
    let token: String
    /// What is wrong with the file, though it can be used; `nil` where nothing is.
    let warning: String?

    /// What the token is a digest of.
    private static let tokenText = "raft-tui fault"

    /// Reads the file at `path`.
    ///
    /// - Parameter isForNodes: Whether nodes are to be started with it, and not asked that have one already.
    /// - Throws: ``Failure`` where it can't be read, or holds what can be guessed.
    init(_ path: String, isForNodes: Bool) throws {
        var trimmed = Substring(try Files.read(path))
        while trimmed.last?.isWhitespace == true { trimmed.removeLast() }
        let bytes = Array(trimmed.utf8)
        guard let secret = Secret(bytes) else {
            let advice =
                isForNodes
                ? "which can be guessed: head -c 32 /dev/urandom | base64 > \(path) makes one"
                : "where nodes have \(Secret.bytesMin) at least: name the file that they were started with"
            throw Failure("\(path) holds a secret of \(bytes.count) bytes, \(advice)")
        }
        self.secret = secret
        token = SecretFile.token(of: bytes)
        warning = SecretFile.isOpen(path) ? "\(path) can be read by others on this machine: chmod 600 \(path)" : nil
    }

    /// The token that is made of a secret.
    static func token(of secret: [UInt8]) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(tokenText.utf8), using: SymmetricKey(data: secret))
        return code.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Whether others than the file's owner may read or change it.
    private static func isOpen(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o077 != 0
    }
}

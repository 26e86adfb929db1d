import NIOCore
import RaftCore
import Testing

@testable import RaftTransport

/// Who knows the cluster's secret, and who doesn't.
@Suite(.timeLimit(.minutes(1)))
struct SecretTests {
    private let secret = Secret(Array("a secret of the tests".utf8))
    private let other = Secret(Array("another secret of the tests".utf8))

    @Test("servers that know the same secret reach each other, and nothing is sent before that is certain")
    func same() throws {
        let (one, two) = (try Peer(n1, secret: secret), try Peer(n2, secret: secret))
        try one.connect(to: two)
        try one.send(1, to: n2)
        try two.until { $0.numbers == [1] }
        try two.connect(to: one)
        try two.send(2, to: n1)
        try one.until { $0.numbers == [2] }
        #expect(try one.complaints().isEmpty)
        #expect(try two.complaints().isEmpty)
    }

    @Test("servers with different secrets hear nothing of each other, and both say why")
    func different() throws {
        let (one, two) = (try Peer(n1, secret: secret), try Peer(n2, secret: other))
        try one.connect(to: two)
        try one.until { $0.complaints.contains("n2 doesn't know this cluster's secret") }
        #expect(try two.numbers().isEmpty)
        try two.connect(to: one)
        try two.until { $0.complaints.contains("n1 doesn't know this cluster's secret") }
        #expect(try one.numbers().isEmpty)
    }

    @Test("a server without the secret is told that there is one")
    func none() throws {
        let (one, two) = (try Peer(n1), try Peer(n2, secret: secret))
        try one.connect(to: two)
        try one.until { $0.complaints.contains("n2 refused: this cluster has a secret, and n1 doesn't know it") }
        try two.connect(to: one)
        try two.until { $0.complaints.contains("n1 refused: n1 was started without the cluster's secret") }
    }

    @Test("a caller that can't prove that he knows the secret is told to leave, whatever else he says")
    func impostor() throws {
        let one = try Peer(n1, secret: secret)
        let hello = Hello(cluster: 7, from: n2, incarnation: .first, to: n1, nonce: Array(repeating: 5, count: 16))
        let fence = bytes(.hello(hello)) + bytes(.fence)
        guard case .challenge? = try speak(ByteBuffer(bytes: fence), to: one) else {
            Issue.record("not asked for a proof")
            return
        }
        let guess = bytes(.hello(hello)) + bytes(.proof(Array(repeating: 0, count: 32)))
        _ = try speak(ByteBuffer(bytes: guess), to: one)
        try one.until { $0.complaints.contains("n2 doesn't know this cluster's secret") }
        let form = MessageForm(term: Term(1), body: .timeoutNow)
        let talk = bytes(.hello(hello)) + bytes(.message(frame: 1, number: 1, wantsHandled: false, form))
        _ = try speak(ByteBuffer(bytes: talk), to: one)
        try one.until { $0.complaints.count >= 3 }
        #expect(try one.numbers().isEmpty)
    }

    @Test("a proof is worth nothing in another conversation, from the other side, or for another server")
    func replay() throws {
        let secret = try #require(secret)
        let hello = Hello(cluster: 7, from: n2, incarnation: .first, to: n1, nonce: Array(1...16))
        let proof = secret.proof(of: .caller, hello, Array(1...16))
        #expect(secret.accepts(proof, of: .caller, hello, Array(1...16)))
        #expect(!secret.accepts(proof, of: .caller, hello, Array(2...17)))
        #expect(!secret.accepts(proof, of: .called, hello, Array(1...16)))
        var other = hello
        other.from = n3
        #expect(!secret.accepts(proof, of: .caller, other, Array(1...16)))
        other = hello
        other.nonce[0] = 9
        #expect(!secret.accepts(proof, of: .caller, other, Array(1...16)))
        #expect(try #require(self.other).accepts(proof, of: .caller, hello, Array(1...16)) == false)
    }

    @Test("a secret that can be guessed is none")
    func strength() {
        #expect(Secret(Array("fifteen letters".utf8)) == nil)
        #expect(Secret(Array("sixteen letters!".utf8)) != nil)
    }

    private func bytes(_ frame: Frame) -> [UInt8] {
        var buffer = ByteBuffer()
        frame.write(into: &buffer)
        return Array(buffer.readableBytesView)
    }
}

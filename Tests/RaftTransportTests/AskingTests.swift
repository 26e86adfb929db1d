import NIOCore
import NIOPosix
import RaftCore
import Synchronization
import Testing

@testable import RaftTransport

/// What one server asks another for a client.
@Suite(.timeLimit(.minutes(1)))
struct AskingTests {
    /// Asks until the connection is there, and waits for the answer.
    private func ask(_ text: String, of peer: NodeID, by one: Peer) throws -> String? {
        let size = text.utf8.count
        while true {
            let answer = try one.begin(ByteBuffer(string: text), of: peer).wait()
            switch answer {
            case .success(let bytes):
                #expect(bytes.readableBytes == size)
                return String(buffer: bytes)
            case .failure(.unreachable): continue
            case .failure(.broken), .failure(.oversized): return nil
            }
        }
    }

    @Test("a request is answered over the connection on which it came, however large")
    func answered() throws {
        let (one, two) = (try Peer(n1), try Peer(n2))
        try one.connect(to: two)
        #expect(try ask("abc", of: n2, by: one) == "cba")
        let large = String(repeating: "x", count: 1 << 20)
        #expect(try ask(large, of: n2, by: one) == large)
    }

    @Test("requests that are sent together each get their own answer")
    func many() throws {
        let (one, two) = (try Peer(n1), try Peer(n2))
        try one.connect(to: two)
        _ = try ask("there?", of: n2, by: one)
        let answers = (0..<200).map { number in
            (number, Result { try one.begin(ByteBuffer(string: "\(number)"), of: n2) })
        }
        for (number, answer) in answers {
            let bytes = try answer.get().wait().get()
            #expect(String(buffer: bytes) == String(String(number).reversed()))
        }
    }

    @Test("of a request whose connection breaks nobody can say, and one to a server that is down was not sent")
    func broken() throws {
        let one = try Peer(n1)
        do {
            let two = try Peer(n2)
            try one.connect(to: two)
            _ = try ask("there?", of: n2, by: one)
            let open = try one.begin(ByteBuffer(string: "say nothing"), of: n2)
            try two.until { $0.requests == 2 }
            try two.close()
            #expect(throws: Endpoint.AskingFailure.broken) { try open.wait().get() }
        }
        let later = try one.begin(ByteBuffer(string: "later"), of: n2)
        #expect(throws: Endpoint.AskingFailure.unreachable) { try later.wait().get() }
        let stranger = try one.begin(ByteBuffer(string: "who?"), of: n3)
        #expect(throws: Endpoint.AskingFailure.unreachable) { try stranger.wait().get() }
    }

    @Test("a request for whose answer nobody waits any more is given up when the same peer is asked again")
    func givenUp() throws {
        let (one, two) = (try Peer(n1), try Peer(n2))
        try one.connect(to: two)
        _ = try ask("there?", of: n2, by: one)
        let silent = ByteBuffer(string: "say nothing")
        let first = try one.begin(silent, of: n2, at: .zero, until: .zero + .seconds(1))
        let second = try one.begin(silent, of: n2, at: .zero, until: .zero + .seconds(2))
        let told = Mutex(0)
        for open in [first, second] { open.whenComplete { _ in told.withLock { $0 += 1 } } }
        let asked = ByteBuffer(string: "abc")
        let third = try one.begin(asked, of: n2, at: .zero + .seconds(1), until: .zero + .seconds(3))
        #expect(try third.wait().get() == ByteBuffer(string: "cba"))
        try #require(told.withLock { $0 } == 1, "the second has time left")
        #expect(throws: Endpoint.AskingFailure.broken) { try first.wait().get() }
        _ = try one.begin(asked, of: n2, at: .zero + .seconds(2), until: .zero + .seconds(3)).wait()
        try #require(told.withLock { $0 } == 2)
        #expect(throws: Endpoint.AskingFailure.broken) { try second.wait().get() }
    }

    @Test("however many answers never come, there is room for requests once nobody waits for those any more")
    func room() throws {
        let (one, two) = (try Peer(n1), try Peer(n2))
        try one.connect(to: two)
        _ = try ask("there?", of: n2, by: one)
        let outcome = try one.on { endpoint -> (kept: Int, isLaterSent: Bool) in
            var (sent, isLaterSent) = (0, true)
            var isFull = false
            while !isFull {
                sent += 1
                endpoint.ask(ByteBuffer(string: "say nothing"), of: n2, at: .zero, until: .zero + .seconds(1)) {
                    if case .failure(.unreachable) = $0 { isFull = true }
                }
            }
            endpoint.ask(
                ByteBuffer(string: "later"), of: n2, at: .zero + .seconds(1), until: .zero + .seconds(2)
            ) {
                if case .failure(.unreachable) = $0 { isLaterSent = false }
            }
            return (sent - 1, isLaterSent)
        }
        #expect(outcome.kept == 8_192)
        #expect(outcome.isLaterSent)
    }

    @Test("a request that no frame has room for is not sent, and the connection goes on")
    func oversized() throws {
        let (one, two) = (try Peer(n1), try Peer(n2))
        try one.connect(to: two)
        _ = try ask("there?", of: n2, by: one)
        let larger = ByteBuffer(repeating: 7, count: Endpoint.payloadMax + 1)
        #expect(throws: Endpoint.AskingFailure.oversized) { try one.begin(larger, of: n2).wait().get() }
        #expect(try ask("abc", of: n2, by: one) == "cba")
        #expect(try two.complaints().isEmpty)
    }

    @Test("servers tell each other where their faces are")
    func faces() throws {
        let (one, two) = (try Peer(n1, face: "127.0.0.1:9001"), try Peer(n2, face: "127.0.0.1:9002"))
        try one.connect(to: two)
        try one.send(1, to: n2)
        try two.until { $0.numbers == [1] }
        #expect(try two.on { $0.faces } == [n1: "127.0.0.1:9001"])
        _ = try ask("there?", of: n2, by: one)
        #expect(try one.on { $0.faces } == [n2: "127.0.0.1:9002"])
    }

    @Test(
        "an address is a number and a port",
        arguments: [
            ("127.0.0.1:8001", "127.0.0.1:8001"), ("localhost:0", "127.0.0.1:0"), ("[::1]:9", "[::1]:9"),
            ("0.0.0.0:65535", "0.0.0.0:65535"), ("::1:9", nil), ("127.0.0.1", nil), ("127.0.0.1:65536", nil),
            ("127.0.0.1:-1", nil), ("example.org:80", nil), (":80", nil), ("[127.0.0.1]:80", nil),
            ("127.0.0.1:80 ", nil), ("", nil),
        ])
    func address(text: String, read: String?) { #expect(Address(text)?.description == read) }
}

extension Peer {
    /// Begins to ask.
    fileprivate func begin(
        _ request: ByteBuffer, of peer: NodeID, at now: Instant = .zero, until end: Instant = .zero + .seconds(60)
    ) throws -> EventLoopFuture<Result<ByteBuffer, Endpoint.AskingFailure>> {
        let promise = group.next().makePromise(of: Result<ByteBuffer, Endpoint.AskingFailure>.self)
        try on { endpoint in
            endpoint.ask(request, of: peer, at: now, until: end) { promise.succeed($0) }
        }
        return promise.futureResult
    }
}

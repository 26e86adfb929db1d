import KeyValue
import RaftNode
import RaftTrace
import RaftTransport
import Testing

@testable import RaftCluster

/// What one server hands back to another for a client.
struct ForwardingTests {
    @Test("an answer is handed back as it is, with what it says of the session and of asking again")
    func handedBack() throws {
        for result in [ClientResult.ok, .value([1]), .keys([[1], []]), .notLeader(nil), .unknown, .error("no")] {
            for (isSessionGone, isFinal) in [(false, false), (true, false), (false, true), (true, true)] {
                let reply = Reply(id: 5, result: result, isSessionGone: isSessionGone, isFinal: isFinal)
                #expect(try Reply(id: 5, decoding: reply.handedBack()) == reply)
            }
        }
    }

    @Test("in the place of an answer that no frame has room for, it is handed back that it is too large")
    func tooLarge() throws {
        let keys = [Bytes](repeating: Bytes(repeating: 7, count: 1 << 20), count: 32)
        let reply = try Reply(id: 5, decoding: Reply(id: 5, result: .keys(keys)).handedBack())
        let size = Reply(id: 5, result: .keys(keys)).encoded().count
        #expect(size > Endpoint.payloadMax)
        let reason =
            "the answer is too large to go from one node to another: it takes \(size) bytes of at most "
            + "\(Endpoint.payloadMax); ask the leader itself, or for less"
        try #require(reply.isFinal)
        #expect(reply.result == .error(reason))
    }
}

import Bench
import KeyValue
import RaftCore
import RaftNode
import RaftTrace
import Testing

struct ClientTests {
    private var client = Client(name: "c1", session: "c1")
    private var ids: RequestID = 0
    private let nodes = [n1, n2, n3]
    private let set = Request.write(.set(key: "x".bytes, value: "1".bytes))

    private mutating func begin(
        _ request: Request, via: NodeID? = nil, isRetry: Bool = false, call: UInt64 = 1, at now: Instant = .zero
    ) -> [Client.Action] {
        client.begin(
            ClientCall(client: "c1", call: call, request: request, via: via, isRetry: isRetry), at: now, nodes: nodes,
            nextID: { [ids] in ids + 1 })
    }

    private mutating func reply(
        _ result: ClientResult, to id: RequestID, isSessionGone: Bool = false, isFinal: Bool = false,
        at now: Instant = .zero
    ) -> [Client.Action] {
        ids += 1
        let next = ids + 100
        let reply = Reply(id: id, result: result, isSessionGone: isSessionGone, isFinal: isFinal)
        return client.take(reply, at: now, nodes: nodes, nextID: { next })
    }

    private mutating func wake(at now: Instant) -> [Client.Action] {
        ids += 1
        let next = ids + 1_000
        return client.wake(at: now, nodes: nodes, nextID: { next })
    }

    private func target(_ actions: [Client.Action]) -> NodeID? {
        guard case .send(_, let node)? = actions.first else { return nil }
        return node
    }

    private func request(_ actions: [Client.Action]) -> ClientRequest? {
        guard case .send(let request, _)? = actions.first else { return nil }
        return request
    }

    private func result(_ actions: [Client.Action]) -> ClientResult? {
        guard case .finish(let answer)? = actions.first else { return nil }
        return answer.result
    }

    @Test("what can't be done is asked for again, and ends the call where it would be the same again")
    mutating func final() throws {
        let first = begin(set)
        let none = reply(.error("n1 is down"), to: try #require(request(first)).id)
        #expect(result(none) == nil)
        let second = wake(at: .zero + .milliseconds(20))
        let last = reply(.error("too large"), to: try #require(request(second)).id, isFinal: true)
        #expect(result(last) == .error("too large"))
        #expect(client.openCalls == 0)
    }

    @Test("a client goes where it is pointed, at once, under the same number, and stays there")
    mutating func follows() throws {
        let first = begin(set)
        #expect(target(first) == n1)
        let second = reply(.notLeader(n3), to: try #require(request(first)).id)
        #expect(target(second) == n3)
        #expect(request(first)?.kind == request(second)?.kind, "the same command")
        #expect(result(reply(.ok, to: try #require(request(second)).id)) == .ok)
        #expect(target(begin(set, call: 2)) == n3)
    }

    @Test("a client for one write numbers it by what it is, so that any other client under its name says the same")
    mutating func oneWrite() throws {
        client = Client(name: "c1", session: "once:a", isForOneWrite: true)
        let operation = KeyValue.Operation.set(key: "x".bytes, value: "1".bytes)
        guard case .write(let command)? = request(begin(set))?.kind else { throw TraceError("no write") }
        #expect(
            command
                == SessionCommand(
                    client: "once:a", sequence: operation.fingerprint, firstIncomplete: 0, operation: operation))
    }

    @Test("a refusal ends the call; that the store is full only where no attempt before may have been taken")
    mutating func refused() throws {
        for reason in ClientResult.Refused.allCases {
            client = Client(name: "c1", session: "c1")
            let first = try #require(request(begin(set)))
            #expect(result(reply(.refused(reason), to: first.id)) == .refused(reason))
            client = Client(name: "c1", session: "c1")
            let again = try #require(request(begin(set)))
            let silent = try #require(request(wake(at: .zero + .milliseconds(500))))
            #expect(silent.id != again.id)
            let answer = result(reply(.refused(reason), to: silent.id, at: .zero + .milliseconds(501)))
            #expect(answer == (reason == .full ? nil : .refused(reason)))
        }
    }

    @Test("where nobody leads it asks the next server after a pause")
    mutating func nobodyLeads() throws {
        let first = begin(set)
        #expect(reply(.notLeader(nil), to: try #require(request(first)).id).isEmpty)
        let deadline = try #require(client.deadline)
        #expect(deadline == .zero + .milliseconds(20))
        #expect(target(wake(at: deadline)) == n2)
    }

    @Test("a server that is silent is left for another; its late answer is as good, its late refusal nothing")
    mutating func silence() throws {
        let first = begin(set)
        #expect(wake(at: .zero + .milliseconds(499)).isEmpty)
        let second = wake(at: .zero + .milliseconds(500))
        #expect(target(second) == n2)
        for refusal in [ClientResult.notLeader(n3), .error("n1 is down"), .unknown] {
            #expect(reply(refusal, to: try #require(request(first)).id).isEmpty)
        }
        #expect(result(reply(.ok, to: try #require(request(first)).id)) == .ok)
        #expect(reply(.ok, to: try #require(request(second)).id).isEmpty, "the call is over")
    }

    @Test("a call that times out after five seconds is unknown, never failed")
    mutating func patience() throws {
        var actions = begin(set)
        var now = Instant.zero
        while result(actions) == nil {
            if let request = request(actions) { _ = reply(.error("down"), to: request.id, at: now) }
            now = try #require(client.deadline)
            actions = wake(at: now)
            #expect(now <= .zero + .seconds(5))
        }
        #expect(result(actions) == .unknown)
        #expect(now == .zero + .seconds(5))
        #expect(client.openCalls == 0)
    }

    @Test("who asks one server gets that server's answer, whatever it is")
    mutating func via() throws {
        for answer in [ClientResult.notLeader(n1), .error("n2 is down"), .unknown, .ok] {
            let asked = begin(set, via: n2)
            #expect(target(asked) == n2)
            #expect(result(reply(answer, to: try #require(request(asked)).id)) == answer)
        }
        _ = begin(set, via: n2)
        #expect(client.deadline == .zero + .seconds(5), "it waits for that one")
        #expect(result(wake(at: .zero + .seconds(5))) == .unknown)
    }

    @Test("each write has its own number; a retry has the last one's")
    mutating func numbers() throws {
        var commands: [SessionCommand] = []
        for (call, isRetry) in [(1, false), (2, false), (3, true)] as [(UInt64, Bool)] {
            let sent = try #require(request(begin(set, isRetry: isRetry, call: call)))
            if case .write(let command) = sent.kind { commands.append(command) }
            _ = reply(.ok, to: sent.id)
        }
        #expect(commands.map(\.sequence) == [1, 2, 2])
        #expect(commands.map(\.firstIncomplete) == [1, 2, 2])
    }

    @Test("a client says which of its writes are still open, so that the others' results can go")
    mutating func openWrites() throws {
        _ = begin(set, via: n1, call: 1)
        let second = try #require(request(begin(set, via: n2, call: 2)))
        guard case .write(let command) = second.kind else { return }
        #expect(command.sequence == 2)
        #expect(command.firstIncomplete == 1)
    }

    @Test("a forgotten client sends a new write in a new session; of one that it sent before nobody knows")
    mutating func forgotten() throws {
        let first = try #require(request(begin(set)))
        let again = reply(.unknown, to: first.id, isSessionGone: true)
        guard case .write(let command)? = request(again)?.kind else {
            Issue.record("not sent again")
            return
        }
        #expect(command.client == "c1~2")
        #expect(command.sequence == 1)
        _ = reply(.ok, to: try #require(request(again)).id)

        let second = try #require(request(begin(set, call: 2)))
        let retried = reply(.notLeader(n2), to: second.id)
        let gone = reply(.unknown, to: try #require(request(retried)).id, isSessionGone: true)
        #expect(result(gone) == .unknown)
    }

    @Test("two servers that point at each other are not asked in a storm")
    mutating func pointing() throws {
        var actions = begin(set)
        var count = 0
        while let request = request(actions), count < 20 {
            actions = reply(.notLeader(target(actions) == n1 ? n2 : n1), to: request.id)
            count += 1
        }
        #expect(count < 10)
    }
}

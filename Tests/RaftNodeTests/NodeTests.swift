import Bench
import KeyValue
import RaftCore
import RaftNode
import RaftTrace
import Testing

let n1 = NodeID(1)
let n2 = NodeID(2)
let n3 = NodeID(3)

struct NodeTests {
    @Test("a write is answered once it is committed, with what it came to")
    func results() {
        var bench = NodeBench(3)
        bench.elect(n1)
        #expect(bench.perform(.set(key: "x".bytes, value: "1".bytes), sequence: 1) == .ok)
        #expect(bench.perform(.increment(key: "x".bytes, by: 4), sequence: 2) == .value("5".bytes))
        #expect(
            bench.perform(.compareAndSet(key: "x".bytes, old: "1".bytes, new: "2".bytes), sequence: 3)
                == .mismatch("5".bytes))
        #expect(bench.perform(.delete(key: "y".bytes), sequence: 4) == .notFound)
        let read = bench.ask(.read(.get(key: "x".bytes, .readindex)), on: n1)
        #expect(bench.replies[read] == nil, "a majority is asked first")
        bench.deliver()
        #expect(bench.replies[read]?.result == .value("5".bytes))
        let keys = bench.ask(.read(.keys(prefix: [], .readindex)), on: n1)
        bench.deliver()
        #expect(bench.replies[keys]?.result == .keys(["x".bytes]))
    }

    @Test("followers that apply later come to the same, and answer reads when they have")
    func appliesLater() {
        var benches = [NodeBench(3), NodeBench(3)]
        benches[1].appliesLater = true
        for place in benches.indices {
            benches[place].elect(n1)
            for number in 1...20 as ClosedRange<UInt64> {
                _ = benches[place].perform(.increment(key: "n".bytes, by: Int64(number)), sequence: number)
                let read = benches[place].ask(.read(.get(key: "n".bytes, .readindex)), on: n2)
                benches[place].deliver()
                let sum = number * (number + 1) / 2
                #expect(benches[place].replies[read]?.result == .value("\(sum)".bytes))
                if number == 10 {
                    benches[place].step(.takeSnapshot, on: n3)
                    benches[place].elect(n2)
                }
            }
            benches[place].reachDeadline(of: n2)
            benches[place].deliver()
        }
        for node in [n1, n2, n3] {
            #expect(benches[0][node].machine == benches[1][node].machine)
            #expect(benches[0][node].applied == benches[1][node].applied)
            #expect(!benches[1][node].hasUnapplied)
        }
    }

    @Test("a follower that applies later has its write and its messages first")
    func appliesAfterwards() throws {
        var bench = NodeBench(3)
        bench.elect(n1)
        _ = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: "1".bytes))), on: n1)
        bench.deliver()
        bench.reachDeadline(of: n1)
        let heartbeat = try #require(bench.wire.first { $0.to == n2 })
        var node = bench[n2]
        let before = node.applied
        var effects = Effects(isObserved: false)
        node.appliesLater = true
        node.handle(.message(heartbeat), at: bench.now, into: &effects)
        #expect(node.raft.commitIndex > before)
        #expect(node.applied == before)
        #expect(effects.messages.count == 1)
        #expect(node.hasUnapplied)
        effects.clear()
        node.apply(at: bench.now, into: &effects)
        #expect(node.applied == node.raft.commitIndex)
        #expect(!node.hasUnapplied)
    }

    @Test("a write that is too large is refused, and those that came with it are done")
    func tooLarge() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let value = Bytes(repeating: 1, count: Operation.bytesMax)
        let large = SessionCommand(
            client: "a", sequence: 1, firstIncomplete: 1, operation: .set(key: "x".bytes, value: value))
        let request = bench.ask(.write(large), on: n1)
        #expect(bench.replies[request]?.result == .error("a write has at most 1048576 bytes"))
        #expect(bench.perform(.set(key: "x".bytes, value: "1".bytes), sequence: 1) == .ok)
    }

    @Test("writes and reads that come together are written and answered, all of them")
    func together() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let requests = (1...3 as ClosedRange<UInt64>).flatMap { number in
            [
                ClientRequest(
                    id: 100 + number, kind: .write(SessionCommand(.increment(key: "n".bytes, by: 1)))),
                ClientRequest(id: 200 + number, kind: .read(.get(key: "n".bytes, .readindex))),
            ]
        }
        var node = bench[n1]
        var effects = Effects()
        node.handle(.requests(requests), at: bench.now, into: &effects)
        #expect(effects.write?.entries.count == 3)
        bench.step(.requests(requests), on: n1)
        bench.deliver()
        #expect(bench.replies[103]?.result == .value("3".bytes))
        #expect((201...203).allSatisfy { bench.replies[$0]?.result == .value("3".bytes) })
    }

    @Test("a server that doesn't lead says who does, and appends nothing")
    func notLeader() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let write = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: []))), on: n2)
        #expect(bench.replies[write]?.result == .notLeader(n1))
        #expect(bench[n2].raft.log.lastIndex == LogIndex(1))
    }

    @Test("a follower answers a read itself once its leader has named the index, and it has applied that far")
    func followerReads() {
        var bench = NodeBench(3)
        bench.elect(n1)
        _ = bench.perform(.set(key: "x".bytes, value: "1".bytes), sequence: 1)
        let write = bench.ask(
            .write(
                SessionCommand(
                    client: "c1", sequence: 2, firstIncomplete: 2,
                    operation: .set(key: "x".bytes, value: "2".bytes))), on: n1)
        bench.deliver { $0.from != n3 && $0.to != n3 }
        #expect(bench.replies[write]?.result == .ok)
        let read = bench.ask(.read(.get(key: "x".bytes, .readindex)), on: n3)
        let keys = bench.ask(.read(.keys(prefix: [], .lease)), on: n3)
        bench.deliver { if case .append = $0.body { $0.to != n3 } else { true } }
        #expect(bench.replies[read] == nil, "n3 has yet to apply what the leader has committed")
        for _ in 1...3 {
            bench.reachDeadline(of: n1)
            bench.deliver()
        }
        #expect(bench.replies[read]?.result == .value("2".bytes))
        #expect(bench.replies[keys]?.result == .keys(["x".bytes]))
        #expect(bench[n3].raft.role.name == .follower)
    }

    @Test("a leader answers a lease read at once; where leases are off it is a read like every other")
    func leaseRead() {
        for isOn in [true, false] {
            var bench = NodeBench(3, settings: Settings { $0.options.lease = isOn })
            bench.reachDeadline(of: n1)
            bench.deliver()
            _ = bench.perform(.set(key: "x".bytes, value: "1".bytes), sequence: 1)
            bench.reachDeadline(of: n1)
            bench.deliver()
            let read = bench.ask(.read(.get(key: "x".bytes, .lease)), on: n1)
            #expect(bench.replies[read]?.result == (isOn ? .value("1".bytes) : nil))
            bench.deliver()
            #expect(bench.replies[read]?.result == .value("1".bytes))
        }
    }

    @Test("followers apply the same commands, and hold the same store")
    func followersApply() {
        var bench = NodeBench(3)
        bench.elect(n1)
        for number in 1...10 as ClosedRange<UInt64> {
            _ = bench.perform(.set(key: "k\(number)".bytes, value: "v".bytes), sequence: number)
        }
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].machine == bench[n2].machine)
        #expect(bench[n1].machine == bench[n3].machine)
        #expect(bench[n2].machine.store.count == 10)
    }

    @Test("a write that is sent again after a change of leaders is applied once, and answered from its session")
    func onceAcrossLeaders() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let command = SessionCommand(
            client: "c1", sequence: 1, firstIncomplete: 1, operation: .increment(key: "n".bytes, by: 1))
        _ = bench.ask(.write(command), on: n1)
        bench.deliver { $0.to != n1 }
        bench.crash(n1)
        bench.elect(n2)
        let again = bench.ask(.write(command), on: n2)
        bench.deliver()
        #expect(bench.replies[again]?.result == .value("1".bytes))
        #expect(bench[n2].machine.store["n".bytes] == "1".bytes)
    }

    @Test("without that rule it is applied twice")
    func twice() {
        var bench = NodeBench(3, settings: Settings { $0.rules = .all(without: .exactlyOnce) })
        bench.elect(n1)
        #expect(bench.perform(.increment(key: "n".bytes, by: 1), sequence: 1) == .value("1".bytes))
        #expect(bench.perform(.increment(key: "n".bytes, by: 1), sequence: 1) == .value("2".bytes))
    }

    @Test("a leader that steps down answers every client that waits: nobody knows")
    func stepsDown() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let write = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: []))), on: n1)
        let read = bench.ask(.read(.get(key: "x".bytes, .readindex)), on: n1)
        bench.dropWire()
        bench.step(.campaign, on: n2)
        bench.deliver { $0.to == n1 || $0.from == n1 }
        #expect(bench.replies[write]?.result == .unknown)
        #expect(bench.replies[read]?.result == .notLeader(nil))
    }

    @Test("a client is answered for its own entry and not for the one that took its place")
    func ownEntry() {
        for isKept in [true, false] {
            var settings = Settings()
            settings.rules[.answerByIndexAndTerm] = isKept
            var bench = NodeBench(3, settings: settings)
            bench.elect(n1)
            let lost = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: "lost".bytes))), on: n1)
            bench.dropWire()
            bench.elect(n2)
            #expect(bench[n2].raft.role.name == .leader)
            bench.reachDeadline(of: n2)
            bench.deliver()
            #expect(bench[n1].applied == LogIndex(2), "n2's empty entry took the place of the write")
            #expect(bench.replies[lost]?.result == (isKept ? .unknown : .ok))
        }
    }

    @Test("a failed disk stops the server, which says why to everyone")
    func diskFailure() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let waiting = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: []))), on: n1)
        bench.step(.diskFailed("can't sync d/log-1: Input/output error"), on: n1)
        #expect(bench.replies[waiting]?.result == .unknown)
        #expect(bench[n1].deadline == nil)
        let late = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: []))), on: n1)
        #expect(bench.replies[late]?.result == .error("n1 has stopped: can't sync d/log-1: Input/output error"))
        #expect(bench.picture[n1]?.failure == "can't sync d/log-1: Input/output error")
    }

    @Test("a leader whose disk failed sends, writes and promises nothing more, whatever comes")
    func silentAfterFailure() {
        var bench = NodeBench(3)
        bench.elect(n1)
        bench.step(.diskFailed("can't sync d/log-1: Input/output error"), on: n1)
        var node = bench[n1]
        func message(_ body: Message.Body, _ term: UInt64) -> NodeInput {
            .message(Message(from: n2, incarnation: .first, to: n1, term: Term(term), body: body))
        }
        let request = ClientRequest(id: 7, kind: .write(SessionCommand(.set(key: "x".bytes, value: []))))
        let inputs: [NodeInput] = [
            .deadline, .campaign, .durable(99), .requests([request]),
            message(.voteRequest(VoteRequest(poll: .vote, last: bench[n1].raft.log.last, isTold: true)), 9),
            message(.append(Append(previous: .zero, entries: [], commit: .zero, round: .zero)), 9),
            message(.appendResponse(AppendResponse(outcome: .accepted(match: LogIndex(1)), round: .zero)), 1),
        ]
        for input in inputs {
            var effects = Effects()
            node.handle(input, at: bench.now + .seconds(1), into: &effects)
            #expect(effects.messages.isEmpty)
            #expect(effects.write == nil)
            #expect(effects.replies.allSatisfy { !$0.result.isOK })
        }
        #expect(node.raft.currentTerm == Term(1))
    }

    @Test("a halted server refuses, and says what it found")
    func halted() {
        var bench = NodeBench(3)
        bench.elect(n1)
        let heartbeat = Append(previous: .zero, entries: [], commit: .zero, round: .zero)
        bench.step(
            .message(Message(from: n2, incarnation: .first, to: n1, term: Term(1), body: .append(heartbeat))), on: n1)
        let write = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: []))), on: n1)
        guard case .error(let sentence)? = bench.replies[write]?.result else {
            Issue.record("not refused")
            return
        }
        #expect(sentence.hasPrefix("n1 is halted: n1 and n2 both lead in term 1"))
        #expect(bench.picture[n1]?.standing == .halted)
    }

    @Test("a read right after a restart sees no empty store: it waits until the log is applied again")
    func noEmptyStore() {
        var bench = NodeBench(3)
        bench.elect(n1)
        _ = bench.perform(.set(key: "x".bytes, value: "1".bytes), sequence: 1)
        for node in [n1, n2, n3] { bench.crash(node) }
        for node in [n1, n2, n3] { bench.start(node) }
        #expect(bench[n1].machine.store.count == 0)
        bench.step(.campaign, on: n1)
        bench.deliver { $0.append == nil }
        let read = bench.ask(.read(.get(key: "x".bytes, .readindex)), on: n1)
        #expect(bench.replies[read] == nil)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench.replies[read]?.result == .value("1".bytes))
    }
}

/// What the screen draws is folded from events alone; so the fold must be the truth.
struct PictureTests {
    @Test("the picture that is folded from the events is the servers' own state, whatever happens", arguments: 0..<10)
    func truth(seed: UInt64) {
        var random = Generator(seed: seed)
        var bench = NodeBench(seed % 2 == 0 ? 3 : 5)
        let nodes = Array(bench.configuration.voters)
        var sawStore = false
        for round in 0..<400 as Range<UInt64> {
            let node = nodes[Int(random.below(UInt64(nodes.count)))]
            switch random.below(20) {
            case 0: if random.chance(0.3) { bench.crash(node) }
            case 1 where random.chance(0.2): bench.step(.campaign, on: node)
            case 2..<6: bench.reachDeadline(of: node)
            case 6..<10:
                if let leader = bench.leader {
                    let key = "k\(random.below(5))".bytes
                    let operation: Operation =
                        random.chance(0.2)
                        ? .delete(key: key) : .set(key: key, value: "\(round)".bytes)
                    _ = bench.ask(
                        .write(
                            SessionCommand(client: "c", sequence: round + 1, firstIncomplete: 1, operation: operation)),
                        on: leader)
                }
            default:
                let isLossy = random.chance(0.1)
                bench.deliver { _ in !isLossy || round % 3 == 0 }
            }
            for node in nodes { check(node, bench) }
            sawStore = sawStore || bench.picture.nodes.contains { !$0.store.isEmpty }
            if bench.nodes[node] == nil { bench.start(node) }
        }
        #expect(sawStore)
    }

    private func check(_ id: NodeID, _ bench: NodeBench) {
        guard let picture = bench.picture[id] else {
            Issue.record("\(id) is missing")
            return
        }
        guard let node = bench.nodes[id] else {
            #expect(!picture.isRunning)
            return
        }
        let raft = node.raft
        #expect(picture.isRunning)
        #expect(picture.term == raft.currentTerm)
        #expect(picture.role == raft.role.name)
        #expect(picture.vote == raft.votedFor)
        #expect(picture.leader == raft.leader)
        #expect(picture.commit == raft.commitIndex)
        #expect(picture.applied == node.applied)
        #expect(picture.durable == raft.durableIndex)
        #expect(picture.log.last == raft.log.lastIndex)
        #expect(picture.log.runs == TermRun.runs(of: raft.log))
        #expect(picture.timer == nil || picture.timer == raft.electionTimer)
        if raft.log.lastIndex > .zero {
            for raw in 1...raft.log.lastIndex.rawValue {
                let known = picture.log.entry(at: LogIndex(raw))
                #expect(known == nil || known == raft.log[LogIndex(raw)])
            }
        }
        if case .leader(let leadership) = raft.role {
            for progress in leadership.peers {
                guard let told = picture.peers[progress.peer] else { continue }
                #expect(told.match == progress.match)
                #expect(told.next == progress.next)
                #expect(told.isProbing == progress.isProbing)
            }
        }
        for key in node.machine.store.keys() ?? [] { #expect(picture.store[key] == node.machine.store[key]) }
        #expect(picture.store.count == node.machine.store.count)
    }

    @Test("a reader that begins with a whole state sees what one that saw everything sees")
    func keyframe() {
        var bench = NodeBench(3)
        bench.elect(n1)
        for number in 1...20 as ClosedRange<UInt64> {
            _ = bench.perform(.set(key: "k\(number % 7)".bytes, value: "\(number)".bytes), sequence: number)
        }
        var late = Picture()
        for node in [n1, n2, n3] {
            let server = bench[node]
            late.apply(
                Event(at: bench.now, sequence: 0, kind: .node(node, server.raft.currentTerm, .state(server.state))))
            let (one, other) = (late[node], bench.picture[node])
            #expect(one?.role == other?.role)
            #expect(one?.log.runs == other?.log.runs)
            #expect(one?.commit == other?.commit)
            #expect(one?.store == other?.store)
            #expect(one?.peers == other?.peers)
            #expect(one?.leader == other?.leader)
            #expect(one?.vote == other?.vote)
        }
    }
}

extension Settings {
    init(_ change: (inout Settings) -> Void) {
        self.init()
        change(&self)
    }
}

extension Message {
    var append: Append? { if case .append(let append) = body { append } else { nil } }
}

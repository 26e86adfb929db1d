import KeyValue
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Testing

@testable import Script

struct ParserTests {
    private func error(in line: String, nodes: Int? = 5) -> String? {
        do {
            _ = try Script(parsing: line, nodes: nodes)
            return nil
        } catch {
            return error.description
        }
    }

    @Test(
        "a bad line names its place, and mends itself where it can",
        arguments: [
            ("set x 1\n\n\nkill 9", "line 4, column 6: no node 9 in a cluster of 5"),
            ("kil 1", "line 1, column 1: unknown command 'kil'; did you mean 'kill'?"),
            ("hael", "line 1, column 1: unknown command 'hael'; did you mean 'heal'?"),
            ("frobnicate", "line 1, column 1: unknown command 'frobnicate'"),
            ("\"kill\" 1", "line 1, column 1: unknown command 'kill'"),
            ("kill", "line 1, column 5: a node is missing"),
            ("kill x", "line 1, column 6: a node is a number like 1 or n1, not 'x'"),
            ("kill 0", "line 1, column 6: a node is a number like 1 or n1, not '0'"),
            ("set x", "line 1, column 6: a value is missing"),
            (
                "set x 1 please", "line 1, column 9: unexpected 'please': via N, as NAME, retry or & can follow"
            ), ("get x retry", "line 1, column 7: only a write can be retried"),
            (
                "get x fast",
                "line 1, column 7: no way to read is called 'fast': there is readindex, lease, leader, local"
            ),
            ("incr n much", "line 1, column 8: an increment is a whole number, not 'much'"),
            (
                "incr n 9223372036854775808",
                "line 1, column 8: an increment is a whole number, not '9223372036854775808'"
            ),
            ("cut", "line 1, column 4: a link like 1-3 or 1>3 is missing"),
            ("cut 13", "line 1, column 5: a link is written 1-3, or 1>3 for one way, not '13'"),
            ("cut 1-7", "line 1, column 7: no node 7 in a cluster of 5"),
            ("cut 2-2", "line 1, column 5: a link has two different ends"),
            ("partition 1,2 | 2,3", "line 1, column 11: a node can't be on two sides of a partition"),
            ("partition |", "line 1, column 11: groups like 1,2 | 3,4,5 are missing"),
            ("latency soon", "line 1, column 9: a latency is a duration like 50ms or 2s, not 'soon'"),
            ("latency 30ms..10ms", "line 1, column 9: a latency goes from less to more"),
            ("latency 1-2 60s", "line 1, column 13: a latency is at most 10s"),
            ("partition 1,2 3,4", "line 1, column 15: a | is missing between two groups"),
            ("loss 1-2 120%", "line 1, column 10: a loss is a share like 20%, not '120%'"),
            ("speed 9", "line 1, column 7: a speed is between 1/1000 and 4, not '9'"),
            ("speed 1/0", "line 1, column 7: a speed is a number like 1/10, 0.5 or 2, not '1/0'"),
            ("step 0", "line 1, column 6: a count of steps is a number from 1 to 10000, not '0'"),
            ("step 10001", "line 1, column 6: a count of steps is a number from 1 to 10000, not '10001'"),
            ("load", "line 1, column 5: a rate like 1000/s is missing"),
            ("load 1000", "line 1, column 6: a load is off, or a rate from 1/s to 100000/s, not '1000'"),
            ("load 0/s", "line 1, column 6: a load is off, or a rate from 1/s to 100000/s, not '0/s'"),
            ("load 5/s 257", "line 1, column 10: a count of clients is a number from 1 to 256, not '257'"),
            ("load off 5", "line 1, column 10: unexpected '5'"),
            ("freeze now", "line 1, column 8: unexpected 'now'"),
            ("set x \"a", "line 1, column 7: the quote is never closed"),
            ("set x a\"b\"", "line 1, column 8: a quote begins a word: put a blank before it, or write \\\""),
            ("set x \"a\"b", "line 1, column 10: a blank must follow the closing quote"),
            ("set x \"\\q\"", #"line 1, column 8: after a backslash comes one of " \ n t xHH"#),
            ("set x \"\\x1\"", "line 1, column 8: \\x needs two hexadecimal digits"),
            ("cluster 0", "line 1, column 9: a cluster's size is a number from 1 to 9, not '0'"),
            ("set x 1\ncluster 3", "line 2, column 1: 'cluster' comes before every line but title and source"),
            ("cluster 3\nkill 4", "line 2, column 6: no node 4 in a cluster of 3"),
            ("expect leeder", "line 1, column 8: unknown condition 'leeder'; did you mean 'leader'?"),
            ("expect term 1 4", "line 1, column 15: one of = != < <= > >= is missing"),
            ("expect vote 1 < 2", "line 1, column 15: = or != is missing"),
            (
                "expect role 1 king",
                "line 1, column 15: unknown role 'king': there are follower, precandidate, candidate, leader, learner, down, halted"
            ),
            ("expect log 1 = 1,x", "line 1, column 16: a log is written as terms like 1,1,2, or empty, not '1,x'"),
            (
                "expect result = fine",
                "line 1, column 17: unknown result 'fine': there are ok, not-found, mismatch, not-leader, unknown, error, refused"
            ),
            ("wait leader within", "line 1, column 19: a time is missing"),
            ("wait leader within soon", "line 1, column 20: a time is a duration like 50ms or 2s, not 'soon'"),
            ("set x 1 as \"\"", "line 1, column 12: a client's name has 1 to 32 bytes"),
            ("set x 1 as a~2", "line 1, column 12: a client's name has no ~"),
            ("deliver", "line 1, column 8: a link like 1>3, or a message like #17, is missing"),
            ("deliver #x", "line 1, column 11: a link like 1>3, or a message like #17, is missing"),
            ("drop #1x", "line 1, column 6: a message is written #17, not '#1x'"),
            ("drop 1>2 0", "line 1, column 10: a count of messages is a number from 1 to 100000, not '0'"),
            ("disk 1 broken", "line 1, column 8: a disk's condition is one of ok, stall, full, fail, not 'broken'"),
            (
                "rule voteOncePerTrem off",
                "line 1, column 6: unknown rule 'voteOncePerTrem'; did you mean 'voteOncePerTerm'?"
            ), ("rule logMatching maybe", "line 1, column 18: it is on or off, not 'maybe'"),
            (
                "option speed 3",
                "line 1, column 8: unknown option 'speed': there are prevote, checkquorum, noop, lease, election-timeout, heartbeat, snapshot-every, snapshot-trailing"
            ), ("option heartbeat 1ms..2ms", "line 1, column 18: a heartbeat is one duration like 50ms"),
            ("option election-timeout 0", "line 1, column 25: an election timeout is between 1ms and 60s"),
            ("boot 1 log=1", "line 1, column 8: term=T is missing"),
            ("boot 1 term=1 log=1,2", "line 1, column 8: the log has an entry of term 2, and the node's term is 1"),
            ("boot 1 term=3 log=2,1", "line 1, column 21: terms never decrease along a log"),
            ("boot 1 term=3 log=1,x", "line 1, column 21: an entry is a term like 1, or 1:x=5, not 'x'"),
            ("boot 1 term=3 log=1:x", "line 1, column 19: an entry is a term like 1, or 1:x=5, not '1:x'"),
            ("boot 1 term=3 vote=9", "line 1, column 20: no node 9 in a cluster of 5"),
            ("boot 1 term=3 fast", "line 1, column 15: unexpected 'fast': term=T, vote=M and log=1,1,2 can follow"),
            ("boot 1 term=1\nboot 1 term=2", "line 2, column 6: n1 has its disk already"),
            (
                "boot 1 term=2 log=1,2\nboot 2 term=2 log=2,2",
                "line 2, column 6: the logs of n1 and n2 break Log Matching at entry 2: one term has one entry there, after the same ones"
            ),
            (
                "boot 1 term=2 log=1:x=1\nboot 2 term=2 log=1:x=2",
                "line 2, column 6: the logs of n1 and n2 break Log Matching at entry 1: one term has one entry there, after the same ones"
            ),
            ("wait leader\nboot 1 term=1", "line 2, column 1: 'boot' comes before anything that lets the nodes start"),
            ("when leader kill 1", "line 1, column 13: 'do' and a command are missing"),
            ("when leader do wait leader", "line 1, column 16: 'wait' can't be armed: a command can"),
            (
                "tolerate everything",
                "line 1, column 10: unknown property 'everything': there are election-safety, leader-append-only, log-matching, leader-completeness, state-machine-safety, monotone, linearizability, promise"
            ),
        ])
    func refused(text: String, message: String) {
        #expect(error(in: text) == message)
    }

    @Test("comments, blanks and empty lines say nothing")
    func nothing() throws {
        let script = try Script(parsing: "# a comment\n\n   \t \nset x 1 # another\r\n", nodes: 3)
        #expect(script.statements.map(\.line) == [4])
        #expect(error(in: "set # 2") == "line 1, column 8: a key is missing")
    }

    @Test("nodes are written 1 or n1, and leader stands for the one that leads")
    func nodes() throws {
        let script = try Script(parsing: "kill 1 n2 leader\ncut 1-n2 leader>3", nodes: 3)
        #expect(script.statements.map { "\($0.kind)" } == ["kill 1 2 leader", "cut 1-2 leader>3"])
    }

    @Test(
        "a line is printed as it is best written",
        arguments: [
            ("set \"x\" \"1\"", "set x 1"), ("incr n 1", "incr n"), ("latency 10ms..10ms", "latency 10ms"),
            ("latency 1-2 1000us", "latency 1-2 1ms"), ("loss 0.5%", "loss 0.5%"), ("speed 0.1", "speed 1/10"),
            ("step 1", "step"), ("step 20", "step 20"), ("load 100/s 16", "load 100/s"),
            ("load 5/s 256", "load 5/s 256"), ("load off", "load off"),
            ("speed 2.0", "speed 2"), ("speed 1/3", "speed 1/3"), ("partition 1,2|3", "partition 1,2 | 3"),
            ("partition 1, 2 | 3", "partition 1,2 | 3"),
            ("set x \"a b\" via 2 as bob retry &", "set x \"a b\" via 2 as bob retry &"),
            ("keys \"via\"", "keys \"via\""), ("wait leader within 10s", "wait leader"),
            ("sleep 1500ms", "sleep 1500ms"), ("expect acked 3", "expect acked = 3"),
            ("expect not leader", "expect no leader"),
            ("set k \"\\x00\\n\\t\\\"\\\\\\xff\"", "set k \"\\x00\\n\\t\\\"\\\\\\xff\""),
            ("set k \"#\"", "set k \"#\""),
            ("deliver #17 # the second", "deliver #17"), ("drop 1>2 1", "drop 1>2"), ("hold 1-2 3>1", "hold 1-2 3>1"),
            ("boot n1 log=1,1:x=5,2 vote=2 term=3", "boot 1 term=3 vote=2 log=1,1:x=5,2"),
            ("option election-timeout 150ms..300ms", "option election-timeout 150ms..300ms"),
            ("when no leader do set x 1 &", "when no leader do set x 1 &"),
            ("when result = ok \"do\" do heal", "when result = ok \"do\" do heal"),
            ("set käse 1", "set \"käse\" 1"), ("loss 1>2 20%", "loss 1>2 20%"), ("latency 0", "latency 0ms"),
        ])
    func printed(text: String, line: String) throws {
        let script = try Script(parsing: text, nodes: 5)
        #expect("\(script)" == line + "\n")
    }

    @Test("what is printed is read as what it was", arguments: 0..<20)
    func roundTrip(seed: UInt64) throws {
        var random = Generator(seed: seed)
        for _ in 0..<300 {
            let kind = random.statement()
            let text = "\(kind)"
            let read: Statement.Kind?
            do {
                read = try Statement.Kind(parsing: text, nodes: 9)
            } catch {
                Issue.record("\(text): \(error)")
                continue
            }
            #expect(read == kind, "\(text)")
        }
    }

    @Test("no line whatever makes the parser trap")
    func garbage() {
        var random = Generator(seed: 3)
        let letters = Array("ab 1>-|&#\"\\xn=<>!,.%/\u{301}\u{202e}é\t")
        let starts = [
            "set ", "cut ", "wait ", "expect ", "partition ", "latency ", "loss ", "speed ", "get ",
            "boot 1 term=1 log=", "deliver ", "when leader do ", "option ", "",
        ]
        for _ in 0..<20_000 {
            var line = starts[Int(random.below(UInt64(starts.count)))]
            for _ in 0..<random.below(20) { line.append(letters[Int(random.below(UInt64(letters.count)))]) }
            _ = try? Statement.Kind(parsing: line, nodes: 5)
        }
    }
}

extension String {
    fileprivate var bytes: Bytes { Bytes(utf8) }
}

// MARK: - Random statements

extension Generator {
    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(below(UInt64(elements.count)))]
    }

    private mutating func bytes() -> Bytes {
        let samples: [Bytes] = [
            Array("x".utf8), Array("via".utf8), Array("a b".utf8), [], [0, 1, 31, 127], [0xff, 0xc3], Array("é".utf8),
            Array("\"\\".utf8), Array("#1".utf8), Array("|&".utf8), Array("\r\n\t".utf8), Array("within".utf8),
            Array("on".utf8),
            Array("e\u{301}\u{202e}".utf8),
        ]
        return chance(0.7) ? pick(samples) : (0..<below(8)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    private mutating func text() -> String { String(decoding: bytes(), as: UTF8.self) }

    private mutating func node() -> NodeID { NodeID(Int(below(9)) + 1) }

    private mutating func reference() -> NodeReference { chance(0.2) ? .leader : .node(node()) }

    private mutating func link() -> LinkReference {
        let from = Int(below(9)) + 1
        let to = from % 9 + 1
        return LinkReference(
            from: .node(NodeID(from)), to: chance(0.1) ? .leader : .node(NodeID(to)), isBothWays: chance(0.5))
    }

    private mutating func some<Element>(_ element: (inout Generator) -> Element) -> [Element] {
        (0...below(2)).map { _ in element(&self) }
    }

    private mutating func duration() -> Interval {
        Interval(nanoseconds: Int64(below(1_000)) * pick([1, 1_000, 1_000_000, 1_000_000_000]))
    }

    private mutating func durations() -> ClosedRange<Interval> {
        let (one, other) = (duration(), duration())
        return min(one, other)...max(one, other)
    }

    private mutating func request() -> Request {
        switch below(6) {
        case 0: .write(.set(key: bytes(), value: bytes()))
        case 1: .write(.delete(key: bytes()))
        case 2: .write(.increment(key: bytes(), by: pick([1, -1, .max, .min, 7])))
        case 3: .write(.compareAndSet(key: bytes(), old: bytes(), new: bytes()))
        case 4: .get(key: bytes(), pick(ReadMode.allCases))
        default: .keys(prefix: bytes(), pick(ReadMode.allCases))
        }
    }

    private mutating func command() -> Command {
        switch below(19) {
        case 12: return .hold(some { $0.link() })
        case 13: return .release(chance(0.5) ? [] : some { $0.link() })
        case 14:
            let isNumbered = chance(0.5)
            return .messages(
                pick(MessageAction.allCases),
                isNumbered ? .numbered(next()) : .oldest(link(), count: Int(below(9)) + 1))
        case 15: return .align(some { $0.reference() })
        case 16: return .disk(reference(), pick(DiskCondition.allCases))
        case 17: return .rule(pick(Rule.allCases), isOn: chance(0.5))
        case 18: return .option(option())
        case 0..<4:
            let request = request()
            var name = text()
            if name.isEmpty || name.utf8.count > 32 || name.contains("~") { name = ClientCommand.defaultClient }
            return .client(
                ClientCommand(
                    request, client: name, via: chance(0.3) ? reference() : nil,
                    isRetry: !request.isRead && chance(0.3), isBackground: chance(0.3)))
        case 4:
            let action = pick(NodeAction.allCases)
            return .nodes(action, action == .timeout ? [reference()] : some { $0.reference() })
        case 5: return .cut(some { $0.link() })
        case 6: return .heal(chance(0.5) ? [] : some { $0.link() })
        case 7: return .partition([[.node(NodeID(1)), .leader], [.node(NodeID(2))]])
        case 8:
            let range = durations()
            let (low, high) = (min(range.lowerBound, Command.latencyMax), min(range.upperBound, Command.latencyMax))
            return .latency(chance(0.5) ? link() : nil, low...high)
        case 9: return .loss(chance(0.5) ? link() : nil, pick([0, 0.2, 0.005, 1, 0.333]))
        case 10: return .speed(pick([0.1, 0.001, 1, 4, 1.0 / 3, 0.3, 2.5]))
        default: return pick([.freeze, .thaw, .undo, .reset, .isolate(.leader)])
        }
    }

    private mutating func option() -> OptionChange {
        func length() -> Interval { .milliseconds(Int64(below(60_000)) + 1) }
        let (one, other) = (length(), length())
        return pick([
            .preVote(chance(0.5)), .checkQuorum(chance(0.5)), .noop(chance(0.5)), .lease(chance(0.5)), .heartbeat(one),
            .electionTimeout(min(one, other)...max(one, other)),
        ])
    }

    private mutating func boot() -> Boot {
        var log: [Boot.Entry] = []
        var term: UInt64 = 1
        for _ in 0..<below(5) {
            term += below(2)
            let assignment = Boot.Assignment(key: pick(["x", "é", "a:b"]).bytes, value: pick(["", "5", "a=b"]).bytes)
            log.append(.init(term: Term(term), assignment: chance(0.5) ? nil : assignment))
        }
        return Boot(node: node(), term: Term(term + below(3)), vote: chance(0.5) ? nil : node(), log: log)
    }

    private mutating func condition() -> Condition {
        switch below(15) {
        case 10: .stale
        case 11: .safe
        case 12: .linearizable
        case 13: .violation(pick(Property.allCases))
        case 0: .leader
        case 1: .leads(node())
        case 2: .role(node(), pick(Standing.allCases))
        case 3: .number(pick(Condition.NodeNumber.allCases), node(), pick(Condition.Comparison.allCases), next())
        case 4: .vote(node(), isEqual: chance(0.5), chance(0.3) ? nil : node())
        case 5: .log(node(), isEqual: chance(0.5), chance(0.3) ? [] : some { Term($0.below(9)) })
        case 6: .value(key: bytes(), isEqual: chance(0.5), bytes(), on: chance(0.5) ? node() : nil)
        case 7: .result(isEqual: chance(0.5), pick(Condition.results), chance(0.5) ? bytes() : nil)
        case 8: .acknowledged(pick(Condition.Comparison.allCases), below(100))
        case 9: .converged
        default: .not(condition())
        }
    }

    fileprivate mutating func statement() -> Statement.Kind {
        switch below(12) {
        case 9: .boot(boot())
        case 10: .when(condition(), command())
        case 11: .tolerate(pick(Property.allCases))
        case 0: .title(text())
        case 1: .say(text())
        case 2: .cluster(Int(below(9)) + 1)
        case 3: .sleep(duration())
        case 4: .wait(condition(), within: chance(0.3) ? Statement.usualPatience : duration())
        case 5: .expect(condition())
        default: .command(command())
        }
    }
}

import Bench
import Canvas
import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import RaftTransport
import Testing

@testable import Dashboard

struct PageTests {
    /// Five servers that have elected n3, with some writes, one server down, and messages on their way.
    private func stage() -> Stage { Stage.scene(rows: 40, columns: 120) }

    @Test("Enter opens the selected server: all of Figure 2, its disk and its timer")
    func node() {
        var stage = stage()
        stage.type("3")
        stage.press(.enter)
        for word in [
            "currentTerm       2", "votedFor          n3", "commitIndex       9", "lastApplied       9", "next 11",
            "match 9", "election timer    none: it leads",
        ] { #expect(stage.screen.contains(word), "\(word)\n\(stage.screen)") }
        stage.press(.escape)
        #expect(!stage.screen.contains("currentTerm"))
        stage.type("5")
        stage.press(.enter)
        #expect(stage.screen.contains("Volatile: lost, for it is down"))
    }

    @Test("a page that is opened from another goes back to it")
    func nested() {
        var stage = stage()
        stage.type("3")
        stage.press(.enter)
        for _ in 0..<40 { stage.press(.up) }
        while !stage.screen.contains("▌n1") { stage.press(.down) }
        stage.press(.enter)
        #expect(stage.screen.contains("○ follower"))
        #expect(!stage.screen.contains("none: it leads"))
        stage.press(.escape)
        #expect(stage.screen.contains("none: it leads"))
        stage.press(.escape)
        #expect(!stage.screen.contains("currentTerm"))
    }

    @Test("what led to something that is no longer kept can't be shown, and is asked for in vain")
    func longAgo() {
        var stage = stage()
        let clock = Event(at: stage.model.now, sequence: 1, kind: .clock(ClockRate(rate: 0.1)))
        stage.update(.events(Array(repeating: clock, count: 120_000), now: stage.model.now))
        stage.type("!")
        for _ in 0..<40 {
            stage.press(.down, .enter)
            #expect(!stage.screen.contains("because"))
        }
        #expect(stage.screen.contains("Rules"))
        stage.press(.up)
        while !stage.screen.contains("too long ago") { stage.press(.up, .enter) }
    }

    @Test("a message is not sent yet at a moment before it was")
    func notYet() {
        var stage = stage()
        stage.press(.backTab, .enter, .enter)
        #expect(stage.screen.contains("leaderCommit"))
        for _ in 0..<8 { stage.press(.left) }
        #expect(stage.screen.contains("it is not sent yet"))
        #expect(!stage.screen.contains("leaderCommit"))
    }

    @Test(
        "a message's page lists its frame as it crosses the socket, sixteen bytes a row, and says how much is left out")
    func frame() throws {
        func listing(of key: String, _ value: [UInt8]) -> [String] {
            let command = SessionCommand(.set(key: key.bytes, value: value)).encoded()
            let append = Append(
                previous: .zero, entries: [Entry(term: Term(1), payload: .command(command))], commit: .zero,
                round: .zero)
            let message = Message(
                from: NodeID(1), incarnation: .first, to: NodeID(2), term: Term(1), body: .append(append))
            var stage = Stage(3, rows: 60, columns: 120)
            stage.happen(.sent(MessageSent(number: 17, message: message, due: nil)))
            let page = Page.Subject.message(17, sentAt: stage.model.timeline.end - 1)
            return stage.model.lines(of: page, columns: 110).map { $0.pieces.map(\.text).joined() }
        }
        let lines = listing(of: "planet", "x".bytes)
        #expect(lines.contains { $0.hasPrefix("The frame, ") })
        #expect(lines.contains { $0.hasPrefix("0000  ") && $0.contains(" 04 ·· ·· ·· ·· ·· ·· ·· ·· 11 00 00 ") })
        #expect(lines.contains { $0.hasPrefix("0010  ") })
        #expect(lines.contains { $0.contains("planet") })
        let long = listing(of: "y", [UInt8](repeating: 0x7a, count: 900))
        #expect(long.filter { $0.hasSuffix("zzzzzzzzzzzzzzzz") }.count > 8)
        #expect(long.filter { $0.hasPrefix("00f0  ") }.count == 1)
        #expect(!long.contains { $0.hasPrefix("0100  ") })
        #expect(try #require(long.last).hasPrefix("… ") && long.last?.hasSuffix(" more bytes") == true)
    }

    @Test("the bytes of a snapshot are in no trace, and none are made up")
    func snapshotFrame() throws {
        let chunk = SnapshotChunk(
            mark: SnapshotMark(last: LogPosition(term: Term(1), index: LogIndex(5)), configuration: .init(count: 3)),
            size: 40, offset: 0, bytes: [UInt8](repeating: 0x41, count: 40), round: .zero, lease: .zero)
        let sent = MessageSent(
            number: 9,
            message: Message(
                from: NodeID(1), incarnation: .first, to: NodeID(2), term: Term(1), body: .snapshot(chunk)),
            due: nil)
        func listing(isReplay: Bool) -> String {
            let model = Model(
                size: Size(rows: 40, columns: 120), isASCII: false, speed: 1, isReplay: isReplay,
                frameBytes: { $0.frame(number: $1) })
            return model.frameLines(of: sent, columns: 110).flatMap(\.pieces).map(\.text).joined()
        }
        #expect(listing(isReplay: false).contains("AAAAAAAA"))
        #expect(!listing(isReplay: true).contains("A"))
        #expect(listing(isReplay: true).contains("·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ·· ··"))
    }

    @Test("a node that was wiped says so until it starts again")
    func wiped() {
        var stage = stage()
        stage.happen(.node(NodeID(4), .zero, .stopped(NodeStopped(how: .wipe))))
        stage.type("4")
        #expect(stage.screen.contains("wiped"))
        stage.press(.enter)
        #expect(stage.screen.contains("empty: it remembers no term, no vote and no log"))
        stage.happen(.node(NodeID(4), .zero, .started(NodeStarted(incarnation: Incarnation(2), vote: nil, log: []))))
        #expect(!stage.screen.contains("empty: it remembers"))
        stage.press(.escape)
        #expect(!stage.screen.contains("wiped"))
    }

    @Test("what clients were promised is told of the moment that is shown")
    func promisedThen() {
        var stage = Stage(3, rows: 40, columns: 120)
        stage.act { $0.elect(NodeID(1)) }
        let call = ClientCall(
            client: "c1", call: 1, request: .write(.set(key: "x".bytes, value: "1".bytes)), isRetry: false)
        stage.happen(.called(call))
        let asked = stage.model.timeline.end - 1
        stage.happen(.returned(ClientReturn(client: "c1", call: 1, result: .ok)))
        stage.type("a")
        #expect(stage.screen.contains("1 write promised") && stage.screen.contains("there is a leader"))
        stage.press(.escape)
        stage.press(.home)
        stage.type("a")
        #expect(stage.screen.contains("0 writes promised") && stage.screen.contains("no leader for"))
        stage.press(.escape)
        stage.look(at: asked)
        stage.type("a")
        #expect(stage.screen.contains("0 writes promised; 1 call open"))
    }

    @Test("Enter in the cluster lists the messages, each with its fields, to be delivered, lost, doubled or held")
    func messages() {
        var stage = stage()
        stage.press(.backTab)
        stage.press(.enter)
        #expect(stage.screen.contains("#18"))
        #expect(stage.type("d") == [.perform(.messages(.deliver, .numbered(18)))])
        #expect(stage.type("x") == [.perform(.messages(.drop, .numbered(18)))])
        #expect(stage.type("D") == [.perform(.messages(.duplicate, .numbered(18)))])
        let link = LinkReference(from: .node(NodeID(3)), to: .node(NodeID(1)), isBothWays: false)
        #expect(stage.type("h") == [.perform(.hold([link]))])
        stage.press(.enter)
        for word in ["AppendEntries (Figure 2)", "prevLogIndex      9", "prevLogTerm       2", "leaderCommit      9"] {
            #expect(stage.screen.contains(word), "\(word)")
        }
        #expect(stage.type("x") == [.perform(.messages(.drop, .numbered(18)))])
        stage.happen(.delivered(MessageDelivered(number: 18, from: NodeID(3), to: NodeID(1))))
        #expect(stage.screen.contains("ended"))
        #expect(stage.type("x") == [])
        #expect(stage.screen.contains("#18 has arrived"))
    }

    @Test("Enter in the logs lists the entries: where each is on disk, where it is committed, and what it holds")
    func entries() {
        var stage = stage()
        stage.press(.tab)
        stage.press(.enter)
        let lines = stage.screen.split(separator: "\n").map(String.init)
        let tenth = lines.first { $0.contains("set x 5") && $0.contains("nobody") }
        #expect(tenth?.contains("10") == true)
        #expect(lines.contains { $0.contains("set k1 7") && $0.contains("n1,3") }, "\(stage.screen)")
    }

    @Test("the options are switched by Enter, and those with a value are put at the prompt")
    func options() {
        var stage = stage()
        stage.type("o")
        #expect(stage.press(.enter) == [.perform(.option(.preVote(false)))])
        #expect(stage.press(.down, .enter) == [.perform(.option(.checkQuorum(false)))])
        #expect(stage.press(.down, .down, .down, .enter) == [])
        #expect(stage.screen.contains(":option election-timeout"))
    }

    @Test("what clients asked and were told stands with the faults, the promises and the time without a leader")
    func operations() {
        var stage = stage()
        let call = ClientCall(client: "c1", call: 1, request: .write(.set(key: "x".bytes, value: "1".bytes)))
        let open = ClientCall(client: "c2", call: 2, request: .get(key: "x".bytes, .readindex), via: NodeID(2))
        stage.happen(.called(call))
        stage.happen(.called(open))
        stage.happen(.returned(ClientReturn(client: "c1", call: 1, result: .ok)))
        stage.happen(.command(CommandDone(text: "kill leader")))
        stage.act { $0.crash(NodeID(3)) }
        stage.act { $0.now = $0.now + .milliseconds(250) }
        stage.type("a")
        for word in [
            "1 write promised; 1 call open", "no leader for 250 ms", "kill leader", "250 ms so far", "set x 1",
            "get x via 2",
        ] { #expect(stage.screen.contains(word), "\(word)\n\(stage.screen)") }
        stage.press(.escape)
        stage.act { bench in
            bench.now = bench.now + .milliseconds(350)
            bench.deliver()
            bench.elect(NodeID(2))
        }
        stage.type("a")
        #expect(stage.screen.contains("there is a leader"))
        #expect(stage.screen.contains("600 ms"), "how long the fault has cost")
    }

    @Test("e says why: an event and what led to it, each of them a moment to go to")
    func why() throws {
        var stage = stage()
        stage.type("/leads term 2\n")
        stage.type("e")
        #expect(stage.screen.contains("n3 leads term 2 with 3 votes, 3 needed (§5.2)"))
        #expect(stage.screen.contains("because n3 hears yes from"))
        stage.press(.down, .enter)
        #expect(stage.model.past != nil)
        #expect(stage.model.picture[NodeID(3)]?.role != .leader)
        #expect(!stage.screen.contains("because"))
    }

    @Test("on a wide screen a page is narrower, and its arrows go through the lines as they stand there")
    func wide() {
        var stage = Stage.scene(rows: 60, columns: 200)
        let text = "partition " + (1...40).map { "word\($0)" }.joined(separator: " ")
        stage.happen(.command(CommandDone(text: text)))
        stage.type("e")
        stage.press(.down, .down, .down)
        let line = stage.screen.split(separator: "\n").first { $0.contains("▌") && $0.contains("word40") }
        #expect(line != nil, "\(stage.screen)")
    }

    @Test("the rules stand with the server on which each was at work last, and a switch for those that have one")
    func rules() {
        var stage = Stage.scene(rows: 60, columns: 120)
        stage.type("!")
        let lines = stage.screen.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.contains("One vote in a term") && $0.contains("§5.2") && $0.contains("00:00.400") })
        #expect(lines.contains { $0.contains("●   One vote") }, "it was just at work")
        stage.act { $0.now = $0.now + .milliseconds(100) }
        #expect(stage.screen.contains("✓   One vote"))
        for _ in 0..<60 where !stage.screen.contains("▌✓   One vote") { stage.press(.down) }
        #expect(stage.type("x") == [.perform(.rule(.voteOncePerTerm, isOn: false))])
        var settings = Settings()
        settings.rules[.voteOncePerTerm] = false
        stage.happen(.settings(SettingsChanged(settings)))
        #expect(stage.screen.contains("OFF One vote"))
        #expect(stage.type("x") == [.perform(.rule(.voteOncePerTerm, isOn: true))])
        stage.press(.enter)
        #expect(stage.screen.contains("votes for n3 in term 2"))
    }

    @Test("a line is typed over a page, which stays")
    func typing() {
        var stage = stage()
        stage.type("3")
        stage.press(.enter)
        stage.type(":set x")
        #expect(stage.screen.contains("currentTerm") && stage.screen.contains(":set x"))
        stage.press(.escape)
        #expect(stage.screen.contains("currentTerm"))
        stage.type(":freeze")
        #expect(stage.press(.enter).contains(.perform(.freeze)))
        #expect(stage.screen.contains("currentTerm"))
        stage.type(":help\n")
        stage.press(.escape)
        #expect(!stage.screen.contains("currentTerm"), "the help has taken its place")
    }

    @Test("a page speaks of the moment that is looked back at, and changes nothing then")
    func past() {
        var stage = stage()
        stage.press(.left, .left, .left)
        stage.type("o")
        #expect(stage.press(.enter) == [])
        stage.press(.escape)
        stage.type("3")
        stage.press(.enter)
        #expect(!stage.screen.contains("lastApplied       9"))
        #expect(stage.screen.contains("PAST"))
    }
}

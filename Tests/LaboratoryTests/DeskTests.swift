import KeyValue
import Laboratory
import RaftCore
import RaftTrace
import Testing

/// Where commands become orders, without a cluster.
struct DeskTests {
    private var desk = Desk(
        nodes: (1...3).map { NodeID($0) }, settings: Settings(), speed: 1, latency: .zero ... .zero)

    init() { _ = desk.startAll() }

    private func node(_ number: Int) -> NodeReference { .node(NodeID(number)) }

    private mutating func orders(_ command: Command, seeing picture: Picture = Picture()) throws -> [Order] {
        try desk.orders(for: command, seeing: picture)
    }

    private mutating func refusal(_ command: Command, seeing picture: Picture = Picture()) -> String? {
        do {
            _ = try desk.orders(for: command, seeing: picture)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("what can't be done for one of several servers is done for none")
    mutating func wholeOrNothing() throws {
        #expect(refusal(.nodes(.kill, [node(1), node(9)])) == "no node 9 in a cluster of 3")
        #expect(try orders(.nodes(.kill, [node(1)])) == [.stop(NodeID(1), .kill)], "n1 was not killed before")
        #expect(refusal(.nodes(.kill, [node(2), node(1)])) == "n1 is down already")
        #expect(refusal(.nodes(.kill, [node(2), node(2)])) == "n2 is down already", "not twice in one line either")
        #expect(try orders(.undo) == [.start(NodeID(1))])
    }

    @Test("undo takes back all that one command did, but for what was mended by hand since")
    mutating func undoesWholeCommands() throws {
        _ = try orders(.disk(node(1), .full))
        _ = try orders(.nodes(.kill, [node(1), node(2), node(3)]))
        _ = try orders(.nodes(.revive, [node(2)]))
        #expect(try orders(.undo) == [.start(NodeID(3)), .start(NodeID(1))])
        #expect(try orders(.undo) == [.disk(NodeID(1), .ok)])
    }

    @Test("undo says which command it takes back")
    mutating func takenBack() throws {
        _ = try orders(.nodes(.kill, [node(1), node(2)]))
        _ = try orders(.disk(node(3), .full))
        #expect(desk.takenBack == nil)
        _ = try orders(.undo)
        #expect(desk.takenBack == "disk 3 full")
        _ = try orders(.undo)
        #expect(desk.takenBack == "kill 1 2")
        _ = try orders(.freeze)
        #expect(desk.takenBack == nil)
    }

    @Test("a command is taken back as a whole after more faults than are kept, too")
    mutating func undoesAfterMany() throws {
        for _ in 0..<200 {
            _ = try orders(.nodes(.kill, [node(2)]))
            _ = try orders(.nodes(.revive, [node(2)]))
        }
        _ = try orders(.nodes(.kill, [node(1), node(3)]))
        #expect(try orders(.undo) == [.start(NodeID(3)), .start(NodeID(1))])
    }

    @Test("undo takes back the last fault that still stands, and what was mended by hand is no fault any more")
    mutating func undo() throws {
        _ = try orders(.nodes(.kill, [node(1)]))
        _ = try orders(.nodes(.wipe, [node(2)]))
        _ = try orders(.nodes(.pause, [node(3)]))
        _ = try orders(.nodes(.resume, [node(3)]))
        #expect(try orders(.undo) == [.unwipe(NodeID(2)), .start(NodeID(2))])
        #expect(try orders(.undo) == [.start(NodeID(1))])
        #expect(refusal(.undo) == "there is no fault to take back")
    }

    @Test("a disk is taken away once, until there is another")
    mutating func wipeTwice() throws {
        _ = try orders(.nodes(.wipe, [node(3)]))
        #expect(refusal(.nodes(.wipe, [node(3)])) == "the disk of n3 is taken away already")
        #expect(try orders(.undo) == [.unwipe(NodeID(3)), .start(NodeID(3))])
        _ = try orders(.nodes(.wipe, [node(3)]))
    }

    @Test("a partition cuts between groups and heals within them, and is taken back as a whole")
    mutating func partition() throws {
        _ = try orders(.cut([LinkReference(from: node(1), to: node(2))]))
        let orders = try orders(.partition([[node(1), node(2)], [node(3)]]))
        #expect(orders.count { if case .link(_, .cut) = $0 { true } else { false } } == 4)
        #expect(orders.count { if case .link(_, .heal) = $0 { true } else { false } } == 2)
        #expect(
            refusal(.partition([[node(1), node(2)], [node(3)]])) == "the cluster is partitioned like that already")
        #expect(try self.orders(.undo).count == 6)
        #expect(refusal(.cut([LinkReference(from: node(1), to: node(2))]))?.hasSuffix("it is cut already") == true)
    }

    @Test("steps are for a clock that stands still")
    mutating func steps() throws {
        #expect(refusal(.step(1)) == "step works while the clock stands still: freeze it first")
        _ = try orders(.freeze)
        #expect(try orders(.step(3)) == [.step(3)])
        #expect(refusal(.step(0)) == "steps are 1 to 10000 at a time")
        #expect(refusal(.step(10_001)) == "steps are 1 to 10000 at a time")
        _ = try orders(.thaw)
        #expect(refusal(.step(1)) != nil)
    }

    @Test("a load ends once, and its clients are nobody else's")
    mutating func load() throws {
        #expect(refusal(.load(nil)) == "there is no load")
        #expect(refusal(.load(Load(rate: 0))) == "a load is 1/s to 100000/s")
        #expect(refusal(.load(Load(rate: 9, clients: 257))) == "a load has 1 to 256 clients")
        #expect(try orders(.load(Load(rate: 9))) == [.load(Load(rate: 9, clients: 16))])
        #expect(try orders(.load(Load(rate: 10))) == [.load(Load(rate: 10))], "another rate takes its place")
        #expect(try orders(.load(nil)) == [.load(nil)])
        #expect(refusal(.load(nil)) == "there is no load")
        _ = try orders(.load(Load(rate: 9)))
        _ = try orders(.reset)
        #expect(refusal(.load(nil)) == "there is no load", "a fresh cluster has none")
        let call = ClientCommand(.write(.set(key: [1], value: [1])), client: "load3")
        #expect(refusal(.client(call)) == "load3 is a client of the load: choose another name")
        _ = try orders(.client(ClientCommand(.write(.set(key: [1], value: [1])), client: "loader")))
    }

    @Test("a load is as much as was asked for, and makes up for little of what it missed")
    func schedule() {
        var schedule = LoadSchedule(Load(rate: 1_000, clients: 2), at: .zero)
        func moment(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }
        #expect(schedule.next(at: moment(0)) == 1)
        #expect(schedule.next(at: moment(0)) == nil, "a write a millisecond")
        #expect(schedule.deadline == moment(1))
        #expect(schedule.next(at: moment(1)) == 2)
        #expect(schedule.next(at: moment(2)) == nil && schedule.deadline == nil, "both wait for their answers")
        schedule.finish(2)
        schedule.finish(3)
        #expect(schedule.next(at: moment(1_000)) == 2)
        var count = 0
        for _ in 1...100 {
            schedule.finish(1)
            if schedule.next(at: moment(1_000)) != nil { count += 1 }
        }
        #expect((9...11).contains(count), "ten milliseconds' worth, not a second's")
    }

    @Test("held links, timers and disks can't be held twice, nor freed where they are free")
    mutating func switches() throws {
        let link = LinkReference(from: node(1), to: node(2), isBothWays: false)
        #expect(try orders(.hold([link])) == [.link(.init(from: NodeID(1), to: NodeID(2)), .hold)])
        #expect(refusal(.hold([link]))?.hasSuffix("it is held already") == true)
        #expect(try orders(.release([])) == [.link(.init(from: NodeID(1), to: NodeID(2)), .release)])
        #expect(refusal(.release([]))?.hasSuffix("nothing is held there") == true)
        #expect(refusal(.nodes(.freeTimer, [node(1)])) == "the timer of n1 isn't held")
        #expect(try orders(.nodes(.holdTimer, [node(1)])) == [.holdTimer(NodeID(1), true)])
        #expect(refusal(.nodes(.holdTimer, [node(1)])) == "the timer of n1 is held already")
        #expect(try orders(.disk(node(2), .stall)) == [.disk(NodeID(2), .stall)])
        #expect(refusal(.disk(node(2), .stall)) == "the disk of n2 is stall already")
        #expect(try orders(.undo) == [.disk(NodeID(2), .ok)])
    }

    @Test("lease reads are refused where no leader has a lease")
    mutating func leases() throws {
        let command = Command.client(ClientCommand(.get(key: [0x78], .lease)))
        #expect(refusal(command) == "lease reads are off: option lease on lets a leader answer them")
        _ = try orders(.option(.lease(true)))
        #expect(try orders(command).count == 1)
        _ = try orders(.option(.lease(false)))
        #expect(refusal(command) != nil)
        #expect(refusal(.client(ClientCommand(.keys(prefix: [], .lease)))) != nil)
    }

    @Test("a rule that is switched off stays so through a reset, and links and timers don't")
    mutating func reset() throws {
        #expect(refusal(.rule(.logMatching, isOn: true)) == "the rule logMatching is on already")
        _ = try orders(.rule(.logMatching, isOn: false))
        _ = try orders(.nodes(.holdTimer, [node(1)]))
        _ = try orders(.isolate(node(1)))
        _ = try orders(.freeze)
        #expect(try orders(.reset) == [.restart])
        #expect(!desk.settings.rules[.logMatching])
        #expect(!desk.isFrozen)
        #expect(refusal(.nodes(.freeTimer, [node(1)])) == "the timer of n1 isn't held")
        #expect(refusal(.heal([]))?.hasSuffix("nothing is cut there") == true)
        #expect(refusal(.nodes(.revive, [node(1)])) == "n1 runs already")
    }

    @Test("a message is known by its number, or as the oldest of a link, while it is on its way")
    mutating func messages() throws {
        var picture = Picture()
        let message = Message(
            from: NodeID(1), incarnation: .first, to: NodeID(3), term: Term(1),
            body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))
        picture.apply(
            Event(at: .zero, sequence: 1, kind: .sent(MessageSent(number: 17, message: message, due: nil))))
        let link = Picture.LinkID(from: NodeID(1), to: NodeID(3))
        #expect(try orders(.messages(.drop, .numbered(17)), seeing: picture) == [.messages(.drop, link, .numbered(17))])
        #expect(refusal(.messages(.drop, .numbered(18)), seeing: picture) == "no message #18 is on its way")
        let both = LinkReference(from: node(3), to: node(1))
        #expect(
            try orders(.messages(.deliver, .oldest(both, count: 2)), seeing: picture)
                == [.messages(.deliver, link, .oldest(2))])
        #expect(refusal(.messages(.deliver, .oldest(both, count: 2))) == "no message is on its way on 3-1")
    }

    @Test("while the clock is frozen its speed is only remembered")
    mutating func clock() throws {
        #expect(try orders(.freeze) == [.clock(rate: 0)])
        #expect(try orders(.speed(2)) == [])
        #expect(try orders(.thaw) == [.clock(rate: 2)])
        #expect(refusal(.thaw) == "the clock isn't frozen")
        #expect(refusal(.speed(9)) == "a speed is between 1/1000 and 4")
    }

    @Test("a write that no message has room for is refused before anybody has to carry it")
    mutating func size() throws {
        let large = Request.write(.set(key: [1], value: Bytes(repeating: 1, count: Operation.bytesMax)))
        #expect(refusal(.client(ClientCommand(large))) == "a write has at most 1 MiB, and this has 1048577 bytes")
        let fits = Request.write(.set(key: [1], value: Bytes(repeating: 1, count: Operation.bytesMax - 1)))
        #expect(refusal(.client(ClientCommand(fits))) == nil)
    }

    @Test("only a client's last write is sent again")
    mutating func retry() throws {
        let first = Request.write(.set(key: [1], value: [1]))
        #expect(refusal(.client(ClientCommand(first, isRetry: true))) != nil)
        _ = try orders(.client(ClientCommand(first)))
        #expect(refusal(.client(ClientCommand(first, isRetry: true))) == nil)
        #expect(refusal(.client(ClientCommand(first, client: "c2", isRetry: true))) != nil)
    }
}

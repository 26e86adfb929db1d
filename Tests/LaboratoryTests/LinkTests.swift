import Laboratory
import RaftCore
import RaftTrace
import Testing

struct LinkTests {
    private var random = Generator(seed: 1)
    private let message = Message(
        from: NodeID(1), incarnation: .first, to: NodeID(2), term: Term(1),
        body: .voteResponse(VoteResponse(poll: .vote, isGranted: true)))

    private mutating func put(_ link: inout Link, _ number: UInt64, at now: Instant, isFrozen: Bool = false) -> String {
        switch link.put(message, number: number, at: now, isFrozen: isFrozen, random: &random) {
        case .passes: "passes"
        case .waits: "waits"
        case .lost(let why): "lost: \(why)"
        }
    }

    @Test("a link without delay lets everything through; a frozen clock holds even that")
    mutating func instant() {
        var link = Link()
        #expect(put(&link, 1, at: .zero) == "passes")
        #expect(put(&link, 2, at: .zero, isFrozen: true) == "waits")
        #expect(put(&link, 3, at: .zero) == "waits", "it doesn't overtake the one that waits")
        #expect(link.next(by: .zero)?.number == 2)
        #expect(link.next(by: .zero)?.number == 3)
        #expect(put(&link, 4, at: .zero) == "passes")
    }

    @Test("a shorter delay is one for messages that are on their way, too, and an emptied link delays nothing")
    mutating func shorter() {
        var link = Link()
        _ = link.apply(.latency(.seconds(60) ... .seconds(60)), at: .zero)
        #expect(put(&link, 1, at: .zero) == "waits")
        _ = link.apply(.latency(.milliseconds(1) ... .milliseconds(10)), at: .zero)
        #expect(link.deadline == .zero + .milliseconds(10))
        _ = link.apply(.latency(.seconds(60) ... .seconds(60)), at: .zero)
        #expect(put(&link, 2, at: .zero) == "waits")
        #expect(link.apply(.cut, at: .zero).map(\.number) == [1, 2])
        _ = link.apply(.heal, at: .zero)
        _ = link.apply(.latency(.milliseconds(10) ... .milliseconds(10)), at: .zero)
        #expect(put(&link, 3, at: .zero) == "waits")
        #expect(link.deadline == .zero + .milliseconds(10))
    }

    @Test("delays are drawn from the range, and messages keep their order")
    mutating func order() {
        var link = Link(latency: .milliseconds(10) ... .milliseconds(30))
        var last = Instant.zero
        for number in 1...200 as ClosedRange<UInt64> {
            let now = Instant(nanoseconds: Int64(number) * 1_000_000)
            guard case .waits(let due?) = link.put(message, number: number, at: now, isFrozen: false, random: &random)
            else {
                Issue.record("not delayed")
                return
            }
            #expect(due >= last)
            #expect(due >= now + .milliseconds(10))
            #expect(due <= now + .milliseconds(30))
            last = due
        }
        #expect(link.next(by: .zero) == nil)
        var arrived: [UInt64] = []
        while let next = link.next(by: last) { arrived.append(next.number) }
        #expect(arrived == Array(1...200))
    }

    @Test("a cut loses what is on the link and all that comes, until it is healed")
    mutating func cut() {
        var link = Link(latency: .milliseconds(10) ... .milliseconds(10))
        _ = put(&link, 1, at: .zero)
        _ = put(&link, 2, at: .zero)
        #expect(link.apply(.cut, at: .zero).map(\.number) == [1, 2])
        #expect(put(&link, 3, at: .zero) == "lost: cut")
        _ = link.apply(.heal, at: .zero)
        #expect(put(&link, 4, at: .zero) == "waits")
    }

    @Test("a lossy link loses about as many as it says")
    mutating func loss() {
        var link = Link()
        _ = link.apply(.loss(0.2), at: .zero)
        let lost = (1...10_000 as ClosedRange<UInt64>).count { put(&link, $0, at: .zero) == "lost: chance" }
        #expect((1_800...2_200).contains(lost))
    }

    @Test("a link holds only so many")
    mutating func bounded() {
        var link = Link()
        for number in 0..<UInt64(Link.waitingMax) { _ = put(&link, number, at: .zero, isFrozen: true) }
        #expect(put(&link, 1, at: .zero, isFrozen: true) == "lost: full")
    }

    @Test("a held link keeps everything, in order, until it is released")
    mutating func held() {
        var link = Link()
        _ = link.apply(.hold, at: .zero)
        #expect(link.state(from: NodeID(1), to: NodeID(2)).isHeld)
        for number in 1...3 as ClosedRange<UInt64> { #expect(put(&link, number, at: .zero) == "waits") }
        #expect(link.deadline == nil)
        #expect(link.next(by: Instant(nanoseconds: .max)) == nil)
        _ = link.apply(.release, at: .zero + .seconds(1))
        #expect(link.deadline.map { $0 <= .zero + .seconds(1) } == true)
        var arrived: [UInt64] = []
        while let next = link.next(by: .zero + .seconds(1)) { arrived.append(next.number) }
        #expect(arrived == [1, 2, 3])
    }

    @Test("messages are delivered, dropped and doubled by hand: the one of a number, or the oldest")
    mutating func byHand() {
        var link = Link()
        _ = link.apply(.hold, at: .zero)
        for number in 1...4 as ClosedRange<UInt64> { _ = put(&link, number, at: .zero) }
        #expect(link.handle(.deliver, .numbered(3), number: { 0 }).delivered.map(\.number) == [3])
        #expect(link.handle(.deliver, .numbered(3), number: { 0 }).delivered.isEmpty, "it is gone")
        var drawn: UInt64 = 9
        let copies = link.handle(
            .duplicate, .oldest(2),
            number: {
                drawn += 1; return drawn
            }
        ).copies
        #expect(copies.count == 2)
        #expect(link.handle(.drop, .oldest(1), number: { 0 }).lost.map(\.number) == [1])
        #expect(
            link.handle(.deliver, .oldest(9), number: { 0 }).delivered.count == 4, "a copy of 1, 2, its copy, and 4")
        #expect(link.count == 0)
    }
}

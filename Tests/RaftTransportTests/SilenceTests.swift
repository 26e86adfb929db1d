import NIOCore
import RaftCore
import Testing

@testable import RaftTransport

/// When an end of a connection has been silent for too long.
struct SilenceTests {
    private var silence = Silence(max: .seconds(2))

    private mutating func isOver(at moment: Int64, owed: Bool = true, age: Int64) -> Bool {
        let known = Acknowledgements(isOwed: owed, age: .milliseconds(age))
        return silence.isOver(known, at: NIODeadline.uptimeNanoseconds(1 << 60) + .milliseconds(moment))
    }

    @Test("one that has been owing an acknowledgement for too long is silent, however long before it sent the last one")
    mutating func owing() {
        #expect(!isOver(at: 0, age: 60_000), "something was sent just now on a connection that was quiet")
        #expect(!isOver(at: 1_999, age: 61_999))
        #expect(isOver(at: 2_000, age: 62_000))
    }

    @Test("one that acknowledges something goes on, however much it still owes")
    mutating func slow() {
        for moment in 0..<20 as Range<Int64> { #expect(!isOver(at: moment * 500, age: moment == 0 ? 900 : 400)) }
        #expect(!isOver(at: 11_000, age: 1_900))
        #expect(isOver(at: 11_500, age: 2_400))
    }

    @Test("one that owes nothing may say nothing for as long as it likes")
    mutating func quiet() {
        #expect(!isOver(at: 0, age: 500))
        #expect(!isOver(at: 1_900, owed: false, age: 2_400))
        #expect(!isOver(at: 60_000, owed: false, age: 60_000))
        #expect(!isOver(at: 60_500, age: 60_500))
        #expect(!isOver(at: 62_000, age: 62_000))
        #expect(isOver(at: 62_500, age: 62_500))
    }
}

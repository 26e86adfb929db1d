import Bench
import KeyValue
import RaftCore
import RaftTrace
import Testing

@testable import Dashboard

struct StatisticsTests {
    @Test("of a load the screen says what it asks for and what is done, of its own clients alone")
    func load() {
        var stage = Stage(3, rows: 40, columns: 120)
        stage.act { $0.elect(NodeID(1)) }
        #expect(!stage.screen.contains("through"))
        stage.happen(.load(Load(rate: 10_000)))
        #expect(stage.screen.contains("load 10,000/s: 0/s through"))
        for number in 1...2_460 as ClosedRange<UInt64> {
            let client = number % 2 == 0 ? Load.client(1) : "c1"
            stage.happen(.returned(ClientReturn(client: client, call: number, result: .ok)))
        }
        stage.happen(.returned(ClientReturn(client: Load.client(2), call: 9_999, result: .unknown)))
        #expect(stage.screen.contains("load 10,000/s: 615/s through"), "1,230 in two seconds")
        stage.happen(.load(nil))
        #expect(!stage.screen.contains("through"))
    }

    @Test("long indices keep to their columns: of each its end is shown")
    func longIndices() {
        for (isASCII, cut) in [(false, "…"), (true, "~")] {
            var stage = Stage(3, rows: 40, columns: 120, isASCII: isASCII)
            let log = [TermRun(term: Term(1), count: 12_345_678)]
            let started = NodeStarted(incarnation: .first, vote: nil, log: log)
            stage.happen(.node(NodeID(2), Term(1), .started(started)))
            #expect(stage.screen.contains("follower     1 \(cut)5678      0       0 \(cut)678     -"))
        }
    }
}

import Laboratory
import RaftTrace
import Script
import Testing

/// How a script went that was played to its end.
struct Performance {
    /// How it ended.
    var outcome: Player.Outcome
    /// All that happened.
    var events: [Event] = []
    /// All that was told about it.
    var lines: [String] = []

    /// Plays `script`.
    init(of script: Script, on laboratory: any Laboratory) {
        var player = Player(script)
        while true {
            let taken = laboratory.takeEvents()
            events += taken
            player.take(taken)
            let step = player.advance(on: laboratory)
            lines += player.takeLines()
            switch step {
            case .waiting(let moment): laboratory.waitForEvents(until: moment)
            case .finished(let outcome):
                self.outcome = outcome
                return
            }
        }
    }

    /// Whatever a script means to show, it passes, and its events are in order.
    func check(_ name: String) {
        guard case .passed(let expectations) = outcome else {
            Issue.record("\(name): \(outcome)")
            return
        }
        #expect(expectations > 0, "a script that expects nothing proves nothing")
        checkOrder()
    }

    /// Events are in one row without gaps, and a message is sent before it arrives or is lost.
    private func checkOrder() {
        var sent: Set<UInt64> = []
        for (place, event) in events.enumerated() {
            #expect(event.sequence == UInt64(place + 1))
            switch event.kind {
            case .sent(let message): sent.insert(message.number)
            case .delivered(let delivered): #expect(sent.remove(delivered.number) != nil)
            case .lost(let lost): #expect(sent.remove(lost.number) != nil)
            default: break
            }
        }
    }
}

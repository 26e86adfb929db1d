import Dashboard
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Script

/// Plays a script for an audience: takes what happens, goes on as far as the presenter lets it, and says how far it is.
struct Presenter {
    private var player: Player
    private var told: Slide?
    private var toldWork: String?
    /// Whether the script has ended.
    private(set) var isOver = false
    /// The moment of cluster time at which there is something to do, whatever happens until then.
    private var wake: Instant?

    init(_ script: Script) { player = Player(script, isPresented: true) }

    /// Whether it is the presenter's turn.
    var isWaiting: Bool { !isOver && player.slide != nil && player.work == nil }

    /// Nanoseconds of real time until it has something to do, at a rate of the clock; `nil` where only events say.
    func delay(at now: Instant, rate: Double) -> Int64? {
        guard let wake, rate > 0 else { return nil }
        return Int64(min(max(0, Double((wake - now).nanoseconds) / rate), Presenter.delayMax))
    }

    /// Twelve days: who waits longer looks again.
    private static let delayMax = 1e15

    /// Takes note of events, before which `witness` had seen so much.
    mutating func take(_ events: [Event], after witness: @autoclosure () -> Witness) {
        player.take(events, after: witness())
    }

    /// Goes on where the presenter was waited for.
    mutating func turnPage() { player.next() }

    /// Leaves the script for a while, or takes it up again.
    mutating func leave(_ isLeft: Bool) { player.isLeft = isLeft }

    /// Plays as far as can be now. Answers what there is to tell.
    mutating func advance(on laboratory: any RunningLaboratory, seeing witness: Witness) -> [DashboardMessage] {
        guard !isOver else { return [] }
        let step = player.advance(on: laboratory, seeing: witness)
        laboratory.releaseWatched()
        var messages = player.takeLines().filter { $0.contains("→ refused:") }.map { DashboardMessage.refused($0) }
        var ending: LectureProgress.Ending?
        switch step {
        case .waiting(let moment): wake = moment
        case .finished(let outcome):
            (isOver, wake) = (true, nil)
            // Nobody looks at what servers do any more: lines that are still armed must not keep them waiting.
            laboratory.isWatched = false
            ending = Presenter.ending(of: outcome)
        }
        guard player.slide != told || player.work != toldWork || isOver else { return messages }
        (told, toldWork) = (player.slide, player.work)
        messages.append(.progress(LectureProgress(slide: player.slide, work: player.work, ending: ending)))
        return messages
    }

    private static func ending(of outcome: Player.Outcome) -> LectureProgress.Ending {
        switch outcome {
        case .passed(expectations: 0): .init("The end: all of it was played.", isTrouble: false)
        case .passed: .init("The end: all that this lesson expects has come true.", isTrouble: false)
        case .failed(let line, let reason): .init("The lesson stops at line \(line): \(reason).", isTrouble: true)
        case .unstartable(let reason): .init(reason, isTrouble: true)
        }
    }
}

import Canvas
import RaftCore
import RaftTrace
import Script

/// A lesson that is presented: what the audience was told and asked so far, and which of it is on the screen.
public struct Lecture: Sendable {
    /// What the lesson is called in the list of lessons, or the script's file.
    public let name: String
    let title: String
    /// How often it speaks to its audience.
    let slideCount: Int
    /// What it has said so far, each with the place of the last event that had happened by then.
    private(set) var slides: [(slide: Slide, place: Int)] = []
    /// Which of the slides is shown.
    private(set) var shown = 0
    /// What the audience guesses.
    private(set) var guess: Int?
    /// The line that takes its time, while there is nothing new to show.
    private(set) var work: String?
    /// Since when that is the line, or since when it is waited for again.
    var workSince = Instant.zero
    /// How it ended, where it has.
    private(set) var ending: LectureProgress.Ending?
    /// Whether somebody plays freely meanwhile.
    var isLeft = false

    init(name: String, script: Script) {
        self.name = name
        title = script.title ?? name
        slideCount = script.slideCount
    }

    /// Whether it says nothing to anybody, as a script that was saved: it plays by itself.
    var isSilent: Bool { slideCount == 0 }

    /// What is shown; `nil` before the first slide.
    var slide: Slide? { slides.indices.contains(shown) ? slides[shown].slide : nil }

    /// Whether what is shown is the latest.
    var isAtLatest: Bool { shown >= slides.count - 1 }

    /// Whether the next step is the cluster's, not the presenter's.
    var isWorking: Bool { isAtLatest && work != nil && ending == nil }

    /// Whether it has waited for the cluster for longer than an audience expects, with the clock at this rate.
    func waitsLong(at now: Instant, rate: Double) -> Bool {
        isWorking && rate > 0 && (now - workSince).seconds >= Lecture.patience.seconds * rate
    }

    /// How long a step of a lesson may take before it is said what to do about it, in real time.
    private static let patience = Interval.seconds(8)

    /// The place of the step before a question that is open: what has happened since would give its answer away.
    var placeBeforeQuestion: Int? {
        guard case .question(_, isAnswered: false)? = slide, isAtLatest, shown > 0 else { return nil }
        return slides[shown - 1].place
    }

    /// Takes note of how far the lesson is.
    mutating func take(_ progress: LectureProgress, place: Int, at now: Instant) {
        if progress.work != work { workSince = now }
        (work, ending) = (progress.work, progress.ending)
        guard let slide = progress.slide else { return }
        if let last = slides.last, last.slide.isSame(as: slide) {
            slides[slides.count - 1].slide = slide
        } else {
            slides.append((slide, place))
            (shown, guess) = (slides.count - 1, nil)
        }
    }

    /// Goes back or forward by one of the slides that there were. Answers the place of its moment; `nil` where there is
    /// none.
    mutating func turn(by step: Int) -> Int? {
        guard slides.indices.contains(shown + step) else { return nil }
        shown += step
        return slides[shown].place
    }

    /// Shows the latest slide.
    mutating func turnToLatest() { shown = max(0, slides.count - 1) }

    /// Notes what the audience guesses, where there is such a choice. Answers whether there is.
    mutating func guess(_ number: Int) -> Bool {
        guard case .question(let question, isAnswered: false)? = slide, question.choices.indices.contains(number - 1)
        else { return false }
        guess = guess == number ? nil : number
        return true
    }
}

/// How far the lesson that is presented has come.
public struct LectureProgress: Sendable {
    /// What the audience was told or asked last.
    public var slide: Slide?
    /// The line that takes its time; `nil` while the presenter is waited for.
    public var work: String?
    /// How it ended, where it has.
    public var ending: Ending?

    /// How a lesson ended.
    public struct Ending: Hashable, Sendable {
        /// In a sentence.
        public var text: String
        /// Whether it ended otherwise than it was meant to.
        public var isTrouble: Bool

        /// An end.
        public init(_ text: String, isTrouble: Bool) {
            self.text = text
            self.isTrouble = isTrouble
        }
    }

    /// A lesson that is so far.
    public init(slide: Slide?, work: String?, ending: Ending?) {
        self.slide = slide
        self.work = work
        self.ending = ending
    }
}

extension Slide {
    /// Whether it is the same, but for an answer that is shown.
    fileprivate func isSame(as other: Slide) -> Bool {
        if case (.question(let one, _), .question(let another, _)) = (self, other) { return one == another }
        return self == other
    }
}

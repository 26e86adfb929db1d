import Canvas
import Laboratory
import Script

// A lesson by a presenter's remote: Page Down goes on, Page Up goes back to what was shown before, and to what the
// cluster was like then.

extension Model {
    /// The lesson that is on the screen; `nil` where none is, or somebody plays freely meanwhile.
    var openLecture: Lecture? { lecture.flatMap { $0.isLeft ? nil : $0 } }

    /// A lesson begins: a fresh cluster, and nothing to look back at.
    mutating func begin(_ script: Script, named name: String) {
        self = Model(
            size: size, isASCII: isASCII, history: history, speed: pace == nil ? speed : 1, slowsTo: pace,
            isReplay: isReplay, canBranch: canBranch, taste: taste, frameBytes: frameBytes)
        lecture = Lecture(name: name, script: script)
    }

    /// Takes note of how far the lesson is.
    mutating func take(_ progress: LectureProgress) -> [Effect] {
        guard var lecture else { return [] }
        let count = lecture.slides.count
        lecture.take(progress, place: max(timeline.startIndex, timeline.endIndex - 1), at: presentNow)
        // Whoever looks back at an earlier step is taken along when the lesson goes on by itself.
        if lecture.slides.count > count {
            if past != nil { returnToPresent() }
            notice = Notice("")
        }
        self.lecture = lecture
        guard let slower = slowsTo, progress.slide != nil else { return [] }
        // What was set up before the first sentence nobody needed to watch.
        slowsTo = nil
        speed = slower
        return [.perform(.speed(slower))]
    }

    /// Goes on: through the slides that there were, then with the lesson.
    mutating func turnForward() -> [Effect] {
        guard var lecture = openLecture else { return [] }
        if !lecture.isAtLatest {
            let place = lecture.turn(by: 1)
            self.lecture = lecture
            if lecture.isAtLatest { returnToPresent() } else if let place { look(at: place) }
            return []
        }
        if past != nil {
            returnToPresent()
            return []
        }
        if lecture.ending != nil { return leaveLecture() }
        if lecture.isWorking { notice = Notice("the lesson goes on when this is so: \(lecture.work ?? "")") }
        return [.turnPage]
    }

    /// Goes back by one slide, and to what the cluster was like then.
    mutating func turnBack() {
        guard var lecture = openLecture, let place = lecture.turn(by: -1) else {
            notice = Notice("this is the first step of the lesson")
            return
        }
        self.lecture = lecture
        look(at: place)
    }

    /// Plays freely from here on; the lesson can be taken up again.
    mutating func leaveLecture() -> [Effect] {
        guard let lecture = openLecture else { return [] }
        if lecture.ending != nil {
            self.lecture = nil
            return [.endLesson]
        }
        self.lecture?.isLeft = true
        notice = Notice("play freely: s takes the lesson up again")
        returnToPresent()
        return [.leaveLesson(true)]
    }

    /// Goes on with a lesson that was left.
    mutating func takeUpLecture() -> [Effect] {
        lecture?.isLeft = false
        lecture?.workSince = presentNow
        lecture?.turnToLatest()
        returnToPresent()
        return [.leaveLesson(false)]
    }

    // MARK: - The list of lessons

    /// Takes a key while the list is open; the first of its lines goes on with a lesson that was left.
    mutating func chooseLesson(_ key: Key, _ place: Int) -> [Effect] {
        let count = lessonLines.count
        switch key {
        case .up: mode = .lessons((place + count - 1) % count)
        case .down: mode = .lessons((place + 1) % count)
        case .home: mode = .lessons(0)
        case .end: mode = .lessons(count - 1)
        case .enter, .pageDown:
            mode = .watching
            guard let name = lessonLines[place].name else { return takeUpLecture() }
            return [.lesson(name)]
        case .escape, .character("s"), .character("q"): mode = .watching
        default: break
        }
        return []
    }

    /// The lines of the list; without a name, the one that goes on with the lesson that was left.
    var lessonLines: [(name: String?, title: String)] {
        let left = lecture.flatMap { $0.isLeft ? [(name: String?.none, title: "go on with: \($0.title)")] : nil } ?? []
        return left + Lesson.all.map { ($0.name, $0.title) }
    }
}

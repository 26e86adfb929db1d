import Canvas
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Script

// Looking back: the screen shows a moment that has passed, while the cluster goes on or stands still as it likes.

extension Model {
    /// The lines of the events pane: those that had happened by the moment that is shown, and match the filter. While a
    /// lesson's question is open, what has happened since the step before it is not told.
    var shownLines: ArraySlice<Feed.Line> {
        feed.lines(matching: filter, upTo: past?.place ?? openLecture?.placeBeforeQuestion ?? .max)
    }

    /// The places at which whoever looks back stops, in order.
    private var stops: [Int] {
        feed.lines(matching: filter, upTo: .max).filter { !$0.isAside && $0.place >= timeline.start }.map(\.place)
            .reduce(into: []) { places, place in if places.last ?? -1 < place { places.append(place) } }
    }

    /// Goes back by so many lines of the events pane. From now, where a filter is set, the first is the last that matches;
    /// otherwise that is what is shown already.
    mutating func lookBack(by count: Int) {
        let stops = stops
        let here = past?.place ?? (filter.isEmpty ? stops.last ?? 0 : .max)
        let earlier = stops.prefix { $0 < here }
        guard !earlier.isEmpty else {
            notice = Notice(feed.lines.count > 1 ? "no earlier events are kept" : "nothing happened before this")
            return
        }
        look(at: earlier[max(0, earlier.count - count)])
    }

    /// Goes forward by so many lines; from the last of them to what is now.
    mutating func lookForward(by count: Int) {
        guard let past else { return }
        let later = stops.drop { $0 <= past.place }
        guard later.count > (filter.isEmpty ? count : count - 1) else { return returnToPresent() }
        look(at: later[later.startIndex + count - 1])
    }

    /// Goes back to the first event that is kept.
    mutating func lookAtBeginning() { look(at: timeline.start) }

    /// Shows the moment after the event at `place`, or the first that is kept.
    mutating func look(at place: Int) {
        guard !timeline.isEmpty else { return }
        let place = min(max(place, timeline.start), timeline.end - 1)
        let (picture, service) = timeline.moment(after: place)
        past = Past(place: place, picture: picture, service: service)
        eventsBack = 0
        selectExisting()
    }

    /// Shows what is now.
    mutating func returnToPresent() {
        past = nil
        eventsBack = 0
        lecture?.turnToLatest()
        selectExisting()
    }

    /// Carries out a command. Where the screen shows what has passed, nothing of it can be changed; but where another way can
    /// be taken from there, it is: what happened since is forgotten.
    mutating func perform(_ command: Command) -> [Effect] {
        guard let past, !command.isOfClock else { return [.perform(command)] }
        guard canBranch, openLecture == nil else {
            notice = Notice(openLecture == nil ? Model.pastNotice : Model.lectureNotice, isTrouble: true)
            return []
        }
        guard timeline.start == 0 else {
            notice = Notice(
                "the beginning is no longer kept, so that no other way can be taken from here", isTrouble: true)
            return []
        }
        return [.branch(after: past.picture.sequence, then: command)]
    }

    /// Forgets what happened after the moment that is shown, for the cluster has gone back to it: everything is folded anew
    /// up to there.
    mutating func branch() {
        guard let place = past?.place else { return }
        let events = Array(timeline.events(before: place + 1))
        forgetStory()
        (witness, lecture, openCall) = (Witness(), nil, nil)
        for event in events { fold(event) }
        presentNow = present.now
        if present.rate > 0 { speed = present.rate }
        findingsTold = audit.findings.count
        notice = Notice("from here on another way")
    }

    /// Keeps the selection on a server that is there.
    mutating func selectExisting() {
        if picture[selected] == nil, let first = picture.nodes.first { selected = first.id }
    }

    /// What to say to somebody who wants to take another way than a lesson does.
    private static let lectureNotice =
        "the lesson goes its own way: Esc leaves it, and then another can be taken from here"
    /// What to say to somebody who wants to change what has passed.
    static let pastNotice = "this has passed: End goes back to now, where it can be done"
}

extension Command {
    /// Whether it lets the present's clock stand still or go on, whatever moment is shown.
    fileprivate var isOfClock: Bool {
        switch self {
        case .freeze, .thaw, .speed: true
        default: false
        }
    }
}

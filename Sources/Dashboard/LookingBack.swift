import Canvas
import RaftCore
import RaftTrace

// Looking back: the screen shows a moment that has passed, while the cluster goes on or stands still as it likes.

extension Model {
    /// The lines of the events pane: those that had happened by the moment that is shown, and match the filter.
    var shownLines: ArraySlice<Feed.Line> { feed.lines(matching: filter, upTo: past?.place ?? .max) }

    /// Goes back by so many lines of the events pane.
    mutating func lookBack(by count: Int) {
        let lines = shownLines
        let kept = lines.drop { $0.place < timeline.start }
        guard kept.count > 1 else {
            notice = Notice(lines.count > 1 ? "no earlier events are kept" : "nothing happened before this")
            return
        }
        look(at: kept[max(kept.startIndex, kept.endIndex - 1 - count)].place)
    }

    /// Goes forward by so many lines; from the last of them to what is now.
    mutating func lookForward(by count: Int) {
        guard let past else { return }
        let later = feed.lines(matching: filter, upTo: .max).drop { $0.place <= past.place }
        guard later.count > count else { return returnToPresent() }
        look(at: later[later.startIndex + count - 1].place)
    }

    /// Goes back to the first event that is kept.
    mutating func lookAtBeginning() { look(at: timeline.start) }

    /// Shows the moment after the event at `place`, or the first that is kept.
    mutating func look(at place: Int) {
        guard !timeline.isEmpty else { return }
        let place = min(max(place, timeline.start), timeline.end - 1)
        past = Past(place: place, picture: timeline.picture(after: place))
        eventsBack = 0
        selectExisting()
    }

    /// Shows what is now.
    mutating func returnToPresent() {
        past = nil
        eventsBack = 0
        selectExisting()
    }

    /// Keeps the selection on a server that is there.
    mutating func selectExisting() {
        if picture[selected] == nil, let first = picture.nodes.first { selected = first.id }
    }

    /// What to say to somebody who wants to change what has passed.
    static let pastNotice = "this has passed: End goes back to now, where it can be done"
}

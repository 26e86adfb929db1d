import RaftTrace

/// The latest events, and what was known of the cluster after any of them: looking back is folding a shorter row.
///
/// Events are counted from the beginning of the session; the count of those before an event is its *place*. They are kept
/// in chapters, each with the picture that it begins with, so that no moment is further than a chapter's events away.
struct Timeline: Sendable {
    private struct Chapter: Sendable {
        let before: Picture
        let service: Service
        var events: [Event]
    }

    private var chapters: [Chapter] = []
    /// The place of the first event that is kept.
    private(set) var start = 0

    /// How many events a chapter has.
    private static let chapterLength = 8_192
    /// How many chapters are kept: more than 100,000 events.
    private static let chaptersMax = 14

    /// The place of the next event.
    var end: Int {
        guard let last = chapters.last else { return start }
        return start + (chapters.count - 1) * Timeline.chapterLength + last.events.count
    }

    /// Whether the next event begins a chapter, for which what is known before it is wanted.
    var beginsChapter: Bool {
        chapters.last.map { $0.events.count == Timeline.chapterLength } ?? true
    }

    /// Begins a chapter, before whose first event this is what is known. The oldest goes where there are too many.
    mutating func beginChapter(with picture: Picture, _ service: Service = Service()) {
        var events: [Event] = []
        // A row that grows takes up to twice its room, and that of the row before it.
        events.reserveCapacity(Timeline.chapterLength)
        chapters.append(Chapter(before: picture, service: service, events: events))
        guard chapters.count > Timeline.chaptersMax else { return }
        chapters.removeFirst()
        start += Timeline.chapterLength
    }

    /// Takes an event into the chapter that was begun last. Answers its place.
    @discardableResult
    mutating func append(_ event: Event) -> Int {
        let place = end
        chapters[chapters.count - 1].events.append(event)
        return place
    }

    /// The event at a place that is kept.
    subscript(place: Int) -> Event {
        let (chapter, rest) = (place - start).quotientAndRemainder(dividingBy: Timeline.chapterLength)
        return chapters[chapter].events[rest]
    }

    /// What was known of the cluster after the event at `place`, which is kept.
    func picture(after place: Int) -> Picture { moment(after: place).picture }

    /// What was known of the cluster after the event at `place`, which is kept, and what it had done for its clients.
    func moment(after place: Int) -> (picture: Picture, service: Service) {
        let (number, rest) = (place - start).quotientAndRemainder(dividingBy: Timeline.chapterLength)
        let first = start + number * Timeline.chapterLength
        var (picture, service) = (chapters[number].before, chapters[number].service)
        for (offset, event) in chapters[number].events[...rest].enumerated() {
            service.takeBefore(event, seeing: picture)
            picture.apply(event)
            service.take(event, place: first + offset, seeing: picture)
        }
        return (picture, service)
    }

    /// The events before the one at `place`.
    func events(before place: Int) -> Slice<Timeline> { self[start..<place] }
}

extension Timeline: RandomAccessCollection {
    var startIndex: Int { start }
    var endIndex: Int { end }
}

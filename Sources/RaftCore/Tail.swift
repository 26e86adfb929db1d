/// The entries that a step has put at the end of the log. Messages and the write of that step share this one array, so that
/// nothing is copied out of the log.
struct Tail: Sendable {
    /// Where they begin.
    private var first = LogIndex.zero
    private var entries: [Entry] = []
    private var weight = 0

    /// None.
    init() {}

    /// These, from `first` on.
    init(first: LogIndex, entries: [Entry]) {
        self.first = first
        self.entries = entries
        for entry in entries { weight += entry.payload.weight }
    }

    /// All of them, if that is what the log holds from `index` up to `last`.
    func all(from index: LogIndex, upTo last: LogIndex) -> [Entry]? {
        !entries.isEmpty && index == first && last == first.previous.advanced(by: entries.count) ? entries : nil
    }

    /// All of them, if they begin at `index` and go into one message.
    func entries(from index: LogIndex, within limits: Limits) -> [Entry]? {
        let fits = entries.count <= limits.entriesPerAppendMax && weight <= limits.bytesPerAppendMax
        return !entries.isEmpty && index == first && fits ? entries : nil
    }
}

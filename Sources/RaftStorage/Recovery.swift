import RaftCore

/// What a disk holds for certain: where a server starts again.
public struct Recovered: Sendable {
    /// Term and vote.
    public var hardState = HardState()
    /// The log's entries, from index 1.
    public var entries: [Entry] = []
    /// What a crash had left half-written and was cut off.
    public var repairs: [Repair] = []

    /// A torn end that was cut off.
    public struct Repair: Hashable, Sendable {
        /// The file.
        public var file: String
        /// Where it was cut, in bytes.
        public var offset: Int
        /// How many bytes were cut off.
        public var bytes: Int
        /// Why they were taken for torn.
        public var reason: String
    }
}

/// Puts a log together from its files, and refuses what no crash explains.
struct Recovery {
    private(set) var recovered = Recovered()
    private(set) var nextFrame: UInt64 = 1
    private(set) var lastSegment: UInt64 = 0
    private(set) var end = 0

    /// Reads all files on `disk`. Cuts off the torn end of the last one: it was never certain, so nobody was told of it.
    init(from disk: inout some Disk) throws(StorageError) {
        let numbers = try Segment.numbers(on: disk)
        for (place, number) in numbers.enumerated() {
            let name = Segment.name(number)
            if place > 0, numbers[place - 1] + 1 != number {
                let missing = Segment.name(numbers[place - 1] + 1)
                throw .damaged(file: full(missing, disk), offset: 0, reason: "the file is missing")
            }
            if place == 0, number != 1 {
                throw .damaged(file: full(Segment.name(1), disk), offset: 0, reason: "the file is missing")
            }
            let contents = try disk.contents(of: name)
            try add(Segment(number: number, contents: contents), isLast: place == numbers.count - 1, disk)
            if end < contents.count { try disk.truncate(name, to: end) }
            if case .torn? = torn { try disk.sync(name) }
            if let torn, case .torn(let offset, let reason) = torn {
                let bytes = contents.count - offset
                recovered.repairs.append(.init(file: full(name, disk), offset: offset, bytes: bytes, reason: reason))
            }
        }
    }

    private var torn: Segment.End?

    private mutating func add(_ segment: Segment, isLast: Bool, _ disk: some Disk) throws(StorageError) {
        let file = full(segment.name, disk)
        for frame in segment.frames {
            if frame.offset == 0, !frame.isStart {
                throw .damaged(file: file, offset: 0, reason: "the file doesn't begin with its start")
            }
            guard frame.number == UInt32(truncatingIfNeeded: nextFrame) else {
                throw .damaged(
                    file: file, offset: frame.offset, reason: "frame \(frame.number) stands where \(nextFrame) belongs")
            }
            for record in frame.records {
                if let reason = apply(record, in: segment, at: frame.offset) {
                    throw .damaged(file: file, offset: frame.offset, reason: reason)
                }
            }
            nextFrame += 1
        }
        lastSegment = segment.number
        switch segment.end {
        case .clean(let offset):
            end = offset
        case .torn(let offset, let reason):
            guard isLast else { throw .damaged(file: file, offset: offset, reason: reason) }
            end = offset
            torn = segment.end
        case .damaged(let offset, let reason):
            throw .damaged(file: file, offset: offset, reason: reason)
        case .unknownVersion(let version):
            throw .unknownVersion(file: file, version: version)
        }
        if !isLast, segment.frames.isEmpty { throw .damaged(file: file, offset: 0, reason: "the file is empty") }
    }

    /// Follows one record. Answers why it can't be right, where it can't.
    private mutating func apply(_ record: Record, in segment: Segment, at offset: Int) -> String? {
        let last = LogIndex(UInt64(recovered.entries.count))
        switch record {
        case .start(let start):
            guard offset == 0, start.segment == segment.number, start.frame == nextFrame else {
                return "the start of file \(start.segment) stands here"
            }
            guard start.hardState == recovered.hardState, start.last == last else {
                return "the file starts at entry \(start.last) in term \(start.hardState.term), after \(last)"
                    + " in term \(recovered.hardState.term)"
            }
        case .hardState(let state):
            guard state.term >= recovered.hardState.term else {
                return "term \(state.term) follows term \(recovered.hardState.term)"
            }
            recovered.hardState = state
        case .entries(let first, let entries):
            guard first > .zero, first <= last.next else { return "entry \(first) follows entry \(last)" }
            recovered.entries.removeSubrange((Int(first.rawValue) - 1)...)
            recovered.entries.append(contentsOf: entries)
        }
        return nil
    }

    private func full(_ name: String, _ disk: some Disk) -> String { disk.path + "/" + name }
}

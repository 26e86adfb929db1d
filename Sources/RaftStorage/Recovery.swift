import RaftCore

/// What a disk holds for certain: where a server starts again.
public struct Recovered: Sendable {
    /// Term and vote.
    public var hardState = HardState()
    /// The snapshot, if there is one.
    public var snapshot: Snapshot?
    /// The position after which the log begins; a snapshot stands for what came up to it.
    public var base = LogPosition.zero
    /// The log's entries after ``base``.
    public var entries: [Entry] = []
    /// What a crash had left half-written and was cut off.
    public var repairs: [Repair] = []

    /// Nothing, as on a new disk.
    public init() {}

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

    /// The log.
    public var log: Log { Log(entries, after: base) }
}

/// Puts a log together from its files and the snapshot, and refuses what no crash explains.
struct Recovery {
    private(set) var recovered = Recovered()
    private(set) var nextFrame: UInt64 = 1
    private(set) var lastSegment: UInt64 = 0
    private(set) var end = 0
    /// The files of the log, each with the index of the last entry where it begins.
    private(set) var files: [(number: UInt64, last: LogIndex)] = []
    /// Whether the snapshot has taken the place of the log, and the log doesn't say so yet.
    private(set) var isResetBySnapshot = false
    /// Whether the entries before those that were read are in files that are gone, and nothing has said yet that a snapshot
    /// stands for them.
    private var isBaseUnknown = false
    private var torn: Segment.End?

    /// Reads all files on `disk`. Cuts off the torn end of the last one: it was never certain, so nobody was told of it.
    init(from disk: inout some Disk) throws(StorageError) {
        try SnapshotFile.removeDrafts(from: &disk)
        recovered.snapshot = try SnapshotFile.read(from: disk)
        let numbers = try Recovery.removeOrphans(among: try Segment.numbers(on: disk), from: &disk)
        for (place, number) in numbers.enumerated() {
            let name = Segment.name(number)
            let contents = try disk.contents(of: name)
            try add(
                Segment(number: number, contents: contents), isFirst: place == 0, isLast: place == numbers.count - 1,
                disk)
            if end < contents.count { try disk.truncate(name, to: end) }
            if case .torn? = torn { try disk.sync(name) }
            if let torn, case .torn(let offset, let reason) = torn {
                let bytes = contents.count - offset
                recovered.repairs.append(.init(file: full(name, disk), offset: offset, bytes: bytes, reason: reason))
            }
        }
        try join(disk)
    }

    /// Where a crash came while files at the head were taken away, those before a gap are left over. Whether what follows
    /// the gap is enough shows when it is read.
    ///
    /// - Returns: The numbers of the files that follow each other up to the last.
    private static func removeOrphans(
        among numbers: [UInt64], from disk: inout some Disk
    ) throws(StorageError) -> [UInt64] {
        var first = max(0, numbers.count - 1)
        while first > 0, numbers[first - 1] + 1 == numbers[first] { first -= 1 }
        let (orphans, kept) = (numbers[..<first], numbers[first...])
        guard !orphans.isEmpty, let start = kept.first else { return numbers }
        let segment = Segment(number: start, contents: try disk.contents(of: Segment.name(start)))
        guard let snapshot = try SnapshotFile.read(from: disk),
            case .start(let begin)? = segment.frames.first?.records.first,
            begin.last <= snapshot.mark.last.index
        else {
            let missing = Segment.name(start - 1)
            throw .damaged(file: disk.path + "/" + missing, offset: 0, reason: "the file is missing")
        }
        for number in orphans { try disk.remove(Segment.name(number)) }
        return Array(kept)
    }

    private mutating func add(
        _ segment: Segment, isFirst: Bool, isLast: Bool, _ disk: some Disk
    ) throws(StorageError) {
        let file = full(segment.name, disk)
        if isFirst { try begin(with: segment, disk) }
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

    /// The first file that is there need not be the first that was: what it begins with says what the others amounted to.
    private mutating func begin(with segment: Segment, _ disk: some Disk) throws(StorageError) {
        guard segment.number > 1 else { return }
        guard case .start(let start)? = segment.frames.first?.records.first, start.segment == segment.number else {
            if case .unknownVersion(let version) = segment.end {
                throw .unknownVersion(file: full(segment.name, disk), version: version)
            }
            throw .damaged(file: full(Segment.name(segment.number - 1), disk), offset: 0, reason: "the file is missing")
        }
        nextFrame = start.frame
        recovered.hardState = start.hardState
        isBaseUnknown = start.last != start.base.index
        recovered.base = isBaseUnknown ? LogPosition(term: .zero, index: start.last) : start.base
    }

    private var last: LogIndex { recovered.base.index.advanced(by: recovered.entries.count) }

    /// Follows one record. Answers why it can't be right, where it can't.
    private mutating func apply(_ record: Record, in segment: Segment, at offset: Int) -> String? {
        switch record {
        case .start(let start):
            guard offset == 0, start.segment == segment.number, start.frame == nextFrame else {
                return "the start of file \(start.segment) stands here"
            }
            guard start.hardState == recovered.hardState, start.last == last else {
                return "the file starts at entry \(start.last) in term \(start.hardState.term), after \(last)"
                    + " in term \(recovered.hardState.term)"
            }
            files.append((segment.number, start.last))
        case .hardState(let state):
            guard state.term >= recovered.hardState.term else {
                return "term \(state.term) follows term \(recovered.hardState.term)"
            }
            recovered.hardState = state
        case .entries(let first, let entries): return add(entries, from: first)
        case .base(let position, let isReset): return rebase(position, isReset: isReset)
        }
        return nil
    }

    private mutating func add(_ entries: [Entry], from first: LogIndex) -> String? {
        if isBaseUnknown, first > .zero, first <= recovered.base.index {
            // They take the place of entries of which the oldest are in files that are gone.
            recovered.base.index = first.previous
            recovered.entries = entries
            return nil
        }
        guard first > recovered.base.index, first <= last.next else { return "entry \(first) follows entry \(last)" }
        recovered.entries.removeSubrange(recovered.base.index.distance(to: first.previous)...)
        recovered.entries.append(contentsOf: entries)
        return nil
    }

    private mutating func rebase(_ position: LogPosition, isReset: Bool) -> String? {
        let (before, count) = (recovered.base, recovered.base.index.distance(to: position.index))
        // A later one made the files at the head superfluous, and says where the log begins.
        if isBaseUnknown, count < 0, !isReset { return nil }
        if isReset {
            recovered.entries = []
        } else {
            guard count >= 0, isBaseUnknown || recovered.log.contains(position) else {
                return "the log begins after \(position), which is not in what began after \(before)"
            }
            recovered.entries.removeFirst(min(count, recovered.entries.count))
        }
        recovered.base = position
        isBaseUnknown = false
        return nil
    }

    /// Brings log and snapshot together. A crash may have come after the snapshot and before the record that speaks of it.
    private mutating func join(_ disk: some Disk) throws(StorageError) {
        let file = full(SnapshotFile.name, disk)
        if isBaseUnknown, let first = files.first?.number {
            throw .damaged(file: full(Segment.name(first - 1), disk), offset: 0, reason: "the file is missing")
        }
        guard let mark = recovered.snapshot?.mark else {
            guard recovered.base != .zero else { return }
            throw .damaged(
                file: file, offset: 0, reason: "the snapshot is missing that stands for the log up to \(recovered.base)"
            )
        }
        guard mark.last.index > recovered.base.index || mark.last == recovered.base else {
            throw .damaged(
                file: file, offset: 0,
                reason: "the snapshot stands for the log up to \(mark.last), but that begins after \(recovered.base)")
        }
        guard !recovered.log.contains(mark.last) else { return }
        isResetBySnapshot = true
        recovered.base = mark.last
        recovered.entries = []
        // The snapshot's term was heard of before it was written; no vote of it was given by then that anyone knows of.
        if mark.last.term > recovered.hardState.term { recovered.hardState = HardState(term: mark.last.term) }
    }

    private func full(_ name: String, _ disk: some Disk) -> String { disk.path + "/" + name }
}

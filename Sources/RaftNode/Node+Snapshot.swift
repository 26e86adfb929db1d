import ByteCoding
import KeyValue
import RaftCore
import RaftTrace

/// A snapshot that is to be written: the state machine as it was when a certain entry was applied. It shares its memory
/// with the one that goes on, and takes no time to make (paper §7).
public struct SnapshotDraft: Sendable {
    /// What it stands for.
    public let mark: SnapshotMark
    let machine: StateMachine

    /// The snapshot in the form in which it is written. Takes time in proportion to the store.
    ///
    /// - Parameter pause: Called every now and then, for whoever shares his processor with others.
    public func encoded(pausing pause: () -> Void = {}) -> Snapshot {
        Snapshot(mark: mark, bytes: machine.encoded(pausing: pause))
    }

    /// What tells it from other snapshots of the same entries (``StateMachine/digest``).
    public func digest(pausing pause: () -> Void = {}) -> UInt64 { machine.digest(pausing: pause) }
}

/// A snapshot that a server is having written.
struct SnapshotWriting: Sendable {
    let mark: SnapshotMark
    /// How many of the entries that it stands for are to stay in the log; `nil` where somebody wants to see them gone.
    let keeping: Int?
}

extension Node {
    /// Takes a snapshot where so many entries were applied since the last one (``Compaction/every``).
    mutating func takeSnapshotIfDue(_ effects: inout Effects) {
        guard let every = raft.settings.compaction.every else { return }
        let last = max(raft.snapshot?.last.index ?? .zero, tooLarge ?? .zero)
        guard last.distance(to: applied) >= max(1, every) else { return }
        takeSnapshot(keeping: raft.settings.compaction.trailing, &effects)
    }

    /// Takes a snapshot of what is applied, unless one is being written or there is nothing new.
    mutating func takeSnapshot(keeping count: Int?, _ effects: inout Effects) {
        guard writing == nil, raft.violation == nil, applied > raft.snapshot?.last.index ?? .zero,
            let term = raft.log.term(at: applied)
        else { return }
        let last = LogPosition(term: term, index: applied)
        let mark = SnapshotMark(last: last, configuration: raft.configuration(at: applied))
        writing = SnapshotWriting(mark: mark, keeping: count)
        let holdsSessions = raft.settings.rules[.snapshotHoldsSessions]
        effects.draft = SnapshotDraft(mark: mark, machine: holdsSessions ? machine : machine.withoutSessions)
        if effects.isObserved { effects.events.append(.snapshot(SnapshotStep(stage: .began, last: last))) }
    }

    /// The snapshot that was being written is on disk, or of no use any more.
    mutating func finishSnapshot(_ outcome: SnapshotOutcome, at now: Instant, _ effects: inout Effects) {
        guard let writing else { return }
        self.writing = nil
        switch outcome {
        case .taken(let size, let digest):
            let step = SnapshotStep(stage: .taken, last: writing.mark.last, size: size, digest: digest)
            effects.events.append(.snapshot(step))
            self.step(.snapshotTaken(writing.mark, keeping: writing.keeping), at: now, &effects)
        case .tooLarge(let size):
            tooLarge = writing.mark.last.index
            effects.events.append(.snapshot(SnapshotStep(stage: .tooLarge, last: writing.mark.last, size: size)))
        case .overtaken:
            effects.events.append(.snapshot(SnapshotStep(stage: .overtaken, last: writing.mark.last)))
        }
    }

    /// Goes on from a leader's snapshot, which has taken the place of the log.
    mutating func restore(_ snapshot: Snapshot, _ effects: inout Effects) {
        let last = snapshot.mark.last
        do throws(ByteReadingError) {
            machine = try StateMachine(decoding: snapshot.bytes)
        } catch {
            // It must not become this server's own.
            effects.write = nil
            return failDisk("the snapshot up to \(last) can't be read: \(error)", &effects)
        }
        applied = last.index
        let step = SnapshotStep(stage: .restored, last: last, size: snapshot.bytes.count, digest: machine.digest)
        effects.events.append(.snapshot(step))
        if effects.isObserved { effects.events.append(.state(state)) }
        releaseWrites(upTo: last.index, &effects)
    }
}

/// What became of a snapshot that was to be written.
public enum SnapshotOutcome: Hashable, Sendable {
    /// It is on disk, with so many bytes, whose digest is this.
    case taken(size: Int, digest: UInt64)
    /// A leader's snapshot that stands for more had come meanwhile.
    case overtaken
    /// It would have so many bytes, more than ``Snapshot/sizeMax``, and is not on disk.
    case tooLarge(Int)
}

import Glibc
import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

// Snapshots are written and read on a thread of their own, so that neither the server nor its log waits for them.

extension NodeHost {
    /// Begins what the turn wants of snapshots. A disk that stalls is not asked until it is well.
    func startSnapshots() {
        guard diskCondition != .stall else { return }
        if let draft = turn.draft {
            turn.draft = nil
            write(draft)
        }
        if turn.wantsSnapshot {
            turn.wantsSnapshot = false
            loadSnapshot()
        }
    }

    private func write(_ draft: SnapshotDraft) {
        guard let (number, opening) = life.map({ ($0.number, $0.opening) }) else { return }
        let box = NIOLoopBound(self, eventLoop: loop)
        life?.snapshotsOpen += 1
        disk.write(draft, condition: diskCondition, opening: opening, on: loop).whenComplete { result in
            box.value.finishSnapshot(result.map { .snapshotWritten($0) }, life: number)
        }
    }

    private func loadSnapshot() {
        guard let number = life?.number else { return }
        let box = NIOLoopBound(self, eventLoop: loop)
        life?.snapshotsOpen += 1
        disk.loadSnapshot(on: loop).whenComplete { result in
            box.value.finishSnapshot(result.map { .snapshotLoaded($0) }, life: number)
        }
    }

    private func finishSnapshot(_ result: Result<NodeInput, any Error>, life number: Int) {
        guard life?.number == number else { return }
        life?.snapshotsOpen -= 1
        switch result {
        case .success(let input):
            handle(input)
            endTurn()
        case .failure(let error): failDisk("\(error)")
        }
    }
}

extension DiskReference {
    /// How long the making of a snapshot rests after every few hundred keys: about as long as it has worked.
    private static let keysPauseMicroseconds: UInt32 = 200
    /// How long its writing rests after every 64 KiB: most of the time the device is the log's.
    private static let writingPauseMicroseconds: UInt32 = 4_000

    /// Writes a snapshot and makes it the server's own. Answers on `loop` what became of it.
    ///
    /// The log's thread only gives it its name. That this is certain takes a sync of the directory, for which the log
    /// need not wait: the core lets nothing go of what the snapshot stands for before it has the answer.
    func write(
        _ draft: SnapshotDraft, condition: DiskCondition, opening: Int, sizeMax: Int = Snapshot.sizeMax,
        on loop: any EventLoop
    ) -> EventLoopFuture<SnapshotOutcome> {
        if isInMemory { return keep(draft, opening: opening, on: loop) }
        let last = draft.mark.last
        return snapshots.submit { [path] in
            if let reason = condition.writeFailure {
                throw StorageError.system(operation: "write", path: path, reason: reason)
            }
            // Nobody waits for it, and everybody else does for the processor.
            let snapshot = draft.encoded { usleep(DiskReference.keysPauseMicroseconds) }
            guard snapshot.bytes.count <= sizeMax else {
                return SnapshotOutcome.tooLarge(snapshot.bytes.count)
            }
            let digest = draft.digest { usleep(DiskReference.keysPauseMicroseconds) }
            var directory = DirectoryDisk(sharing: path)
            try SnapshotFile.write(snapshot, to: &directory) { usleep(DiskReference.writingPauseMicroseconds) }
            return SnapshotOutcome.taken(size: snapshot.bytes.count, digest: digest)
        }.hop(to: loop).flatMap { outcome in
            guard case .taken = outcome else { return loop.makeSucceededFuture(outcome) }
            return submit(on: loop) { try $0.adoptDraft(upTo: last, opening: opening) }
                .map { $0 ? outcome : .overtaken }
        }.flatMap { outcome in
            snapshots.submit { [path] in
                try DirectoryDisk.syncNames(in: path)
                return outcome
            }.hop(to: loop)
        }
    }

    /// Keeps a snapshot in memory. Answers on `loop` what became of it.
    private func keep(
        _ draft: SnapshotDraft, opening: Int, on loop: any EventLoop
    ) -> EventLoopFuture<SnapshotOutcome> {
        snapshots.submit { (draft.encoded(), draft.digest()) }.hop(to: loop).flatMap { snapshot, digest in
            submit(on: loop) { disk in
                disk.keep(snapshot, opening: opening)
                    ? .taken(size: snapshot.bytes.count, digest: digest) : .overtaken
            }
        }
    }

    /// Reads the server's snapshot. Answers on `loop`.
    func loadSnapshot(on loop: any EventLoop) -> EventLoopFuture<Snapshot> {
        if isInMemory { return submit(on: loop) { try $0.keptSnapshot() } }
        return snapshots.submit { [path] in try SnapshotFile.require(from: DirectoryDisk(sharing: path)) }.hop(to: loop)
    }
}

extension DiskCondition {
    /// Why nothing can be written to a disk in this condition; `nil` where it can.
    var writeFailure: String? {
        switch self {
        case .ok, .stall: nil
        case .full: "No space left on device"
        case .fail: "Input/output error"
        }
    }
}

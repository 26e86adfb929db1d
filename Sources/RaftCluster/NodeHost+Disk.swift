import Laboratory
import NIOCore
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

// Writes: to the disk's thread, so that a slow disk holds nothing else up; or, where a follower's disk is fast, right
// here, which spares two threads' waking up.

extension NodeHost {
    /// Gives everything that waits to the disk, unless it is busy: what comes meanwhile shares the next sync.
    ///
    /// - Returns: Whether nothing is left to do here: the rest is for ``writeHere()``, once the turn's messages have left.
    func startWriting() -> Bool {
        guard diskCondition != .stall, life?.isWriting == false, let last = life?.writes.last?.number else {
            return true
        }
        if mayWriteHere { return false }
        let (number, writes) = (lives, takeWrites())
        life?.isWriting = true
        let box = NIOLoopBound(self, eventLoop: loop)
        disk.execute { [loop] disk in
            let start = NIODeadline.now()
            var failure: String?
            do { try disk.write(writes) } catch { failure = "\(error)" }
            let time = NIODeadline.now() - start
            loop.execute { [failure] in
                box.value.syncPace.note(time)
                box.value.wrote(upTo: last, failure: failure, life: number)
            }
        }
        return true
    }

    private func takeWrites() -> [Write] {
        let writes = life?.writes ?? []
        life?.writes = []
        counters.syncs += 1
        for write in writes { counters.entriesWritten += write.entries.count }
        return writes
    }

    private func wrote(upTo number: WriteNumber, failure: String?, life written: Int) {
        guard life?.number == written else { return }
        if let failure { return failDisk(failure) }
        life?.isWriting = false
        handle(.durable(number))
        endTurn()
    }

    /// Whether this loop may wait for the disk: whatever a follower says has to do so anyway, and a heartbeat is no later for
    /// a sync that is short. A leader's entries are on their way to the others while its own disk works, so that it
    /// doesn't wait.
    private var mayWriteHere: Bool {
        guard diskCondition == .ok, disk.idleDisk != nil else { return false }
        if disk.isInMemory { return true }
        guard syncPace.isFast, life?.node.raft.role.name != .leader, let writes = life?.writes else { return false }
        return SyncPace.isLittle(writes)
    }

    /// Writes what waits on this loop, and goes on at once.
    func writeHere() {
        guard let last = life?.writes.last?.number else { return }
        guard let idle = disk.idleDisk else {
            _ = startWriting()
            return
        }
        let writes = takeWrites()
        let start = NIODeadline.now()
        var failure: String?
        do { try idle.write(writes) } catch { failure = "\(error)" }
        syncPace.note(NIODeadline.now() - start)
        wrote(upTo: last, failure: failure, life: lives)
    }

    /// The disk failed: nothing more is given to it, and the server stops, paused or not.
    func failDisk(_ reason: String) {
        guard life != nil else { return }
        life?.writes = []
        life?.isPaused = false
        forgetWatchedTurn()
        handle(.diskFailed(reason))
        endTurn()
    }
}

/// Whether a disk was fast lately, so that its server may wait for it. A single slow sync, and it is left to its thread,
/// until many in a row were fast.
struct SyncPace {
    /// How many syncs in a row were fast.
    private var fastSyncs = 0

    /// What a sync may take: far less than the time between two heartbeats, and about what a thread's waking up is worth.
    static let fastMax = TimeAmount.microseconds(500)
    /// How many fast syncs it takes to be trusted.
    static let trustMin = 16
    /// How much may be written on the server's loop at once, in bytes.
    private static let bytesMax = 256 << 10

    /// Whether the next sync can be hoped to be fast.
    var isFast: Bool { fastSyncs >= SyncPace.trustMin }

    /// Takes note of how long a sync took.
    mutating func note(_ time: TimeAmount) {
        fastSyncs = time <= SyncPace.fastMax ? min(fastSyncs + 1, SyncPace.trustMin) : 0
    }

    /// Whether this is written in a moment.
    static func isLittle(_ writes: [Write]) -> Bool {
        var bytes = 0
        for write in writes {
            if write.snapshot != nil { return false }
            for entry in write.entries { bytes += entry.payload.weight }
        }
        return bytes <= bytesMax
    }
}

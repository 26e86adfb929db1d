import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

// How simulated servers write and read their snapshots: it takes time, and a crash may come in between.

extension World {
    /// Begins to write a snapshot; nothing of it is certain yet. A disk that stalls takes nothing until it is well.
    mutating func write(_ draft: SnapshotDraft, of place: Int) {
        guard servers[place].isRunning else { return }
        guard servers[place].condition != .stall else {
            servers[place].draft = draft
            return
        }
        let snapshot = draft.encoded()
        servers[place].snapshot = (snapshot, draft.digest())
        let delay = random.interval(in: mix.sync) + servers[place].stall
        do throws(StorageError) {
            try servers[place].life?.log.beginDraft(snapshot)
            schedule(.snapshotWritten(server: place, life: servers[place].lives), after: delay)
        } catch {
            failDisk(place, error)
        }
    }

    /// The disk is well again: what it was to take is begun.
    mutating func writeDraft(of place: Int) {
        guard let draft = servers[place].draft, servers[place].condition != .stall else { return }
        servers[place].draft = nil
        write(draft, of: place)
    }

    /// The snapshot is written: it is made certain, and takes the old one's place.
    mutating func snapshotWritten(_ place: Int, life: UInt64) {
        guard servers[place].isRunning, servers[place].lives == life, let (snapshot, digest) = servers[place].snapshot
        else {
            return
        }
        servers[place].snapshot = nil
        do throws(StorageError) {
            try servers[place].life?.log.syncDraft()
            let isAdopted = try servers[place].life?.log.adoptDraft(upTo: snapshot.mark.last) ?? false
            try servers[place].life?.log.disk.syncNames()
            let outcome =
                isAdopted
                ? SnapshotOutcome.taken(size: snapshot.bytes.count, digest: digest) : .overtaken
            handle(.snapshotWritten(outcome), on: place)
        } catch {
            failDisk(place, error)
        }
    }

    /// Begins to read a snapshot.
    mutating func loadSnapshot(of place: Int) {
        let delay = random.interval(in: mix.sync) + servers[place].stall
        schedule(.snapshotRead(server: place, life: servers[place].lives), after: delay)
    }

    mutating func snapshotRead(_ place: Int, life: UInt64) {
        guard servers[place].isRunning, servers[place].lives == life, let disk = servers[place].life?.log.disk else {
            return
        }
        do throws(StorageError) {
            handle(.snapshotLoaded(try SnapshotFile.require(from: disk)), on: place)
        } catch {
            failDisk(place, error)
        }
    }
}

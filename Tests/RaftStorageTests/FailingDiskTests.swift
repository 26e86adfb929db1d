import RaftCore
import Testing

@testable import RaftStorage

private func entry(_ number: UInt64) -> Entry {
    Entry(term: Term(1), payload: .command(Array("value \(number)".utf8)))
}

private func write(_ number: UInt64) -> Write {
    Write(
        number: number, hardState: HardState(term: Term(1), vote: NodeID(2)), first: LogIndex(number),
        entries: [entry(number)])
}

/// Disks that fail, are full, or lose their power.
struct FailingDiskTests {
    private let identity = Identity(
        cluster: 7, node: NodeID(2), incarnation: .first, configuration: Configuration(count: 3))

    /// Opens a server's disk and writes to it until it fails. Answers what was promised to be there.
    private func run(_ disk: SharedDisk, from first: UInt64 = 1) -> [Entry]? {
        var promised: [Entry] = []
        do throws(StorageError) {
            var (_, log, recovered) = try identity.open(disk, segmentBytesMax: 200)
            promised = recovered.entries
            let next = UInt64(promised.count) + 1
            for number in next..<next + 12 {
                try log.append([write(number)])
                try log.sync()
                promised.append(entry(number))
            }
        } catch {
            return promised.isEmpty ? nil : promised
        }
        return promised
    }

    @Test("wherever the power is cut, every batch that was synced is there afterwards, under the name of its file")
    func powerCut() throws {
        for failsAfter in 0..<70 {
            let disk = SharedDisk()
            disk.memory.failsAfter = failsAfter
            let promised = run(disk) ?? []
            disk.memory = disk.memory.afterPowerCut()
            let (found, _, recovered) = try identity.open(disk)
            #expect(recovered.entries.starts(with: promised), "after \(failsAfter) operations")
            #expect(recovered.entries.count <= promised.count + 1)
            #expect(found.node == identity.node)
        }
    }

    @Test("wherever the power is cut while a log is being recovered, it is there the next time")
    func powerCutInRecovery() throws {
        let disk = SharedDisk()
        let promised = try #require(run(disk))
        let last = try #require(disk.memory.files.keys.filter { $0.hasPrefix("log-") }.max())
        disk.memory.files[last]?.bytes += [1, 2, 3]
        let torn = disk.memory
        for failsAfter in 0..<8 {
            disk.memory = torn
            disk.memory.failsAfter = failsAfter
            let more = run(disk) ?? promised
            disk.memory = disk.memory.afterPowerCut()
            #expect(try identity.open(disk).recovered.entries.starts(with: more), "after \(failsAfter) operations")
        }
    }

    @Test("a new disk's identity is whole before it has its name, and its name is certain before it is relied upon")
    func identityIsCertain() throws {
        var disk = MemoryDisk()
        try identity.claim(&disk)
        #expect(try Identity.read(from: disk.afterPowerCut()) == identity)
        for failsAfter in 0..<6 {
            var disk = MemoryDisk()
            disk.failsAfter = failsAfter
            _ = try? identity.claim(&disk)
            let found = try Identity.read(from: disk.afterPowerCut())
            #expect(found == nil || found == identity, "after \(failsAfter) operations")
        }
    }

    @Test("a sync that failed is final: nothing is written or synced after it, and the log says why")
    func failedSync() throws {
        var (log, _) = try WriteAheadLog.open(on: MemoryDisk())
        try log.append([write(1)])
        log.disk.failsAfter = 0
        #expect(throws: StorageError.self) { try log.sync() }
        log.disk.failsAfter = nil
        let left = log.disk.files
        let final = StorageError.system(operation: "write", path: "disk", reason: "writing to it has failed before")
        #expect(throws: final) { try log.sync() }
        #expect(throws: final) { try log.append([write(2)]) }
        #expect(log.disk.files == left, "a second sync that succeeds would say nothing of the first")
    }

    @Test(
        "a full disk is named with its file and the reason, and nothing that was acknowledged is lost",
        arguments: ["make", "write"], [0, 1, 20, 40])
    func full(operation: String, writtenOfFailed: Int) throws {
        let disk = SharedDisk()
        var promised: [Entry] = []
        do throws(StorageError) {
            var (_, log, _) = try identity.open(disk, segmentBytesMax: 300)
            for number in 1...20 as ClosedRange<UInt64> {
                if number == 4 { disk.memory.refused = operation }
                disk.memory.writtenOfFailed = writtenOfFailed
                try log.append([write(number)])
                try log.sync()
                promised.append(entry(number))
            }
            Issue.record("the disk isn't full")
        } catch {
            let name = operation == "make" ? "log-00000002" : "log-00000001"
            #expect("\(error)" == "can't \(operation) \(name): No space left on device")
        }
        #expect(promised.count >= 3)
        disk.memory.refused = nil
        #expect(try identity.open(disk).recovered.entries.starts(with: promised))
        #expect((run(disk)?.count ?? 0) >= promised.count + 12, "with room again it goes on")
    }
}

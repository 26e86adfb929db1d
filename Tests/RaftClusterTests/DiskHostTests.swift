import Foundation
import KeyValue
import NIOCore
import NIOPosix
import RaftCore
import RaftStorage
import RaftTrace
import Testing

@testable import RaftCluster
@testable import RaftNode

/// What a disk holds after each kind of crash.
struct DiskHostTests {
    private func write(_ number: UInt64) -> Write {
        Write(
            number: number, hardState: nil, first: LogIndex(number), entries: [Entry(term: Term(1), payload: .noop)])
    }

    @Test("a power cut loses what was written and not yet synced; a killed process loses nothing that was written")
    func powerCut() throws {
        for how in [CrashKind.power, .kill] {
            let path = NSTemporaryDirectory() + "raft-tui-tests-" + UUID().uuidString
            defer { try? FileManager.default.removeItem(atPath: path) }
            let power = PowerSwitch()
            let disk = DiskHost(directory: NodeDirectory(path: path), power: power)
            let identity = Identity(
                cluster: 1, node: NodeID(1), incarnation: .first, configuration: Configuration(count: 1))
            _ = try disk.open(identity)
            try disk.write([write(1)])
            power.isOn = false
            #expect(throws: StorageError.self) { try disk.write([write(2)]) }
            try disk.close(how)
            let found = try disk.open(identity).recovered.entries.count
            #expect(found == (how == .power ? 1 : 2), "\(how)")
        }
    }

    @Test("a snapshot that is too large is not written, and the disk goes on as if nobody had wanted one")
    func tooLarge() throws {
        let path = NSTemporaryDirectory() + "raft-tui-tests-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let disk = DiskReference(
            NodeDirectory(path: path), loop: loop, snapshots: loop, isInMemory: false)
        let identity = Identity(
            cluster: 1, node: NodeID(1), incarnation: .first, configuration: Configuration(count: 1))
        let opening = try disk.submit(on: loop) { try $0.open(identity).opening }.wait()
        let mark = SnapshotMark(
            last: LogPosition(term: Term(1), index: LogIndex(1)), configuration: Configuration(count: 1))
        let draft = SnapshotDraft(mark: mark, machine: StateMachine())
        let size = draft.encoded().bytes.count
        func write(sizeMax: Int) throws -> SnapshotOutcome {
            try disk.write(draft, condition: .ok, opening: opening, sizeMax: sizeMax, on: loop).wait()
        }
        #expect(try write(sizeMax: size - 1) == .tooLarge(size))
        let next = self.write(1)
        try disk.submit(on: loop) { try $0.write([next]) }.wait()
        #expect(try write(sizeMax: size) == .taken(size: size, digest: draft.digest()))
    }
}

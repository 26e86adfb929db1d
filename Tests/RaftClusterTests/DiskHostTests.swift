import Foundation
import RaftCore
import RaftStorage
import RaftTrace
import Testing

@testable import RaftCluster

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
}

import RaftCore
import Testing

/// Where a server finds the members: in its log, and in the snapshot that stands for its beginning (paper §7, thesis
/// §5.1).
struct ConfigurationHistoryTests {
    @Test("a snapshot holds the members as of its last entry, and not those of a later one")
    func asOfItsIndex() {
        var bench = Workbench.led(3)
        bench.change(removing: [n3])
        bench.dropWire()
        #expect(bench[n1].configuration.voters == [n1, n2])
        bench.takeSnapshot(on: n1)
        #expect(bench.disks[n1]?.snapshot?.mark.configuration == Configuration(count: 3))
        #expect(bench[n1].configuration.voters == [n1, n2])
        #expect(bench[n1].changes == ["n1,n2"])
    }

    @Test("a change that follows a snapshot is taken back to the members that the snapshot holds")
    func truncatedToSnapshot() {
        var bench = Workbench.led(4)
        bench.change(removing: [n4])
        bench.settle()
        bench.takeSnapshot(on: n1)
        bench.change(removing: [n3])
        bench.dropWire()
        #expect(bench[n1].configuration.voters == [n1, n2])
        bench.elect(n2)
        bench.settle(n2)
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        #expect(bench[n1].changes.isEmpty)
    }

    @Test("a follower that installs a snapshot has its members, whatever its log said")
    func installed() {
        var bench = Workbench.led(4)
        bench.crash(n3)
        bench.change(removing: [n4])
        bench.settle()
        bench.propose(on: n1)
        bench.settle()
        bench.takeSnapshot(on: n1)
        bench.start(n3)
        bench.settle()
        bench.loadSnapshot(on: n1)
        bench.settle()
        #expect(bench[n3].snapshot?.last.index == LogIndex(3))
        #expect(bench[n3].configuration.voters == [n1, n2, n3])
        bench.crash(n3)
        bench.start(n3)
        #expect(bench[n3].configuration.voters == [n1, n2, n3])
    }

    @Test(
        "a server that starts has the members of its snapshot, and of the entries after it",
        arguments: [0, 1, 2, 3, 100])
    func restarts(keeping count: Int) {
        var bench = Workbench.led(5)
        bench.change(removing: [n5])
        bench.settle()
        bench.change(removing: [n4])
        bench.settle()
        bench.propose(on: n1)
        bench.settle()
        bench.takeSnapshot(on: n1, keeping: count)
        bench.crash(n1)
        bench.start(n1)
        #expect(bench[n1].log.base.index.rawValue == UInt64(max(0, 4 - count)))
        #expect(bench[n1].configuration.voters == [n1, n2, n3])
        #expect(bench[n1].configuration(at: LogIndex(4)).voters == [n1, n2, n3])
        bench.elect(n1)
        bench.settle()
        bench.change(removing: [n3])
        bench.dropWire()
        bench.crash(n1)
        bench.start(n1)
        #expect(bench[n1].configuration.voters == [n1, n2])
        bench.elect(n2)
        bench.settle(n2)
        #expect(bench[n1].configuration.voters == [n1, n2, n3], "the last change was not committed")
        #expect(bench[n1].log.last == bench[n2].log.last)
    }

    @Test("the members as of an entry are those of the last change up to it")
    func asOf() {
        var bench = Workbench.led(4)
        bench.change(removing: [n4])
        bench.settle()
        bench.propose(on: n1)
        bench.settle()
        bench.change(removing: [n3])
        bench.settle()
        let voters = (0...4).map { bench[n1].configuration(at: LogIndex($0)).voters.count }
        #expect(voters == [4, 4, 3, 3, 2])
    }

    @Test("a server that is no member yet finds out from the log that it is")
    func joins() {
        var bench = Workbench.led(3)
        bench.takeSnapshot(on: n1)
        bench.start(n4)
        #expect(!bench[n4].configuration.contains(n4))
        bench.change(adding: [n4])
        bench.settle()
        bench.loadSnapshot(on: n1)
        bench.settle()
        #expect(bench[n4].isVoter)
        bench.crash(n4)
        bench.start(n4)
        #expect(bench[n4].isVoter)
    }
}

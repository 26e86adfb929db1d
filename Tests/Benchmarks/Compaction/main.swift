import Glibc
import KeyValue
import Laboratory
import RaftCluster
import RaftCore
import RaftStorage
import RaftTrace

// What long logs and large stores cost: `compaction-benchmark [reopen|catch-up|snapshot|memory]…`. Three servers on real
// disks, under a temporary directory.

let chosen = Set(CommandLine.arguments.dropFirst())
func isChosen(_ name: String) -> Bool { chosen.isEmpty || chosen.contains(name) }
let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
let root = "\(temporary)/raft-compaction-\(getpid())"
mkdir(root, 0o755)
defer { removeTree(root) }

let million: UInt64 = 1_000_000
let clock = ContinuousClock()

/// Writes a log of `count` entries of 64 bytes to the disk of `node`.
func fill(_ node: NodeID, of cluster: UInt64, in directory: String, count: UInt64) throws {
    let identity = Identity(
        cluster: cluster, node: node, incarnation: .first, configuration: Configuration(count: 3))
    var (_, log, _) = try identity.open(try DirectoryDisk(path: "\(directory)/\(node)"))
    var number: WriteNumber = 1
    var first: UInt64 = 1
    while first <= count {
        let entries = (first..<min(count + 1, first + 4_096)).map { index in
            let command = SessionCommand(
                .set(key: Bytes("key-\(index % 1_000)".utf8), value: Bytes(repeating: 0x78, count: 40)))
            return Entry(term: Term(1), payload: .command(command.encoded()))
        }
        try log.append([
            Write(number: number, hardState: HardState(term: Term(1)), first: LogIndex(first), entries: entries)
        ])
        number += 1
        first += UInt64(entries.count)
    }
    try log.sync()
}

func settings(every: Int?) -> Settings {
    var settings = Settings()
    settings.compaction.every = every
    return settings
}

func removeTree(_ path: String) {
    if let directory = opendir(path) {
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeTree("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    } else {
        unlink(path)
    }
}

/// The memory that this process has in use, in megabytes.
func residentMegabytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let numbers = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        .split(separator: " ")
    return (numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0) * 4_096 / (1 << 20)
}

if isChosen("reopen") {
    let directory = root + "/reopen"
    mkdir(directory, 0o755)
    try fill(NodeID(1), of: 1, in: directory, count: million)
    let identity = Identity(
        cluster: 1, node: NodeID(1), incarnation: .first, configuration: Configuration(count: 3))
    var entries = 0
    let time = try clock.measure {
        entries = try identity.open(try DirectoryDisk(path: directory + "/n1")).recovered.entries.count
    }
    print("reopen: a log of \(entries) entries in \(Int(time / .milliseconds(1))) ms")
}

if isChosen("catch-up") {
    let directory = root + "/catch-up"
    mkdir(directory, 0o755)
    for node in [1, 2] { try fill(NodeID(node), of: 1, in: directory, count: million) }
    try fill(NodeID(3), of: 1, in: directory, count: 1)
    let cluster = try LiveCluster(.init(nodes: 3, dataDirectory: directory, settings: settings(every: nil)))
    let load = Load(cluster, keys: 1_000)
    cluster.start()
    try load.run(0.01, rate: 0)
    try load.perform(.isolate(.node(NodeID(3))))
    try load.run(30, rate: 0) { $0.leader != nil && ($0.leader?.commit.rawValue ?? 0) >= million }
    try load.run(2, rate: 10_000)
    load.forgetAnswers()
    try load.run(5, rate: 10_000)
    let (alone, p99) = (load.answers.count / 5, load.answers.percentile(0.99))
    load.forgetAnswers()
    let lag = (load.picture.leader?.log.last.rawValue ?? 0)
    let start = cluster.now
    try load.perform(.heal([]))
    try load.run(60, rate: 10_000) { ($0[NodeID(3)]?.durable.rawValue ?? 0) >= lag }
    let seconds = Double((cluster.now - start).nanoseconds) / 1e9
    let during = Double(load.answers.count) / seconds
    print(
        "catch-up: \(lag) entries in \(Int(seconds * 1_000)) ms, \(Int(Double(lag) / seconds)) a second;",
        "meanwhile \(Int(during)) writes a second, \(alone) before; p99 \(load.answers.percentile(0.99)) µs, \(p99) before"
    )
    cluster.close()
}

if isChosen("snapshot") {
    let cluster = try LiveCluster(.init(nodes: 3, settings: settings(every: nil)))
    let load = Load(cluster, keys: 100_000)
    cluster.start()
    try load.run(10, rate: 0) { $0.leader != nil }
    try load.run(12, rate: 10_000)
    load.drain()
    var ratios: [Double] = []
    for round in 1...7 {
        load.forgetAnswers()
        try load.run(3, rate: 10_000)
        let before = (load.answers.percentile(0.5), load.answers.percentile(0.99))
        load.forgetAnswers()
        let start = cluster.now
        for node in 1...3 { try load.perform(.nodes(.snapshot, [.node(NodeID(node))])) }
        var taken: Instant?
        try load.run(10, rate: 10_000) { picture in
            let isOver = picture.nodes.allSatisfy { $0.snapshot != nil && $0.isTakingSnapshot == nil }
            if isOver, cluster.now > start + .milliseconds(20) { taken = cluster.now }
            return taken != nil
        }
        let end = taken ?? cluster.now
        let during = load.answers.filter { $0.at <= end }
        let keys = load.picture.leader?.storeCount ?? 0
        print(
            "snapshot \(round): \(keys) keys on three servers in \(Int((end - start).nanoseconds / 1_000_000)) ms;",
            "writes p50 \(during.percentile(0.5)) µs, p99 \(during.percentile(0.99)) µs meanwhile;",
            "three seconds before: p50 \(before.0) µs, p99 \(before.1) µs"
        )
        ratios.append(Double(during.percentile(0.99)) / Double(max(1, before.1)))
    }
    ratios.sort()
    func twoDigits(_ ratio: Double) -> Double { (ratio * 100).rounded() / 100 }
    print(
        "snapshot: p99 meanwhile to p99 before: \(twoDigits(ratios[ratios.count / 2])) in the middle of",
        "\(ratios.map(twoDigits))")
    if load.failures > 0 { print("  \(load.failures) writes were not acknowledged") }
    cluster.close()
}

if isChosen("memory") {
    let writes = getenv("WRITES").flatMap { Int(String(cString: $0)) } ?? 1_000_000
    let cluster = try LiveCluster(.init(nodes: 3))
    let load = Load(cluster, keys: 1_000)
    cluster.start()
    try load.run(10, rate: 0) { $0.leader != nil }
    let start = cluster.now
    var (done, lines) = (0, 0)
    while done < writes {
        load.forgetAnswers()
        try load.run(2, rate: 1_000_000)
        done += load.answers.count
        guard done >= writes * (lines + 1) / 10 else { continue }
        lines = done * 10 / writes
        let seconds = Double((cluster.now - start).nanoseconds) / 1e9
        print("memory: \(residentMegabytes()) MB after \(done) writes, \(Int(Double(done) / seconds)) a second")
    }
    load.drain()
    cluster.close()
}

if isChosen("cost") {
    var machine = StateMachine()
    for number in 0..<100_000 {
        let value = Bytes("value-\(number)-0123456789012345678901234567890123456789".utf8)
        _ = machine.apply(
            SessionCommand(
                client: "c\(number % 64)", sequence: UInt64(number / 64 + 1), firstIncomplete: UInt64(number / 64 + 1),
                operation: .set(key: Bytes("key-\(number)".utf8), value: value)))
    }
    var bytes: Bytes = []
    let encoding = clock.measure { bytes = machine.encoded() }
    var digest: UInt64 = 0
    let digesting = clock.measure { digest = machine.digest }
    let path = root + "/cost"
    var disk = try DirectoryDisk(path: path)
    let mark = SnapshotMark(
        last: LogPosition(term: Term(1), index: LogIndex(1)), configuration: Configuration(count: 3))
    let snapshot = Snapshot(mark: mark, bytes: bytes)
    let begun = try clock.measure { try SnapshotFile.begin(snapshot, on: &disk) }
    let synced = try clock.measure { try disk.sync(SnapshotFile.draft) }
    var restored = StateMachine()
    let decoding = try clock.measure { restored = try StateMachine(decoding: bytes) }
    let same = restored.digest == digest
    func ms(_ duration: Duration) -> Double { (duration / .milliseconds(1) * 10).rounded() / 10 }
    print(
        "cost of a snapshot of \(machine.store.count) keys, \(bytes.count) bytes, in ms: encoding \(ms(encoding)),",
        "digest \(ms(digesting)), writing \(ms(begun)), syncing \(ms(synced)), reading again \(ms(decoding)), same: \(same)"
    )
}

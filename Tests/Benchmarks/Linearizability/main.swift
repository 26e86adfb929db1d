import Glibc
import RaftAudit
import RaftTrace

// How fast histories are held to linearizability: `linearizability-benchmark [OPERATIONS [SEED]]`.

let operations = CommandLine.arguments.dropFirst().first.flatMap { UInt64($0) } ?? 100_000
let seed = CommandLine.arguments.dropFirst(2).first.flatMap { UInt64($0) } ?? 1
let keys: UInt64 = 100

func judge(_ events: [Event.Kind]) -> (audit: ClientAudit, seconds: Double) {
    var audit = ClientAudit()
    let time = ContinuousClock().measure {
        for (place, event) in events.enumerated() { audit.take(event, sequence: UInt64(place)) }
        audit.finish()
    }
    return (audit, time / .seconds(1))
}

func fail(_ reason: String) -> Never {
    print("FAILED: \(reason)")
    exit(1)
}

for clients in [16, 64] {
    let history = History(seed: seed, operations: operations, keys: keys, clients: clients)
    let (audit, seconds) = judge(history.events)
    print(
        "\(operations) operations on \(keys) keys by \(clients) clients: \((seconds * 1_000).rounded() / 1_000) s,",
        "\(Int(Double(operations) / seconds)) a second; \(audit.checked) answers checked, \(audit.unchecked) unchecked,",
        "\(history.unknownCalls) writes that nobody knows of")
    if let finding = audit.findings.first { fail("a correct store was found guilty: \(finding)") }
    guard let stale = history.withStaleRead() else { fail("there is no read to make stale") }
    guard let finding = judge(stale).audit.findings.first else { fail("a stale read was not found") }
    print("  with one stale read: \(finding.sentence)")
}

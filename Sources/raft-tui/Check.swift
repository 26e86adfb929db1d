import ArgumentParser
import RaftAudit
import RaftTrace

/// `raft-tui check`: audits a trace.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hold a trace to Raft's properties, and its clients' history to linearizability.",
        discussion: """
            Prints a verdict for each property, what broke it, and what could not be checked. Exit status: 0 if all \
            hold, 1 if one is broken, 2 if the trace can't be read.
            """)

    @Argument(help: "The trace; - for standard input.")
    var file: String

    func run() throws {
        var audit = Audit()
        let (count, missing) = try TraceReader.read(file) { audit.take($0.kind, sequence: $0.sequence) }
        audit.finish()
        let all = audit.earlierFindings + audit.findings
        let unbroken = audit.isMidway ? "unchecked: the cluster ran before it was watched" : "holds"
        for property in Property.allCases {
            let findings = all.filter { $0.property == property }
            print("\(property.rawValue)  \(findings.isEmpty ? unbroken : "BROKEN")")
            for finding in findings { print("  event \(finding.sequence): \(finding.sentence)") }
        }
        print("\(count) events, \(audit.clients.checked) answers to clients checked")
        if audit.safety.unchecked > 0 {
            print("not checked: \(audit.safety.unchecked) events after others that were left out")
        }
        if audit.clients.unchecked > 0 {
            print("not checked: \(audit.clients.unchecked) calls, on several keys or with too many others open")
        }
        if missing > 0 {
            print("not checked: \(missing) events that are missing from the trace, and what hangs on them")
        }
        if !all.isEmpty { throw ExitCode(1) }
    }
}

import ArgumentParser
import FoundationEssentials
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
        let count = try TraceReader.read(file) { audit.take($0.kind, sequence: $0.sequence) }
        audit.finish()
        for property in Property.allCases {
            let findings = audit.findings.filter { $0.property == property }
            print("\(property.rawValue)  \(findings.isEmpty ? "holds" : "BROKEN")")
            for finding in findings { print("  event \(finding.sequence): \(finding.sentence)") }
        }
        print("\(count) events, \(audit.clients.checked) answers to clients checked")
        if audit.safety.unchecked > 0 {
            print("not checked: \(audit.safety.unchecked) events after others that were left out")
        }
        if audit.clients.unchecked > 0 {
            print("not checked: \(audit.clients.unchecked) calls, on several keys or with too many others open")
        }
        if !audit.findings.isEmpty { throw ExitCode(1) }
    }
}

/// Reads events from a file, one JSON object a line.
enum TraceReader {
    /// Hands every event to `take`, in order. Answers how many there were.
    static func read(_ path: String, _ take: (Event) throws -> Void) throws -> Int {
        let decoder = JSONDecoder()
        var count = 0
        for (place, line) in try Files.bytes(path).split(separator: UInt8(ascii: "\n")).enumerated() {
            let event: Event
            do { event = try decoder.decode(Event.self, from: Data(line)) } catch {
                throw Failure("\(path), line \(place + 1), is no event of a trace: \(TraceReader.reason(of: error))")
            }
            if count == 0 {
                guard case .began = event.kind else { throw Failure("\(path) is no trace: it doesn't begin with one") }
            }
            try take(event)
            count += 1
        }
        guard count > 0 else { throw Failure("\(path) is no trace: it is empty") }
        return count
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context): context.debugDescription
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(context.codingPath.last?.stringValue ?? "?")' is of another type"
        default: "\(error)"
        }
    }
}

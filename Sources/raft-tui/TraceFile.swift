import FoundationEssentials
import Glibc
import RaftAudit
import RaftCore
import RaftTrace

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
                guard case .began(let began) = event.kind else {
                    throw Failure("\(path) is no trace: it doesn't begin with one")
                }
                guard began.version == ClusterBegan.version else {
                    throw Failure(
                        "\(path) is a trace of version \(began.version), and this program reads version \(ClusterBegan.version)"
                    )
                }
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

/// Writes events to a file, one JSON object a line, and what of them breaks a property.
final class TraceWriter {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>
    private let encoder = JSONEncoder()
    private var findings = 0

    init(path: String) throws {
        guard let file = fopen(path, "w") else {
            throw Failure("can't write \(path): \(String(cString: strerror(errno)))")
        }
        self.path = path
        self.file = file
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// Writes events, and after them what was found meanwhile.
    func write(_ events: [Event], _ audit: Audit) throws {
        for event in events { try write(event) }
        let found = audit.findings.sorted { $0.sequence < $1.sequence }
        if found.count < findings { findings = 0 }
        for finding in found[findings...] {
            let violation = PropertyBroken(property: finding.property.rawValue, sentence: finding.sentence)
            try write(Event(at: events.last?.at ?? .zero, sequence: finding.sequence, kind: .violation(violation)))
        }
        findings = found.count
        guard fflush(file) == 0 else { throw failure() }
    }

    private func write(_ event: Event) throws {
        var line = try encoder.encode(event)
        line.append(UInt8(ascii: "\n"))
        let written = line.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
        guard written == line.count else { throw failure() }
    }

    func close() throws {
        guard fclose(file) == 0 else { throw failure() }
    }

    private func failure() -> Failure { Failure("can't write \(path): \(String(cString: strerror(errno)))") }
}

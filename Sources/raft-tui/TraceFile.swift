import FoundationEssentials
import Glibc
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

/// Reads events from a file, one JSON object a line.
struct TraceReader {
    private let path: String
    private(set) var count = 0
    /// How many events are missing between those that are there.
    private(set) var missing = 0
    private var sequence: UInt64 = 0
    private var nodes = 0

    /// Hands every event to `take`, in order. Answers how many there were, and how many are missing between them.
    static func read(_ path: String, _ take: (Event) throws -> Void) throws -> (count: Int, missing: Int) {
        let decoder = JSONDecoder()
        let bytes = try Files.bytes(path)
        let isWhole = bytes.last == UInt8(ascii: "\n")
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        var reader = TraceReader(path: path)
        for (place, line) in lines.enumerated() {
            let event: Event
            do { event = try decoder.decode(Event.self, from: Data(line)) } catch {
                if !isWhole, place > 0, place == lines.count - 1 {
                    throw Failure(
                        "\(path) ends in the middle of line \(place + 1): whoever wrote it was stopped; without that line it can be read"
                    )
                }
                throw Failure("\(path), line \(place + 1), is no event of a trace: \(TraceReader.reason(of: error))")
            }
            for event in try reader.check(event, line: place + 1) { try take(event) }
        }
        guard reader.count > 0 else { throw Failure("\(path) is no trace: it is empty") }
        return (reader.count, reader.missing)
    }

    /// Makes sure that an event can follow those before it. Answers it, and before it that some are missing.
    private mutating func check(_ event: Event, line: Int) throws -> [Event] {
        if case .began(let began) = event.kind {
            guard began.version == ClusterBegan.version else {
                throw Failure(
                    "\(path) is a trace of version \(began.version), and this program reads version \(ClusterBegan.version)"
                )
            }
            nodes = began.nodes
        } else if count == 0 {
            throw Failure("\(path) is no trace: it doesn't begin with one")
        }
        // Servers may join those that there were at first.
        if case .node(let node, _, _) = event.kind, node.rawValue > max(nodes, Desk.nodesMax) {
            throw Failure(
                "\(path), line \(line), speaks of \(node), but a cluster has at most \(max(nodes, Desk.nodesMax)) nodes"
            )
        }
        count += 1
        // What was found broken has the number of the event that showed it.
        if case .violation = event.kind { return [event] }
        guard event.sequence > sequence else {
            throw Failure(
                "\(path), line \(line): event \(event.sequence) follows event \(sequence), so that this is more than one trace"
            )
        }
        let gap = count > 1 ? Int(clamping: event.sequence - sequence - 1) : 0
        sequence = event.sequence
        guard gap > 0 else { return [event] }
        missing += gap
        return [Event(at: event.at, sequence: event.sequence, kind: .dropped(EventsDropped(count: gap))), event]
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty:
            "it is no JSON object"
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
    /// How many findings of each side of the audit were written.
    private var written = (servers: 0, clients: 0)

    init(path: String) throws {
        try Files.requireReplaceable(path, beginningWith: "{\"at\":", "a trace")
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
        let (servers, clients) = (audit.safety.findings, audit.clients.findings)
        // A cluster that began anew has an audit of its own.
        if servers.count < written.servers || clients.count < written.clients { written = (0, 0) }
        for finding in servers[written.servers...] + clients[written.clients...] {
            let violation = PropertyBroken(property: finding.property.rawValue, sentence: finding.sentence)
            try write(Event(at: events.last?.at ?? .zero, sequence: finding.sequence, kind: .violation(violation)))
        }
        written = (servers.count, clients.count)
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

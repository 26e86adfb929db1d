import KeyValue
import Laboratory
import RaftCore
import RaftStorage

/// What a node's directory holds, as lines for a person. Nothing is repaired, and damage is shown where it is.
struct LogListing {
    private(set) var lines: [String] = []
    /// Whether something in it keeps the node from starting.
    private(set) var isDamaged = false
    private var hardState = HardState()
    /// What came before ``terms``, and is in a snapshot or in files that are gone.
    private var base = LogPosition.zero
    private var terms: [Term] = []

    /// Lists the directory at `path`.
    init(path: String) throws {
        let disk = try DirectoryDisk(readingOnly: path)
        try list(identityOf: disk)
        if let snapshot = try SnapshotFile.read(from: disk) { try list(snapshot) }
        for (place, segment) in try Segment.all(on: disk).enumerated() {
            if place == 0, case .start(let start)? = segment.frames.first?.records.first { base.index = start.last }
            list(segment, size: try disk.contents(of: segment.name).count)
        }
        let last = terms.last.map { LogPosition(term: $0, index: self.last) } ?? base
        let vote = hardState.vote.map { "voted for \($0)" } ?? "no vote"
        lines.append("in all: term \(hardState.term), \(vote), \(terms.count) entries, the last at \(last)")
    }

    private mutating func list(identityOf disk: DirectoryDisk) throws {
        guard let identity = try Identity.read(from: disk) else { throw Failure("\(disk.path) holds no node's log") }
        try identity.checkLogIsThere(on: disk)
        let members = identity.configuration.members.map(\.id.description).joined(separator: " ")
        let cluster = String(identity.cluster, radix: 16)
        lines.append("\(disk.path): \(identity.node), life \(identity.incarnation), of cluster \(cluster) (\(members))")
    }

    private mutating func list(_ snapshot: Snapshot) throws {
        let machine = try? StateMachine(decoding: snapshot.bytes)
        let contents = machine.map { "\($0.store.count) keys, \($0.sessionCount) clients" } ?? "no store"
        lines.append("\(SnapshotFile.name), \(snapshot.bytes.count) bytes: up to \(snapshot.mark.last), \(contents)")
    }

    private var last: LogIndex { base.index.advanced(by: terms.count) }

    private mutating func list(_ segment: Segment, size: Int) {
        lines.append("\(segment.name), \(size) bytes")
        for frame in segment.frames {
            var place = "\(padded(frame.offset))  frame \(frame.number)"
            for record in frame.records {
                for text in list(record) {
                    lines.append(place + String(repeating: " ", count: max(2, 24 - place.count)) + text)
                    place = ""
                }
            }
        }
        switch segment.end {
        case .clean(let offset): if offset < size { lines.append("\(padded(offset))  \(size - offset) zeros") }
        case .torn(let offset, let reason):
            lines.append("\(padded(offset))  torn: \(reason); it will be cut off, for nobody was told of it")
        case .damaged(let offset, let reason):
            isDamaged = true
            lines.append("\(padded(offset))  DAMAGED: \(reason)")
        case .unknownVersion(let version):
            isDamaged = true
            lines.append("\(padded(0))  of format \(version), which this raft-tui doesn't know")
        }
    }

    private mutating func list(_ record: Record) -> [String] {
        switch record {
        case .start(let start):
            return ["file \(start.segment) begins: \(text(of: start.hardState)), the log ends at \(start.last)"]
        case .hardState(let state):
            hardState = state
            return [text(of: state)]
        case .base(let position, let isReset):
            let count = base.index.distance(to: position.index)
            if isReset {
                let discarded = terms.isEmpty ? "" : "; what the log held is discarded"
                (terms, base) = ([], position)
                return ["a leader's snapshot stands for everything up to \(position)\(discarded)"]
            }
            guard count >= 0 else { return ["the log begins after \(position), with entries in files that are gone"] }
            terms.removeFirst(min(count, terms.count))
            base = position
            return ["the log begins after \(position): the snapshot stands for what came up to it"]
        case .entries(let first, let entries):
            let known = last
            if first <= base.index, terms.isEmpty { base.index = first.previous }
            guard first > base.index, first <= known.next else {
                isDamaged = true
                return ["DAMAGED: entry \(first) follows entry \(known)"]
            }
            terms.removeLast(max(0, first.distance(to: known) + 1))
            terms.append(contentsOf: entries.map(\.term))
            let removed = known >= first ? ["entries \(first)…\(known) are removed"] : []
            return removed
                + entries.enumerated().map { place, entry in
                    "\(first.advanced(by: place)) t\(entry.term) \(text(of: entry.payload))"
                }
        }
    }

    private func text(of state: HardState) -> String {
        "term \(state.term), " + (state.vote.map { "voted for \($0)" } ?? "no vote")
    }

    private func text(of payload: Payload) -> String {
        if case .configuration(let configuration) = payload { return "members \(configuration)" }
        guard case .command(let bytes) = payload else { return "no-op" }
        guard let command = try? SessionCommand(decoding: bytes) else {
            return "\(bytes.count) bytes of no known command"
        }
        return "\(command.operation)" + (command.client.isEmpty ? "" : "  (\(command.client) #\(command.sequence))")
    }

    private func padded(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }
}

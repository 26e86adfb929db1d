import ByteCoding
import RaftCore

/// What a frame of the log says; the last one that speaks of a thing is right, so that order on disk is order of truth.
public enum Record: Hashable, Sendable {
    /// The first record of every file: what the files before it amount to, so that they can be dropped.
    case start(SegmentStart)
    /// Term and vote from here on.
    case hardState(HardState)
    /// The log from `first` on: these entries take the place of everything that was there.
    case entries(first: LogIndex, [Entry])
    /// The log begins after this position from here on: a snapshot on disk stands for what came up to it (paper §7). Either
    /// it is the log's own, and what follows stays, or the leader's, which has taken the place of the whole log.
    case base(LogPosition, isReset: Bool)
}

/// What the log amounts to where a file begins.
public struct SegmentStart: Hashable, Sendable {
    /// The number of the file, from 1.
    public var segment: UInt64
    /// The number of this frame; frames are numbered on through all files.
    public var frame: UInt64
    /// Term and vote.
    public var hardState: HardState
    /// The position after which the log begins.
    public var base: LogPosition
    /// The index of the last entry.
    public var last: LogIndex
}

extension Record {
    /// The format of files that this program writes.
    static let version: UInt8 = 2

    private enum Code: UInt8 {
        case start = 1
        case hardState
        case entries
        case base
    }

    private enum EntryCode: UInt8 {
        case noop = 0
        case command
        case configuration
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .start(let start):
            writer.write(Code.start.rawValue)
            writer.write(Record.version)
            writer.writeVarint(start.segment)
            writer.writeVarint(start.frame)
            Record.encode(start.hardState, into: &writer)
            writer.write(start.base)
            writer.writeVarint(start.last.rawValue)
        case .hardState(let state):
            writer.write(Code.hardState.rawValue)
            Record.encode(state, into: &writer)
        case .entries(let first, let entries):
            writer.write(Code.entries.rawValue)
            writer.writeVarint(first.rawValue)
            writer.writeVarint(UInt64(entries.count))
            for entry in entries { Record.encode(entry, into: &writer) }
        case .base(let position, let isReset):
            writer.write(Code.base.rawValue)
            writer.write(position)
            writer.write(UInt8(isReset ? 1 : 0))
        }
    }

    init(from reader: inout ByteReader) throws(ByteReadingError) {
        guard let code = Code(rawValue: try reader.readByte()) else { throw .invalid("unknown record") }
        switch code {
        case .start:
            let version = try reader.readByte()
            guard version == Record.version else { throw .unknownVersion(version) }
            let segment = try reader.readVarint()
            let frame = try reader.readVarint()
            let state = try Record.hardState(from: &reader)
            let base = try reader.readPosition()
            let last = LogIndex(try reader.readNumber())
            self = .start(SegmentStart(segment: segment, frame: frame, hardState: state, base: base, last: last))
        case .hardState: self = .hardState(try Record.hardState(from: &reader))
        case .entries:
            let first = LogIndex(try reader.readNumber())
            let count = try reader.readVarint()
            // An entry takes two bytes at least, so that a wrong count can't ask for more memory than the frame has.
            guard count <= UInt64(reader.remaining / 2) else { throw .truncated }
            var entries: [Entry] = []
            entries.reserveCapacity(Int(count))
            for _ in 0..<count { entries.append(try Record.entry(from: &reader)) }
            self = .entries(first: first, entries)
        case .base:
            let position = try reader.readPosition()
            self = .base(position, isReset: try reader.readByte() != 0)
        }
    }

    private static func encode(_ state: HardState, into writer: inout ByteWriter) {
        writer.writeVarint(state.term.rawValue)
        writer.write(state.vote?.rawValue ?? 0)
    }

    private static func hardState(from reader: inout ByteReader) throws(ByteReadingError) -> HardState {
        let term = Term(try reader.readNumber())
        let vote = try reader.readByte()
        if vote == 0 { return HardState(term: term) }
        guard let node = NodeID(rawValue: vote) else { throw .invalid("impossible vote (server \(vote))") }
        return HardState(term: term, vote: node)
    }

    private static func encode(_ entry: Entry, into writer: inout ByteWriter) {
        writer.writeVarint(entry.term.rawValue)
        switch entry.payload {
        case .noop: writer.write(EntryCode.noop.rawValue)
        case .configuration(let configuration):
            writer.write(EntryCode.configuration.rawValue)
            writer.write(configuration)
        case .command(let bytes):
            writer.write(EntryCode.command.rawValue)
            writer.writeCounted(bytes)
        }
    }

    private static func entry(from reader: inout ByteReader) throws(ByteReadingError) -> Entry {
        let term = Term(try reader.readNumber())
        guard let code = EntryCode(rawValue: try reader.readByte()) else { throw .invalid("unknown kind of entry") }
        switch code {
        case .noop: return Entry(term: term, payload: .noop)
        case .configuration: return Entry(term: term, payload: .configuration(try reader.readConfiguration()))
        case .command: return Entry(term: term, payload: .command(Array(try reader.readCounted())))
        }
    }

    /// The records that the payload of a frame holds.
    static func all(in payload: ArraySlice<UInt8>) throws(ByteReadingError) -> [Record] {
        var reader = ByteReader(payload)
        var records: [Record] = []
        while reader.remaining > 0 { records.append(try Record(from: &reader)) }
        return records
    }
}

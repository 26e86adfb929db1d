/// Reads server-sent events from bytes as they come, in whatever pieces.
struct ServerSentEvents: Sendable {
    /// One of them.
    struct Record: Hashable, Sendable {
        /// What its `id:` says; empty where it has none.
        var id: [UInt8] = []
        /// What its `data:` lines say, with newlines between them.
        var data: [UInt8] = []
    }

    /// Something that can't be read.
    struct Unreadable: Error, Hashable, Sendable {}

    private var line: [UInt8] = []
    private var record = Record()
    private var hasData = false
    /// Whether the last byte was a carriage return, so that a newline after it is the same end of a line.
    private var wasReturn = false

    /// The longest line that is taken.
    private static let lineMax = 16 << 20

    /// Takes bytes, and answers what they complete.
    mutating func take(_ bytes: some Collection<UInt8>) throws(Unreadable) -> [Record] {
        var records: [Record] = []
        for byte in bytes {
            defer { wasReturn = byte == 0x0d }
            if byte == 0x0a, wasReturn { continue }
            if byte == 0x0a || byte == 0x0d {
                if let record = endLine() { records.append(record) }
            } else {
                guard line.count < ServerSentEvents.lineMax else { throw Unreadable() }
                line.append(byte)
            }
        }
        return records
    }

    private mutating func endLine() -> Record? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer { (record, hasData) = (Record(), false) }
            return hasData ? record : nil
        }
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        var value = line[name.endIndex...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        // A line that begins with a colon says only that somebody is there, and other fields are nothing to us.
        if name.elementsEqual("id".utf8) {
            record.id = Array(value)
        } else if name.elementsEqual("data".utf8) {
            if hasData { record.data.append(0x0a) }
            record.data.append(contentsOf: value)
            hasData = true
        }
        return nil
    }
}

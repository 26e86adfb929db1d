import ByteCoding

/// One file of the log, as it is read: `log-00000001` and so on.
public struct Segment: Sendable {
    /// The number of the file.
    public let number: UInt64
    /// Its name.
    public var name: String { Segment.name(number) }
    /// Its whole frames, in order.
    public private(set) var frames: [StoredFrame] = []
    /// How it ends.
    public private(set) var end: End

    /// A whole frame.
    public struct StoredFrame: Sendable {
        /// Where it starts in its file, in bytes.
        public var offset: Int
        /// How many bytes it takes.
        public var size: Int
        /// Its number, or the lower half of it.
        public var number: UInt32
        /// What it says.
        public var records: [Record]

        /// Whether it is the first of a file.
        var isStart: Bool {
            if case .start? = records.first { true } else { false }
        }
    }

    /// How a file ends.
    public enum End: Hashable, Sendable {
        /// After the last frame; anything behind `offset` is zeros.
        case clean(offset: Int)
        /// A crash kept the last frame from being written whole.
        case torn(offset: Int, reason: String)
        /// No crash explains what stands at `offset`.
        case damaged(offset: Int, reason: String)
        /// The file is of a format that this program doesn't know.
        case unknownVersion(UInt8)
    }

    /// Reads the frames of a file up to its end, or to the first that isn't right.
    init(number: UInt64, contents: [UInt8]) {
        self.number = number
        var offset = 0
        while true {
            switch Frame.read(contents, at: offset, segment: number) {
            case .end:
                end = .clean(offset: offset)
                return
            case .torn(let reason):
                end = .torn(offset: offset, reason: reason)
                return
            case .damaged(let reason):
                end = .damaged(offset: offset, reason: reason)
                return
            case .frame(let payload, let number, let next):
                do {
                    let records = try Record.all(in: payload)
                    frames.append(
                        StoredFrame(offset: offset, size: next - offset, number: number, records: records))
                } catch .unknownVersion(let version) {
                    end = .unknownVersion(version)
                    return
                } catch {
                    end = .damaged(offset: offset, reason: "the frame can't be read: \(error)")
                    return
                }
                offset = next
            }
        }
    }

    static let prefix = "log-"

    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return prefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The number of the file called `name`; `nil` where it is no file of a log.
    static func number(of name: String) -> UInt64? {
        guard name.hasPrefix(prefix), let number = UInt64(name.dropFirst(prefix.count)), number > 0 else { return nil }
        return Segment.name(number) == name ? number : nil
    }

    /// The numbers of the log's files on `disk`, ascending.
    static func numbers(on disk: some Disk) throws(StorageError) -> [UInt64] {
        try disk.names().compactMap(number(of:)).sorted()
    }

    /// The log's files on `disk`, for a person to look at: nothing is repaired, and nothing refused.
    public static func all(on disk: some Disk) throws(StorageError) -> [Segment] {
        var segments: [Segment] = []
        for number in try numbers(on: disk) {
            segments.append(Segment(number: number, contents: try disk.contents(of: name(number))))
        }
        return segments
    }
}

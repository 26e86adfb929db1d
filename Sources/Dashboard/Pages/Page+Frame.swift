import Canvas
import RaftCore
import RaftTrace

// The bytes of a message, as it crosses a socket.

/// The frame in which a message crosses a socket, under the number by which the screen knows it; `nil` for bytes that no
/// event tells.
public typealias FrameBytes = @Sendable (_ message: Message, _ number: UInt64) -> [UInt8?]

extension Model {
    /// The frame of a message: where each row of bytes begins, the bytes, and the letters that they are.
    func frameLines(of sent: MessageSent, columns: Int) -> [Page.Line] {
        guard let bytes = frameBytes?(sent.message, sent.number).hidingSnapshot(of: sent.message, if: isReplay) else {
            return []
        }
        let width = columns >= Model.listingColumns ? 16 : 8
        let unknown = isASCII ? "--" : "··"
        let heading = "The frame, \(bytes.count) bytes, as it crosses a socket; \(unknown) is what the connection adds"
        let rows = stride(from: 0, to: bytes.count, by: width).prefix(Model.listingRows)
        let lines = rows.map { start in
            let row = bytes[start..<min(start + width, bytes.count)]
            let listed = row.map { $0.map { Model.hex(Int($0), digits: 2) } ?? unknown }.joined(separator: " ")
            return Page.Line([
                (Model.hex(start, digits: 4) + "  ", .faint), (Page.padded(listed, to: width * 3 + 1), .plain),
                (row.map(Model.letter).joined(), Style(.sky)),
            ])
        }
        let rest = bytes.count - min(bytes.count, Model.listingRows * width)
        let more = rest > 0 ? [Page.Line("\(symbols.ellipsis) \(rest.of("more byte", "more bytes"))", .faint)] : []
        return [.heading(heading)] + lines + more
    }

    /// A listing of sixteen bytes a row takes so many columns.
    private static let listingColumns = 72
    /// How many rows are listed.
    private static let listingRows = 16

    private static func hex(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    private static func letter(_ byte: UInt8?) -> String {
        guard let byte, (0x20..<0x7f).contains(byte) else { return "." }
        return String(Unicode.Scalar(byte))
    }
}

extension [UInt8?] {
    /// A trace tells how many bytes a part of a snapshot has, not which: they stand at the end.
    fileprivate func hidingSnapshot(of message: Message, if isHidden: Bool) -> [UInt8?] {
        guard isHidden, case .snapshot(let chunk) = message.body else { return self }
        return dropLast(chunk.bytes.count) + Array(repeating: nil, count: chunk.bytes.count)
    }
}

import Glibc

/// Standard input, a line at a time, as much of it as there is.
struct InputLines {
    /// Whether nothing more can come.
    private(set) var isAtEnd = false
    private var rest: [UInt8] = []

    /// What is longer is no line that anybody has typed.
    private static let bytesMax = 4 << 20

    /// The lines that have come; waits for none, where it can be read from. A line that is no text is `nil`.
    mutating func take() -> [String?] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return [] }
        if count > 0 { rest += buffer[..<count] } else { isAtEnd = true }
        var lines: [String?] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(validating: rest[..<end], as: UTF8.self))
            rest.removeSubrange(...end)
        }
        if isAtEnd, !rest.isEmpty { lines.append(String(validating: rest, as: UTF8.self)) }
        if isAtEnd { rest = [] }
        if rest.count > InputLines.bytesMax {
            rest = []
            lines.append(nil)
        }
        return lines
    }
}

import Glibc

/// Wakes a thread that waits for descriptors: whoever has something for it writes a byte, and the thread takes note.
public final class WakingPipe: Sendable {
    private let ends: (reader: Int32, writer: Int32)

    /// A pipe in which nothing is.
    public init() {
        var ends: [Int32] = [0, 0]
        let result = pipe(&ends)
        precondition(result == 0, "no pipe to be had: \(String(cString: strerror(errno)))")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        self.ends = (ends[0], ends[1])
    }

    deinit {
        close(ends.reader)
        close(ends.writer)
    }

    /// A descriptor that can be read from when somebody has woken.
    public var descriptor: Int32 { ends.reader }

    /// Wakes whoever waits.
    public func wake() {
        var byte: UInt8 = 1
        _ = write(ends.writer, &byte, 1)
    }

    /// Takes note: the descriptor can be read from again when somebody wakes after this, or has woken very often before.
    public func acknowledge() {
        var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        _ = withUnsafeMutableBytes(of: &bytes) { read(ends.reader, $0.baseAddress, $0.count) }
    }
}

import Glibc
import Synchronization

/// Signals as bytes in a pipe: a handler writes the number, and the loop reads it when it has time.
public final class SignalPipe {
    /// The end that is read from.
    public let descriptor: Int32
    private let writer: Int32
    private let numbers: [Int32]
    /// Where the handlers write; a handler knows nothing but globals.
    private static let target = Atomic<Int32>(-1)

    /// From now on the signals of these numbers come here. There is one such pipe at a time.
    public init(_ numbers: [Int32]) {
        self.numbers = numbers
        var ends: [Int32] = [-1, -1]
        let result = pipe(&ends)
        precondition(result == 0, "no pipe to be had: \(String(cString: strerror(errno)))")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (descriptor, writer) = (ends[0], ends[1])
        SignalPipe.target.store(writer, ordering: .sequentiallyConsistent)
        for number in numbers {
            signal(number) { number in
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(SignalPipe.target.load(ordering: .sequentiallyConsistent), &byte, 1)
                errno = before
            }
        }
    }

    /// The numbers that have come since this was called last.
    public func take() -> [Int32] {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        return count > 0 ? bytes[..<count].map(Int32.init) : []
    }

    /// Signals do again what they do by themselves; but that the terminal is gone is no reason to leave anything behind.
    public func restore() {
        for number in numbers { signal(number, number == SIGHUP ? SIG_IGN : SIG_DFL) }
    }
}

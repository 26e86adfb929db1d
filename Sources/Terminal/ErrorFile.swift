import Glibc

/// Keeps what goes to standard error while the screen is up, so that it doesn't write across it.
struct ErrorFile {
    /// The file; it has no name, and goes with the process. -1 where none could be made: errors go where they went.
    let descriptor: Int32
    /// Where standard error went before.
    let original: Int32

    init() {
        var template = Array("/tmp/raft-tui-errors-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        original = dup(STDERR_FILENO)
        guard descriptor >= 0 else { return }
        unlink(template)
        dup2(descriptor, STDERR_FILENO)
    }

    /// Gives standard error back, and writes there what was kept.
    func show() {
        guard descriptor >= 0 else { return }
        dup2(original, STDERR_FILENO)
        lseek(descriptor, 0, SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            _ = write(STDERR_FILENO, buffer, count)
        }
        close(descriptor)
        close(original)
    }
}

import Glibc
import Synchronization
import Testing

@testable import RaftStorage

/// How often the signal came.
private let signals = Atomic<Int>(0)

/// Writes that the system doesn't finish at once.
struct InterruptedWriteTests {
    @Test("a write that is cut short or interrupted by signals goes on until everything is written")
    func interrupted() throws {
        let directory = try TemporaryDirectory()
        // A pipe takes as much as fits and then lets its writer wait, as no file does.
        let path = directory.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let writer = Writer(path: path, bytes: bytes)
        try writer.start()
        for round in 1...5 {
            writer.waitUntilItWaits()
            writer.interrupt()
            while signals.load(ordering: .sequentiallyConsistent) < round, !writer.isOver {}
        }
        var read: [UInt8] = []
        while true {
            let isOver = writer.isOver
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = Glibc.read(reader, &buffer, buffer.count)
            if count > 0 { read += buffer.prefix(count) } else if isOver { break }
        }
        writer.join()
        #expect(writer.hasWritten)
        #expect(read.count == bytes.count)
        let isWhole = read == bytes
        #expect(isWhole)
    }
}

/// A thread that writes to a pipe.
private final class Writer: Sendable {
    private let path: String
    private let bytes: [UInt8]
    private let state = Mutex((thread: pthread_t(), directory: "", hasWritten: false, isOver: false))

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    var hasWritten: Bool { state.withLock { $0.hasWritten } }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// Starts, with a signal that ends no write for good and is not hidden from it.
    func start() throws {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in signals.add(1, ordering: .sequentiallyConsistent) }
        sigaction(SIGUSR2, &action, nil)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Writer>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        try #require(result == 0)
        state.withLock { $0.thread = thread }
        while state.withLock({ $0.directory }).isEmpty {}
    }

    private func run() {
        var unblocked = sigset_t()
        sigemptyset(&unblocked)
        sigaddset(&unblocked, SIGUSR2)
        pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
        var name = [CChar](repeating: 0, count: 256)
        let length = readlink("/proc/thread-self", &name, name.count)
        let directory = name.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        state.withLock { $0.directory = "/proc/" + String(decoding: directory, as: UTF8.self) }
        let pipe = open(path, O_WRONLY)
        let hasWritten = writeAll(bytes) { start, count, _ in write(pipe, start, count) }
        close(pipe)
        state.withLock {
            $0.hasWritten = hasWritten
            $0.isOver = true
        }
    }

    /// Returns when the thread waits for the system.
    func waitUntilItWaits() {
        let file = state.withLock { $0.directory } + "/stat"
        while !isOver {
            let descriptor = open(file, O_RDONLY)
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = read(descriptor, &buffer, buffer.count)
            close(descriptor)
            // "number (name) state …"
            let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            if text.split(separator: ")").last?.hasPrefix(" S") != false { return }
        }
    }

    func interrupt() { pthread_kill(state.withLock { $0.thread }, SIGUSR2) }

    func join() { pthread_join(state.withLock { $0.thread }, nil) }
}

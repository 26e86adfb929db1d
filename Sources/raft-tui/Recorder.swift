import Canvas
import Dashboard
import Glibc

/// Writes what the screen shows to a file, as asciinema plays it.
@MainActor
final class Recorder {
    /// The file.
    let path: String
    private let file: Int32
    private let beginning: Int64
    private var cast: Cast

    /// Begins a recording.
    ///
    /// - Throws: ``Failure`` where the file can't be written, or is there and holds something else.
    init(path: String, size: Size) throws {
        try Files.requireReplaceable(path, beginningWith: Cast.mark, "a recording")
        // Nobody waits for somebody who may read it.
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard file >= 0 else { throw Failure("can't write \(path): \(String(cString: strerror(errno)))") }
        self.path = path
        beginning = Recorder.microseconds()
        let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
        cast = Cast(size: size, timestamp: time(nil), terminal: terminal)
        do { try write(cast.header) } catch {
            Glibc.close(file)
            throw error
        }
    }

    /// Writes what has changed on the screen.
    func take(_ scene: Scene, _ theme: Theme) throws {
        let cursor = scene.cursor.map { ($0.row, $0.column) }
        let lines = cast.take(scene.canvas, theme, cursor: cursor, at: Recorder.microseconds() - beginning)
        do { try write(lines) } catch {
            Glibc.close(file)
            throw error
        }
    }

    /// Ends the recording.
    func close() throws {
        guard Glibc.close(file) == 0 else { throw failure }
    }

    private func write(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure }
            rest = rest.dropFirst(count)
        }
    }

    private var failure: Failure { Failure("can't write \(path): \(String(cString: strerror(errno)))") }

    private static func microseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

import ArgumentParser
import Glibc

/// Why the program can't do what it was asked: one sentence on standard error, and exit status 2.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension RaftTUI {
    /// Runs what the arguments ask for. Mistakes in them end with status 64, what can't be done with 2.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            fflush(nil)
            let line = Array("raft-tui: \(failure)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
            Glibc.exit(2)
        } catch {
            exit(withError: error)
        }
    }
}

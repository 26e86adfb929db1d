import Glibc

/// The lines that were typed at the prompt, kept from one session to the next, where XDG says that state is kept.
struct History {
    private let path: String?
    /// The lines, the latest last.
    let lines: [String]

    private static let linesMax = 1_000

    init() {
        let home = getenv("HOME").map { String(cString: $0) }
        let state =
            getenv("XDG_STATE_HOME").map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? home.map { $0 + "/.local/state" }
        path = state.map { $0 + "/raft-tui/history" }
        let text = path.flatMap { try? Files.read($0) } ?? ""
        lines = text.split(separator: "\n").suffix(History.linesMax).map(String.init)
    }

    /// Keeps a line. A session goes on without it where that can't be done.
    func add(_ line: String) {
        guard let path, !line.contains("\n") else { return }
        var parent = ""
        for part in path.split(separator: "/").dropLast() {
            parent += "/" + part
            mkdir(parent, 0o700)
        }
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let bytes = Array((line + "\n").utf8)
        _ = write(file, bytes, bytes.count)
        close(file)
    }
}

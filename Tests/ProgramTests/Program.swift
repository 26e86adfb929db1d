import Foundation
import Testing

/// The program as its users have it: the binary that was built beside these tests.
enum Program {
    static let path: String = {
        let build = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build/debug/raft-tui")
        return ProcessInfo.processInfo.environment["RAFT_TUI"] ?? build.standardized.path
    }()

    /// What a process left behind.
    struct Ending {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Runs the program to its end.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Ending {
        try command([path] + arguments, input: input, environment: environment)
    }

    /// Runs a command to its end.
    static func command(
        _ words: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Ending {
        // Files, not pipes: a server that the command leaves behind, as tmux does, would keep a pipe open for ever. For the
        // same reason this isn't Foundation's Process, which waits for a socket that its child has.
        let directory = try TemporaryDirectory()
        try input.write(toFile: directory.path + "/input", atomically: false, encoding: .utf8)
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        let flags = O_WRONLY | O_CREAT
        posix_spawn_file_actions_addopen(&files, 0, directory.path + "/input", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, directory.path + "/output", flags, 0o600)
        posix_spawn_file_actions_addopen(&files, 2, directory.path + "/errors", flags, 0o600)
        // The threads of tests have all signals blocked, which a command would inherit.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        var process: pid_t = 0
        let result = withStrings(words) { words in
            withStrings(variables.map { "\($0)=\($1)" }) { variables in
                posix_spawnp(&process, words[0] ?? strdup(""), &files, &attributes, words, variables)
            }
        }
        guard result == 0 else { throw TmuxError(description: "\(words): \(String(cString: strerror(result)))") }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        func contents(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(filePath: directory.path + "/" + name)), as: UTF8.self)
        }
        // The low seven bits are the signal that ended it, the next eight the status it ended with.
        return Ending(
            status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f, output: try contents("output"),
            errors: try contents("errors"))
    }

    /// Strings as C has them: an array of pointers that ends with none.
    private static func withStrings<Value>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// A directory that goes away with the test.
final class TemporaryDirectory {
    let path = NSTemporaryDirectory() + "raft-tui-tests-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A terminal of tmux with a shell in it, on a server of its own.
final class Tmux {
    private let socket = "raft-tui-" + UUID().uuidString.prefix(8)
    private let home: TemporaryDirectory

    init(columns: Int = 80, rows: Int = 24) throws {
        home = try TemporaryDirectory()
        _ = try tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
            "env HOME=\(home.path) XDG_STATE_HOME=\(home.path)/state TMPDIR=\(home.path) LC_ALL=C.UTF-8 PS1='$ ' sh")
        try wait(for: "$")
    }

    deinit { _ = try? end() }

    /// Takes the terminal away from whatever runs in it.
    func end() throws { try tmux("kill-server") }

    /// Where the programs in the terminal keep what they keep.
    var homePath: String { home.path }

    @discardableResult
    private func tmux(_ arguments: String...) throws -> String {
        let ending = try Program.command(["tmux", "-L", String(socket)] + arguments)
        guard ending.status == 0 else { throw TmuxError(description: "tmux \(arguments): \(ending.errors)") }
        return ending.output
    }

    /// Types text as it is.
    func type(_ text: String) throws { try tmux("send-keys", "-l", text) }

    /// Presses keys by tmux's names for them.
    func press(_ keys: String...) throws { for key in keys { try tmux("send-keys", key) } }

    /// Presses keys by tmux's names for them, all in one go; a letter is its own name.
    func pressAtOnce(_ keys: [String]) throws {
        let ending = try Program.command(["tmux", "-L", String(socket), "send-keys"] + keys)
        guard ending.status == 0 else { throw TmuxError(description: "tmux send-keys \(keys): \(ending.errors)") }
    }

    /// Types a line for the shell.
    func shell(_ line: String) throws {
        try type(line)
        try press("Enter")
    }

    func resize(columns: Int, rows: Int) throws {
        try tmux("resize-window", "-x", "\(columns)", "-y", "\(rows)")
    }

    var screen: String { get throws { try tmux("capture-pane", "-p") } }

    /// Whether a program in the terminal has asked to be told what the mouse does.
    var isMouseTold: Bool { get throws { try tmux("display-message", "-p", "#{mouse_any_flag}").hasPrefix("1") } }

    /// Lets programs in the terminal put something into its clipboard.
    func allowClipboard() throws { try tmux("set-option", "-g", "set-clipboard", "on") }

    /// What is in the clipboard.
    var clipboard: String { get throws { try tmux("show-buffer") } }

    /// Clicks on the first place of the screen that shows `text`.
    func click(on text: String) throws {
        let lines = try screen.split(separator: "\n", omittingEmptySubsequences: false)
        let row = try #require(lines.firstIndex { $0.contains(text) })
        let range = try #require(lines[row].range(of: text))
        let column = lines[row].distance(from: lines[row].startIndex, to: range.lowerBound)
        try type("\u{1b}[<0;\(column + 1);\(row + 1)M\u{1b}[<0;\(column + 1);\(row + 1)m")
    }

    /// The screen with the sequences that set colours and attributes.
    var colouredScreen: String { get throws { try tmux("capture-pane", "-p", "-e") } }

    /// The number of the program's process.
    func process() throws -> Int32 {
        let shell = try tmux("display-message", "-p", "#{pane_pid}").trimmingCharacters(in: .whitespacesAndNewlines)
        let child = try Program.command(["pgrep", "-P", shell]).output
        return try #require(Int32(child.split(separator: "\n").first ?? ""))
    }

    /// Looks at the screen until it holds what is wanted. Gives up after a time that is long for the slowest machine.
    @discardableResult
    func wait(
        _ what: String = "the screen", within seconds: Double = 60, until isThere: (String) throws -> Bool
    ) throws -> String {
        let end = Date.now.addingTimeInterval(seconds)
        while true {
            let now = try screen
            if try isThere(now) { return now }
            guard Date.now < end else {
                throw TmuxError(description: "waited for \(what) in vain; the screen is\n\(now)")
            }
        }
    }

    @discardableResult
    func wait(for text: String, within seconds: Double = 60) throws -> String {
        try wait("'\(text)'", within: seconds) { $0.contains(text) }
    }
}

struct TmuxError: Error, CustomStringConvertible {
    let description: String
}

import Glibc

/// Reading and writing what the user names.
enum Files {
    /// A file's name with the home of a user in the place of `~` or `~user`, as shells have it: what is typed at the prompt
    /// has seen no shell. A name of which there is no such user stays as it is.
    static func expanded(_ path: String) -> String {
        guard path.first == "~" else { return path }
        let user = path.dropFirst().prefix { $0 != "/" }
        let rest = path.dropFirst(1 + user.count)
        if user.isEmpty, let home = getenv("HOME") { return String(cString: home) + rest }
        guard let entry = user.isEmpty ? getpwuid(getuid()) : getpwnam(String(user)), let home = entry.pointee.pw_dir
        else { return path }
        return String(cString: home) + rest
    }

    /// The text of a file; of standard input for `-`.
    static func read(_ path: String) throws -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw Failure("\(path) is not UTF-8 text")
        }
        return text
    }

    /// The bytes of a file; of standard input for `-`.
    static func bytes(_ path: String) throws -> [UInt8] {
        let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        defer { if file > STDIN_FILENO { close(file) } }
        guard file >= 0, let bytes = contents(of: file) else {
            throw Failure("can't read \(path): \(String(cString: strerror(errno)))")
        }
        return bytes
    }

    /// Makes sure that writing to `path` takes nothing away that is worth something: there is no file, or an empty one, or
    /// one that begins with `mark`. A pipe is none: writing to it waits for whoever reads.
    ///
    /// - Throws: ``Failure`` where there is another, which isn't `what`.
    static func requireReplaceable(_ path: String, beginningWith mark: String?, _ what: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG where status.st_size > 0: break
        case S_IFREG, S_IFCHR: return
        default: throw Failure("\(path) is no file that can be written to: choose another name")
        }
        guard let mark, try bytes(path).starts(with: mark.utf8) else {
            throw Failure("\(path) is there already, and isn't \(what): choose another name, or remove it")
        }
    }

    /// Makes `text` the contents of a file.
    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else {
            throw Failure("can't write \(path): \(String(cString: strerror(errno)))")
        }
        let bytes = Array(text.utf8)
        let isWritten = fwrite(bytes, 1, bytes.count, file) == bytes.count
        guard fclose(file) == 0, isWritten else {
            throw Failure("can't write \(path): \(String(cString: strerror(errno)))")
        }
    }

    private static func contents(of file: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}

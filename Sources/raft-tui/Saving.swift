import Glibc
import RaftAudit
import Script

/// Keeping what was done in a file, as a script.
enum Saving {
    /// Writes the script. Answers a sentence that says so.
    ///
    /// - Throws: ``Failure`` where it can't be written, or would take the place of something else.
    static func save(_ transcript: Transcript, breaking audit: Audit, to path: String) throws -> String {
        try Files.requireReplaceable(path, beginningWith: Transcript.mark, "a script that save wrote")
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let title = name.hasSuffix(".raft") ? String(name.dropLast(5)) : name
        try Files.write(
            transcript.text(
                titled: title, savedAt: time,
                breaking: Set(audit.findings.map(\.property)).sorted {
                    $0.rawValue < $1.rawValue
                }), to: path)
        return "what was done is kept in \(path): raft-tui run, or raft-tui play, does it again"
    }

    /// The time, for a person: `2026-11-21 17:40:12 +0000`.
    private static var time: String {
        var now = Glibc.time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 64)
        strftime(&text, text.count, "%Y-%m-%d %H:%M:%S %z", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

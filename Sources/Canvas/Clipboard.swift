/// The clipboard of the terminal, wherever that runs: what is to be in it goes there as a control sequence (OSC 52).
public enum Clipboard {
    /// The sequence that puts `text` into the clipboard.
    public static func sequence(for text: String) -> String { "\u{1b}]52;c;\(base64(Array(text.utf8)))\u{7}" }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    /// Bytes as RFC 4648 has them, §4: three as four digits, and `=` for what the last three lack.
    static func base64(_ bytes: [UInt8]) -> String {
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let rest = bytes[start..<min(start + 3, bytes.count)]
            let group = (0..<3).reduce(0) { $0 << 8 | ($1 < rest.count ? Int(rest[start + $1]) : 0) }
            for place in 0..<4 {
                text.append(place <= rest.count ? digits[group >> (18 - 6 * place) & 0x3f] : "=")
            }
        }
        return text
    }
}

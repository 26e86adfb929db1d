import Foundation
import Testing

@testable import Canvas

struct ClipboardTests {
    @Test(
        "the examples of RFC 4648, §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func examples(text: String, encoded: String) { #expect(Clipboard.base64(Array(text.utf8)) == encoded) }

    @Test("every byte, and every length, comes back as it was")
    func whole() {
        for count in 0..<300 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) }
            #expect(Data(base64Encoded: Clipboard.base64(bytes)) == Data(bytes))
        }
    }

    @Test("the sequence begins and ends as OSC 52 does, and what is in it can end nothing")
    func sequence() {
        #expect(Clipboard.sequence(for: "n1 → n2\u{7}\u{1b}\\") == "\u{1b}]52;c;bjEg4oaSIG4yBxtc\u{7}")
    }
}

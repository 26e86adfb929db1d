import KeyValue
import NIOCore

/// JSON that is written piece by piece, into the bytes that are sent.
struct JSONText: Sendable {
    private(set) var buffer = ByteBuffer()
    /// Whether something stands before what comes next, on the same level.
    private var needsComma = false
    /// What stands between two fields of the object that is open, and between a name and what it names.
    private var (separator, colon): (StaticString, StaticString) = (",", ":")

    /// The text, with a newline behind it.
    var line: ByteBuffer {
        var line = buffer
        line.writeInteger(UInt8(ascii: "\n"))
        return line
    }

    /// An object.
    ///
    /// - Parameter isForPeople: Whether each field has a line of its own.
    mutating func object(isForPeople: Bool = false, _ fields: (inout JSONText) -> Void) {
        let outer = (needsComma, separator, colon)
        (needsComma, separator, colon) = isForPeople ? (false, ",\n  ", ": ") : (false, ",", ":")
        buffer.writeStaticString(isForPeople ? "{\n  " : "{")
        fields(&self)
        buffer.writeStaticString(isForPeople ? "\n}" : "}")
        (needsComma, separator, colon) = outer
    }

    mutating func field(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(Bytes(value.utf8)) } else { buffer.writeStaticString("null") }
    }

    mutating func field(_ name: StaticString, _ value: (some FixedWidthInteger)?) {
        key(name)
        buffer.writeString(value.map { String($0) } ?? "null")
    }

    mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        buffer.writeStaticString(value ? "true" : "false")
    }

    mutating func field(_ name: StaticString, _ value: [some FixedWidthInteger]) {
        key(name)
        buffer.writeString("[" + value.map { String($0) }.joined(separator: ", ") + "]")
    }

    /// Bytes under a name where they are text. Others have no place in JSON: they stand under `encoded`, as they would
    /// in a path.
    mutating func field(_ name: StaticString, bytes: Bytes) {
        let isText = bytes.isText
        key(isText ? name : "encoded")
        string(isText ? bytes : Bytes(bytes.percentEncoded.utf8))
    }

    /// A list of bytes in the same way: those that are no text stand in a list of their own.
    mutating func field(_ name: StaticString, bytes list: [Bytes]) {
        key(name)
        strings(list.filter(\.isText))
        let others = list.filter { !$0.isText }
        guard !others.isEmpty else { return }
        key("encoded")
        strings(others.map { Bytes($0.percentEncoded.utf8) })
    }

    private mutating func key(_ name: StaticString) {
        if needsComma { buffer.writeStaticString(separator) }
        needsComma = true
        buffer.writeStaticString("\"")
        buffer.writeStaticString(name)
        buffer.writeStaticString("\"")
        buffer.writeStaticString(colon)
    }

    private mutating func strings(_ list: [Bytes]) {
        buffer.writeStaticString("[")
        for (index, bytes) in list.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            string(bytes)
        }
        buffer.writeStaticString("]")
    }

    private mutating func string(_ bytes: Bytes) {
        buffer.writeStaticString("\"")
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
            case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
            case UInt8(ascii: "\n"): buffer.writeStaticString("\\n")
            case 0..<0x20, 0x7f: buffer.writeString("\\u00" + ByteText.hexadecimal(byte))
            default: buffer.writeInteger(byte)
            }
        }
        buffer.writeStaticString("\"")
    }
}

extension Bytes {
    /// Whether they are valid UTF-8.
    var isText: Bool { (try? UTF8Span(validating: span)) != nil }

    /// The bytes as they stand in a path.
    var percentEncoded: String {
        var text = ""
        for byte in self {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + ByteText.hexadecimal(byte).uppercased()
            }
        }
        return text
    }

    /// The bytes as a sentence quotes them: cut where they are many.
    var quoted: String {
        let shown = 40
        return "'" + ByteText.text(of: Bytes(prefix(shown))) + (count > shown ? "…" : "") + "'"
    }
}

/// Bytes as text that tells them exactly: UTF-8 as it is, a backslash doubled, and every byte that is no part of valid
/// UTF-8 as `\x` and two digits. Different bytes never have the same text.
public enum ByteText {
    /// The text of `bytes`.
    public static func text(of bytes: Bytes) -> String {
        if !bytes.contains(backslash), let text = String(validating: bytes, as: UTF8.self) { return text }
        // As bytes: a string that grows looks at every piece that is put to it.
        var text = Bytes()
        text.reserveCapacity(2 * bytes.count)
        var rest = bytes[...]
        while let first = rest.first {
            let length = lengthOfFirstScalar(of: rest)
            if first == backslash {
                text += [backslash, backslash]
            } else if length > 0 {
                text += rest.prefix(length)
            } else {
                text += [backslash, UInt8(ascii: "x"), digits[Int(first >> 4)], digits[Int(first & 15)]]
            }
            rest = rest.dropFirst(max(1, length))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes that `text` tells; `nil` where a backslash in it is followed by neither a backslash nor `x` and two
    /// digits.
    public static func bytes(of text: String) -> Bytes? {
        guard text.utf8.contains(backslash) else { return Bytes(text.utf8) }
        var bytes = Bytes()
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == backslash else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case backslash: bytes.append(byte)
            case UInt8(ascii: "x"):
                guard let number = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2
                else { return nil }
                bytes.append(number)
                rest = rest.dropFirst(2)
            default: return nil
            }
        }
        return bytes
    }

    /// Two hexadecimal digits.
    public static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    private static let backslash = UInt8(ascii: "\\")
    private static let digits = Array("0123456789abcdef".utf8)

    /// How many bytes the scalar at the start of `bytes` has; 0 where none is valid there.
    private static func lengthOfFirstScalar(of bytes: ArraySlice<UInt8>) -> Int {
        if let first = bytes.first, first < 0x80 { return 1 }
        var iterator = bytes.makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return 0 }
        return UTF8.width(scalar)
    }
}

/// Bytes as text that tells them exactly: UTF-8 as it is, a backslash doubled, and every byte that is no part of valid
/// UTF-8 as `\x` and two digits. Different bytes never have the same text.
public enum ByteText {
    /// The text of `bytes`.
    public static func text(of bytes: Bytes) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !text.contains("\\") { return text }
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            let (scalar, length) = firstScalar(of: rest)
            if let scalar {
                text += scalar == "\\" ? "\\\\" : String(scalar)
            } else {
                text += "\\x" + hexadecimal(first)
            }
            rest = rest.dropFirst(length)
        }
        return text
    }

    /// The bytes that `text` tells; `nil` where a backslash in it is followed by neither a backslash nor `x` and two
    /// digits.
    public static func bytes(of text: String) -> Bytes? {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return Bytes(text.utf8) }
        var bytes = Bytes()
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): bytes.append(byte)
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

    /// The scalar at the start of `bytes` and its length; no scalar, and length 1, where none is valid there.
    private static func firstScalar(of bytes: ArraySlice<UInt8>) -> (Unicode.Scalar?, Int) {
        var iterator = bytes.makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (nil, 1) }
        return (scalar, UTF8.width(scalar))
    }
}

/// Words of a line.
public enum Word {
    /// `bytes` as one word of a line: in quotes where it would not be read as one word otherwise.
    public static func quoted(_ bytes: Bytes) -> String {
        let isPlain = !bytes.isEmpty && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f && !special.contains($0) }
        let text = String(decoding: bytes, as: UTF8.self)
        return isPlain && !keywords.contains(text) ? text : "\"" + escaped(bytes) + "\""
    }

    /// Words that end the arguments of a client's command.
    public static let keywords: Set<String> = ["via", "as", "retry", "&"]

    private static let special: Set<UInt8> = Set("\"\\#|&".utf8)

    private static func escaped(_ bytes: Bytes) -> String {
        var text = ""
        for scalar in ByteText.text(of: bytes).unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                text += "\\x" + ByteText.hexadecimal(UInt8(scalar.value))
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

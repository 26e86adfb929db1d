import HTTPTypes
import KeyValue

/// The strings of a JSON object, which is all that requests say in JSON. Read by hand: a body is read for every write,
/// and whoever wrote it wrongly is told where.
struct JSONFields: Sendable {
    private enum Value {
        case string(Bytes)
        case other(String)
    }

    private var values: [(name: Bytes, value: Value)] = []
    /// What the body should look like.
    private let example: String

    /// The fields of `body`.
    ///
    /// - Parameter example: What the body should look like, for whoever got it wrong.
    init(_ body: Bytes, example: String) throws(Refusal) {
        self.example = example
        guard body.isText else {
            throw Refusal(
                .badRequest, "the body is not valid UTF-8: send \(example), or other bytes with PUT /kv/{key}")
        }
        var reader = JSONReader(body)
        do {
            try readObject(&reader)
        } catch {
            throw Refusal(
                .badRequest, "the body is no JSON object: at byte \(error.place) \(error.what): send \(example)")
        }
    }

    /// The string of this name.
    func string(_ name: String) throws(Refusal) -> Bytes {
        var found: Value?
        for field in values where field.name.elementsEqual(name.utf8) {
            guard found == nil else {
                throw Refusal(.badRequest, "'\(name)' stands in the body twice: send \(example)")
            }
            found = field.value
        }
        switch found {
        case .string(let bytes): return bytes
        case .other(let kind):
            throw Refusal(.badRequest, "'\(name)' must be a string, and is \(kind): send \(example)")
        case nil: throw Refusal(.badRequest, "'\(name)' is missing in the body: send \(example)")
        }
    }

    private mutating func readObject(_ reader: inout JSONReader) throws(JSONReader.Failure) {
        try reader.open("{")
        if !reader.take("}") {
            repeat {
                reader.skipSpace()
                let name = try reader.string()
                try reader.open(":")
                values.append((name, try value(&reader)))
            } while reader.take(",")
            try reader.open("}")
        }
        reader.skipSpace()
        guard reader.isAtEnd else { throw reader.failure("something follows the object") }
    }

    private func value(_ reader: inout JSONReader) throws(JSONReader.Failure) -> Value {
        reader.skipSpace()
        return reader.next == UInt8(ascii: "\"") ? .string(try reader.string()) : .other(try reader.skipValue())
    }
}

/// Goes through JSON, byte by byte.
struct JSONReader: Sendable {
    /// What is wrong, and where.
    struct Failure: Error {
        var place: Int
        var what: String
    }

    private let bytes: Bytes
    private var place = 0

    /// How deep lists and objects may be in one another.
    private static let depthMax = 32

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }
    var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    func failure(_ what: String) -> Failure { Failure(place: place + 1, what: isAtEnd ? "it ends too early" : what) }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
    }

    /// Goes over a sign and the space before it, if it is there.
    mutating func take(_ sign: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: sign) else { return false }
        place += 1
        return true
    }

    /// Goes over a sign that must be there.
    mutating func open(_ sign: Unicode.Scalar) throws(Failure) {
        guard take(sign) else { throw failure("'\(sign)' is missing") }
    }

    /// What a string says.
    mutating func string() throws(Failure) -> Bytes {
        guard next == UInt8(ascii: "\"") else { throw failure("a string in double quotes is missing") }
        place += 1
        let start = place
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
        var text = Bytes(bytes[start..<place])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                place += 1
                return text
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20:
                throw failure("a string holds a control character: write it as \\u00\(ByteText.hexadecimal(byte))")
            default:
                text.append(byte)
                place += 1
            }
        }
        throw failure("")
    }

    private mutating func escape(into text: inout Bytes) throws(Failure) {
        place += 1
        let sign = next
        switch sign {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(sign ?? 0)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): return text.append(contentsOf: UTF8.encode(try scalar()) ?? .init())
        default: throw failure("a string has a backslash that means nothing: double it")
        }
        place += 1
    }

    /// What the digits after `\u` stand for, two pairs of which make one character beyond the first 65,536.
    private mutating func scalar() throws(Failure) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard next == UInt8(ascii: "\\") else { throw failure("half a pair of \\u stands alone") }
        place += 1
        guard next == UInt8(ascii: "u") else { throw failure("half a pair of \\u stands alone") }
        let second = try codeUnit()
        guard UTF16.isLeadSurrogate(first), UTF16.isTrailSurrogate(second) else {
            throw failure("half a pair of \\u stands alone")
        }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func codeUnit() throws(Failure) -> UInt16 {
        place += 1
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("\\u isn't followed by four hexadecimal digits")
            }
            unit = unit << 4 | UInt16(digit)
            place += 1
        }
        return unit
    }

    /// Goes over a value that is no string, and says what kind it is.
    mutating func skipValue(depth: Int = 0) throws(Failure) -> String {
        guard depth < JSONReader.depthMax else { throw failure("it is nested too deep") }
        skipSpace()
        switch next {
        case UInt8(ascii: "\""):
            _ = try string()
            return "a string"
        case UInt8(ascii: "["):
            try skipElements(until: "]", depth: depth, areNamed: false)
            return "a list"
        case UInt8(ascii: "{"):
            try skipElements(until: "}", depth: depth, areNamed: true)
            return "an object"
        default: return try skipWord()
        }
    }

    private mutating func skipElements(until end: Unicode.Scalar, depth: Int, areNamed: Bool) throws(Failure) {
        place += 1
        if take(end) { return }
        repeat {
            if areNamed {
                skipSpace()
                _ = try string()
                try open(":")
            }
            _ = try skipValue(depth: depth + 1)
        } while take(",")
        try open(end)
    }

    private mutating func skipWord() throws(Failure) -> String {
        let start = place
        while let byte = next, !JSONReader.ends.contains(byte) { place += 1 }
        let word = String(decoding: bytes[start..<place], as: UTF8.self)
        switch word {
        case "null": return "null"
        case "true", "false": return "a boolean"
        default:
            guard let first = word.utf8.first, JSONReader.numberStarts.contains(first), Double(word) != nil else {
                place = start
                throw failure("a value is missing")
            }
            return "a number"
        }
    }

    private static let ends = Bytes(" \t\r\n,]}:\"[{".utf8)
    private static let numberStarts = Bytes("-0123456789".utf8)
}

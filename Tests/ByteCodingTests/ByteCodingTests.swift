import ByteCoding
import Testing

struct ByteCodingTests {
    @Test("numbers and rows come back as they were written")
    func roundTrip() throws {
        let varints: [UInt64] = [0, 1, 127, 128, 300, 1 << 32, .max - 1, .max]
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(UInt32(0xdead_beef))
        writer.write(UInt64.max - 3)
        for number in varints { writer.writeVarint(number) }
        writer.writeCounted([1, 2, 3])
        writer.writeCounted([])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.readByte() == 7)
        #expect(try reader.readUInt32() == 0xdead_beef)
        #expect(try reader.readUInt64() == .max - 3)
        for number in varints { #expect(try reader.readVarint() == number) }
        #expect(try reader.readCounted() == [1, 2, 3])
        #expect(try reader.readCounted() == [])
        #expect(reader.remaining == 0)
    }

    @Test("numbers of fixed width have the lowest byte first")
    func order() {
        var writer = ByteWriter()
        writer.write(UInt32(1))
        #expect(writer.bytes == [1, 0, 0, 0])
    }

    @Test("a row that ends too early is refused, wherever it ends")
    func truncated() {
        var writer = ByteWriter()
        writer.write(UInt64(9))
        writer.writeCounted([UInt8](repeating: 1, count: 300))
        for count in 0..<writer.bytes.count {
            var reader = ByteReader(writer.bytes.prefix(count))
            #expect(throws: ByteReadingError.truncated) {
                _ = try reader.readUInt64()
                _ = try reader.readCounted()
            }
        }
    }

    @Test("a count beyond the bytes that are there allocates nothing, and a number beyond 64 bits is refused")
    func hostile() {
        var counted = ByteReader([0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2])
        #expect(throws: ByteReadingError.truncated) { try counted.readCounted() }
        var endless = ByteReader([UInt8](repeating: 0xff, count: 20))
        #expect(throws: ByteReadingError.oversizedNumber) { try endless.readVarint() }
        var tooLong = ByteReader([UInt8](repeating: 0x80, count: 9) + [2])
        #expect(throws: ByteReadingError.oversizedNumber) { try tooLong.readVarint() }
    }
}

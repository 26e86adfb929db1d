import ByteCoding
import KeyValue
import Testing

extension String {
    fileprivate var bytes: Bytes { Bytes(utf8) }
}

struct StoreTests {
    @Test("a value is there after it is set, and gone after it is deleted")
    func setAndDelete() {
        var store = Store()
        #expect(store["x".bytes] == nil)
        #expect(store.apply(.set(key: "x".bytes, value: "1".bytes)) == .done)
        #expect(store["x".bytes] == "1".bytes)
        #expect(store.apply(.delete(key: "x".bytes)) == .done)
        #expect(store.apply(.delete(key: "x".bytes)) == .notFound)
        #expect(store.count == 0)
    }

    @Test("an increment counts from 0, and answers the new value")
    func increment() {
        var store = Store()
        #expect(store.apply(.increment(key: "n".bytes, by: 5)) == .value("5".bytes))
        #expect(store.apply(.increment(key: "n".bytes, by: -7)) == .value("-2".bytes))
    }

    @Test("an increment of what is no number, or of one that is too large, changes nothing")
    func noNumber() {
        var store = Store()
        for value in ["one", "", "9223372036854775807"] {
            _ = store.apply(.set(key: "n".bytes, value: value.bytes))
            #expect(store.apply(.increment(key: "n".bytes, by: 1)) == .mismatch(value.bytes))
            #expect(store["n".bytes] == value.bytes)
        }
    }

    @Test("compare-and-set changes a value only if it is the old one")
    func compareAndSet() {
        var store = Store()
        let swap = Operation.compareAndSet(key: "x".bytes, old: "1".bytes, new: "2".bytes)
        #expect(store.apply(swap) == .notFound)
        _ = store.apply(.set(key: "x".bytes, value: "1".bytes))
        #expect(store.apply(swap) == .done)
        #expect(store.apply(swap) == .mismatch("2".bytes))
    }

    @Test("keys come in ascending order, those of a prefix alone where one is given")
    func keys() {
        var store = Store()
        for key in ["b", "a2", "a10", "a"] { _ = store.apply(.set(key: key.bytes, value: [])) }
        #expect(store.keys() == ["a", "a10", "a2", "b"].map(\.bytes))
        #expect(store.keys(withPrefix: "a1".bytes) == ["a10".bytes])
    }

    @Test("more keys than an answer has room for are not listed, whether they are many or long")
    func tooManyKeys() {
        var many = Store()
        for number in 1...Store.listedMax.keys { _ = many.apply(.set(key: "k\(number)".bytes, value: [])) }
        #expect(many.keys()?.count == Store.listedMax.keys)
        _ = many.apply(.set(key: "l".bytes, value: []))
        #expect(many.keys() == nil)
        #expect(many.keys(withPrefix: "k".bytes)?.count == Store.listedMax.keys)
        var long = Store()
        for number in 1...5 as ClosedRange<UInt8> {
            _ = long.apply(.set(key: Bytes(repeating: number, count: 1 << 20), value: []))
        }
        #expect(long.keys() == nil)
        #expect(long.keys(withPrefix: [3])?.count == 1)
    }

    @Test("the bytes of keys and values are counted, whatever is done to them")
    func bytes() {
        var store = Store()
        let operations: [(KeyValue.Operation, Int)] = [
            (.set(key: "key".bytes, value: "12345".bytes), 8), (.set(key: "key".bytes, value: "1".bytes), 4),
            (.increment(key: "key".bytes, by: 99), 6), (.increment(key: "n".bytes, by: 7), 8),
            (.compareAndSet(key: "key".bytes, old: "1".bytes, new: "no".bytes), 8),
            (.compareAndSet(key: "key".bytes, old: "100".bytes, new: "".bytes), 5),
            (.delete(key: "key".bytes), 2), (.delete(key: "key".bytes), 2), (.delete(key: "n".bytes), 0),
        ]
        for (operation, bytes) in operations {
            _ = store.apply(operation)
            #expect(store.bytes == bytes, "\(operation)")
        }
    }
}

/// Paper §8, thesis §6.3.
struct SessionTests {
    private func increment(_ client: String, _ sequence: UInt64, firstIncomplete: UInt64? = nil) -> SessionCommand {
        SessionCommand(
            client: client, sequence: sequence, firstIncomplete: firstIncomplete ?? sequence,
            operation: .increment(key: "n".bytes, by: 1))
    }

    @Test("a write that comes twice is applied once, and answered the same both times")
    func once() {
        var machine = StateMachine()
        #expect(machine.apply(increment("c1", 1)) == .value("1".bytes))
        #expect(machine.apply(increment("c1", 1)) == .value("1".bytes))
        #expect(machine.apply(increment("c2", 1)) == .value("2".bytes), "another client's first write is another write")
        #expect(machine.apply(increment("c1", 2)) == .value("3".bytes))
    }

    @Test("a write that is nobody's is applied every time")
    func nobody() {
        var machine = StateMachine()
        let command = SessionCommand(.increment(key: "n".bytes, by: 1))
        #expect(machine.apply(command) == .value("1".bytes))
        #expect(machine.apply(command) == .value("2".bytes))
    }

    @Test("writes of one client that overtake each other are each applied once")
    func overtaking() {
        var machine = StateMachine()
        #expect(machine.apply(increment("c1", 2, firstIncomplete: 1)) == .value("1".bytes))
        #expect(machine.apply(increment("c1", 1, firstIncomplete: 1)) == .value("2".bytes))
        #expect(machine.apply(increment("c1", 2, firstIncomplete: 1)) == .value("1".bytes))
        #expect(machine.apply(increment("c1", 1, firstIncomplete: 1)) == .value("2".bytes))
    }

    @Test("a copy that comes after its client was done with it is not applied again")
    func late() {
        var machine = StateMachine()
        _ = machine.apply(increment("c1", 1))
        _ = machine.apply(increment("c1", 2))
        #expect(machine.apply(increment("c1", 1)) == .sessionExpired)
        #expect(machine.store["n".bytes] == "2".bytes)
    }

    @Test("a session that is for one write refuses every other one, and changes nothing")
    func oneWrite() {
        var machine = StateMachine()
        func once(_ operation: KeyValue.Operation) -> Outcome {
            machine.apply(
                SessionCommand(
                    client: "name", sequence: operation.fingerprint, firstIncomplete: 0, operation: operation))
        }
        for _ in 1...2 { #expect(once(.increment(key: "n".bytes, by: 1)) == .value("1".bytes)) }
        #expect(once(.increment(key: "n".bytes, by: 2)) == .nameUsed)
        #expect(once(.set(key: "x".bytes, value: [])) == .nameUsed)
        #expect(once(.increment(key: "n".bytes, by: 1)) == .value("1".bytes))
        #expect(machine.store.count == 1 && machine.store["n".bytes] == "1".bytes)
    }

    @Test("a long value that a write failed for isn't kept for who asks again, and the write isn't done then either")
    func longMismatch() throws {
        for (count, isKept) in [(1_024, true), (1_025, false)] {
            var machine = StateMachine()
            let value = Bytes(repeating: 7, count: count)
            _ = machine.apply(SessionCommand(.set(key: "x".bytes, value: value)))
            let command = SessionCommand(
                client: "c1", sequence: 1, firstIncomplete: 1,
                operation: .compareAndSet(key: "x".bytes, old: "1".bytes, new: "2".bytes))
            #expect(machine.apply(command) == .mismatch(value))
            _ = machine.apply(SessionCommand(.set(key: "x".bytes, value: "1".bytes)))
            #expect(machine.apply(command) == (isKept ? .mismatch(value) : .sessionExpired))
            #expect(machine.store["x".bytes] == "1".bytes)
            #expect(try StateMachine(decoding: machine.encoded()) == machine)
            #expect(machine.encoded().count < 1_200)
        }
    }

    @Test("only so many clients are remembered, the most recent ones, the same on every server")
    func bounded() {
        var one = StateMachine()
        var other = StateMachine()
        for client in 0..<(StateMachine.sessionsMax + 2_000) {
            let command = increment("client-\(client)", 1)
            #expect(one.apply(command) == other.apply(command))
        }
        #expect(one.sessionCount <= StateMachine.sessionsMax)
        #expect(one.sessionCount > StateMachine.sessionsMax / 2)
        #expect(one == other)
        #expect(one.apply(increment("client-0", 2)) == .sessionExpired, "it may have been applied: nobody knows")
    }

    @Test("a client that never says what it has keeps its latest results only")
    func resultsBounded() {
        var machine = StateMachine()
        let count = UInt64(StateMachine.resultsPerSessionMax + 50)
        for sequence in 1...count { _ = machine.apply(increment("c1", sequence, firstIncomplete: 1)) }
        #expect(machine.apply(increment("c1", count, firstIncomplete: 1)) == .value("\(count)".bytes))
        #expect(machine.apply(increment("c1", 1, firstIncomplete: 1)) == .sessionExpired)
        #expect(machine.store["n".bytes] == "\(count)".bytes)
    }
}

struct CommandBytesTests {
    private let commands = [
        SessionCommand(
            client: "c1", sequence: 3, firstIncomplete: 2, operation: .set(key: "x".bytes, value: [0, 255, 10])),
        SessionCommand(client: "käse", sequence: .max, firstIncomplete: 0, operation: .delete(key: [])),
        SessionCommand(.increment(key: "n".bytes, by: .min)),
        SessionCommand(
            client: "c", sequence: 1, firstIncomplete: 1,
            operation: .compareAndSet(key: "x".bytes, old: "1".bytes, new: [UInt8](repeating: 7, count: 300))),
    ]

    @Test("a command comes back from its bytes as it was")
    func roundTrip() throws {
        for command in commands { #expect(try SessionCommand(decoding: command.encoded()) == command) }
    }

    @Test("bytes that are cut short, too long or of no operation are refused, never trapped on")
    func garbage() {
        for command in commands {
            let bytes = command.encoded()
            for count in 0..<bytes.count {
                #expect(throws: ByteReadingError.self) { try SessionCommand(decoding: Array(bytes.prefix(count))) }
            }
            #expect(throws: ByteReadingError.self) { try SessionCommand(decoding: bytes + [0]) }
        }
        #expect(throws: ByteReadingError.self) { try SessionCommand(decoding: [9]) }
        #expect(throws: ByteReadingError.self) { try SessionCommand(decoding: [1, 2, 0xff, 0xfe, 0, 0, 0, 0]) }
    }
}

/// The state machine as bytes.
struct StateMachineFormTests {
    private func machine() -> StateMachine {
        var machine = StateMachine()
        for number in 1...40 as ClosedRange<UInt64> {
            let key = Bytes("k\(number % 7)".utf8)
            let operation: KeyValue.Operation =
                switch number % 4 {
                case 0: .set(key: key, value: Bytes("\(number)".utf8))
                case 1: .increment(key: Bytes("n".utf8), by: 2)
                case 2: .compareAndSet(key: key, old: [], new: [])
                default: .delete(key: key)
                }
            _ = machine.apply(
                SessionCommand(
                    client: "c\(number % 3)", sequence: number / 3 + 1, firstIncomplete: 1, operation: operation))
        }
        return machine
    }

    @Test("what was written is read again: the store, the sessions, and the clock by which they grow old")
    func roundTrip() throws {
        let machine = machine()
        #expect(try StateMachine(decoding: machine.encoded()) == machine)
        #expect(try StateMachine(decoding: StateMachine().encoded()) == StateMachine())
    }

    @Test("the digest tells machines apart, whatever way each came to be")
    func digests() throws {
        let machine = machine()
        #expect(try StateMachine(decoding: machine.encoded()).digest == machine.digest)
        #expect(machine.withoutSessions.digest != machine.digest)
        var other = machine
        _ = other.apply(SessionCommand(.set(key: [9], value: [9])))
        #expect(other.digest != machine.digest)
        var (one, another) = (StateMachine(), StateMachine())
        _ = one.apply(SessionCommand(.set(key: [1, 2], value: [3])))
        _ = another.apply(SessionCommand(.set(key: [1], value: [2, 3])))
        #expect(one.digest != another.digest)
    }

    @Test("a write that comes again is still done once")
    func sessionsStay() throws {
        var machine = StateMachine()
        let command = SessionCommand(
            client: "c1", sequence: 1, firstIncomplete: 1, operation: .increment(key: [1], by: 1))
        let outcome = machine.apply(command)
        var restored = try StateMachine(decoding: machine.encoded())
        #expect(restored.apply(command) == outcome)
        #expect(restored.store[[1]] == Bytes("1".utf8))
    }

    @Test("bytes that end early, go on, or are of another version are refused")
    func refusesOthers() {
        let bytes = machine().encoded()
        for count in 0..<bytes.count {
            #expect(throws: (any Error).self) { try StateMachine(decoding: Array(bytes.prefix(count))) }
        }
        #expect(throws: (any Error).self) { try StateMachine(decoding: bytes + [0]) }
        #expect(throws: (any Error).self) { try StateMachine(decoding: [9] + bytes.dropFirst()) }
    }
}

/// Keys and values as they are told from outside.
struct AbridgedTests {
    @Test("what is short is told as it is, and what is long by its beginning, its length and a digest")
    func form() {
        let short = Bytes(repeating: 0x61, count: Bytes.toldMax)
        #expect(short.abridged == short)
        let text = String(decoding: (short + [0x62]).abridged, as: UTF8.self)
        #expect(text.hasPrefix(String(repeating: "a", count: Bytes.toldMax) + "…[257 bytes, "))
        #expect(text.hasSuffix("]"))
    }

    @Test("what was cut is the same only where all of it was, and is taken for nothing that wasn't cut")
    func equality() {
        let value = Bytes((0..<5_000).map { UInt8(truncatingIfNeeded: $0) })
        #expect(value.abridged == value.abridged)
        var seen: Set<Bytes> = [value.abridged]
        for place in 0..<5_000 {
            var other = value
            other[place] ^= 0x80
            seen.insert(other.abridged)
        }
        #expect(seen.count == 5_001)
        #expect(seen.allSatisfy { $0.count > Bytes.toldMax })
    }

    @Test("no character is cut in two")
    func characters() {
        for lead in 0..<4 {
            let text = String(repeating: "a", count: lead) + String(repeating: "😀", count: 100)
            #expect(String(validating: Bytes(text.utf8).abridged, as: UTF8.self) != nil)
        }
        // What is no text is cut all the same.
        let bytes = Bytes(repeating: 0x80, count: 300).abridged
        #expect(bytes.count > Bytes.toldMax && bytes.count < 300)
    }
}

struct ByteTextTests {
    @Test("any bytes come back from their text")
    func anyBytes() {
        let pieces: [Bytes] = [
            [0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0x80], [0x5c], [0], "a".bytes, "ä".bytes,
            "😀".bytes, [0x80],
        ]
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let bytes = first + second + third
                    #expect(ByteText.bytes(of: ByteText.text(of: bytes)) == bytes)
                }
            }
        }
        #expect(ByteText.text(of: [0x61, 0xff, 0x5c, 0xc3, 0xa4]) == #"a\xff\\ä"#)
    }
}

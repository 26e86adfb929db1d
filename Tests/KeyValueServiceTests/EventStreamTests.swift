import KeyValue
import RaftCore
import RaftTrace
import Testing

@testable import KeyValueService

@Suite(.timeLimit(.minutes(1))) struct EventStreamTests {
    private static let question = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"

    private static func event(_ sequence: UInt64) -> Event {
        Event(at: .zero, sequence: sequence, kind: .node(NodeID(1), Term(3), .paused))
    }

    private static func reader(_ site: Site) async throws -> Wire {
        let wire = try await Wire.connect(site.port)
        try await wire.send(question)
        try await wire.until("retry: 1000\n\n")
        return wire
    }

    @Test func whatHappensIsTold() async throws {
        try await Site.run { (site) async throws in
            let wire = try await EventStreamTests.reader(site)
            while site.node.readerCount == 0 { await Task.yield() }
            site.node.tell((1...200).map(EventStreamTests.event))
            site.node.tell([EventStreamTests.event(201)])
            let text = try await wire.until("id: 201\n")
            #expect(text.contains("Content-Type: text/event-stream\r\n"))
            #expect(text.contains("id: 7\ndata: {\"at\":0,\"event\":\"paused\",\"node\":1,\"seq\":7,\"term\":3}\n\n"))
            site.node.endHappenings()
            try await wire.until("\r\n0\r\n\r\n")
        }
    }

    @Test func whoIsToldNothingIsToldThat() async throws {
        try await Site.run({ $0.limits.keepAlive = .milliseconds(10) }) { (site) async throws in
            let wire = try await EventStreamTests.reader(site)
            try await wire.until("\n:\n\n")
        }
    }

    @Test func thereAreOnlySoManyReadersAtATime() async throws {
        try await Site.run({ $0.limits.readers = 2 }) { (site) async throws in
            let first = try await EventStreamTests.reader(site)
            let second = try await EventStreamTests.reader(site)
            let refused = try await site.ask("GET", "/events")
            #expect((refused.code, refused.headers["retry-after"]) == (503, "1"))
            #expect(site.log.texts == ["there are as many readers of events as there may be"])
            // One says that it has had enough, and one is just gone.
            try await first.finish()
            second.close()
            while try await !site.ask("GET", "/metrics").text.contains("http_event_readers 0\n") {}
            _ = try await EventStreamTests.reader(site)
        }
    }

    @Test func whoFallsBehindIsGivenUp() async throws {
        try await Site.run({ $0.limits.eventsBehind = 100 }) { (site) async throws in
            let wire = try await Wire.connect(site.port, reads: false)
            try await wire.send(EventStreamTests.question)
            while site.node.readerCount == 0 { await Task.yield() }
            while site.log.texts.isEmpty {
                site.node.tell((1...64).map(EventStreamTests.event))
                await Task.yield()
            }
            #expect(site.log.texts == ["somebody took too long to read an answer"])
            while try await !site.ask("GET", "/metrics").text.contains("http_event_readers 0\n") {}
        }
    }

    private static func applied(_ value: Bytes, _ sequence: UInt64) -> Event {
        let applied = Applied(index: LogIndex(sequence), key: Bytes("x".utf8), value: value)
        return Event(at: .zero, sequence: sequence, kind: .node(NodeID(1), Term(3), .applied(applied)))
    }

    @Test func aLongValueIsToldByItsBeginningItsLengthAndItsDigest() async throws {
        try await Site.run { (site) async throws in
            let wire = try await EventStreamTests.reader(site)
            while site.node.readerCount == 0 { await Task.yield() }
            site.node.tell([EventStreamTests.applied(Bytes(repeating: 0xff, count: 1 << 20), 1)])
            site.node.tell([EventStreamTests.event(2)])
            let text = try await wire.until("id: 2\n")
            #expect(text.utf8.count < 4_096)
            #expect(text.contains("\\\\xff…[1048576 bytes, "))
        }
    }

    @Test func whoFallsBehindByBytesIsGivenUp() async throws {
        try await Site.run({ $0.limits.bytesBehind = 20_000 }) { (site) async throws in
            let wire = try await Wire.connect(site.port, reads: false)
            try await wire.send(EventStreamTests.question)
            while site.node.readerCount == 0 { await Task.yield() }
            // Far fewer than may be behind by number.
            var told = 0
            while site.log.texts.isEmpty, told < 10_000 {
                for _ in 1...100 { site.node.tell([EventStreamTests.applied(Bytes(repeating: 1, count: 256), 1)]) }
                told += 100
                for _ in 1...100 { await Task.yield() }
            }
            #expect(site.log.texts == ["somebody took too long to read an answer"])
        }
    }

    @Test func whatNobodyWantsAnyMoreIsNotMade() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try EventText.text(of: [EventStreamTests.event(1)])
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func aReaderIsNotTakenForIdle() async throws {
        try await Site.run({ ($0.limits.idle, $0.limits.request) = (.seconds(1), .seconds(1)) }) {
            (site) async throws in
            let wire = try await EventStreamTests.reader(site)
            for _ in 1...2 { _ = try await Wire.connect(site.port).rest() }
            site.node.tell([EventStreamTests.event(1)])
            try await wire.until("id: 1\n")
        }
    }
}

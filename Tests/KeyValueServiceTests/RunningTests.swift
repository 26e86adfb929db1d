import KeyValue
import Testing

@testable import KeyValueService

@Suite(.timeLimit(.minutes(1))) struct RunningTests {
    @Test func aServiceStartsAgainOnTheSamePortAsOftenAsOneLikes() async throws {
        let first = try await RunningTests.port { $0.port = 0 }
        for _ in 1...10 {
            #expect(try await RunningTests.port { $0.port = first } == first)
        }
    }

    /// Runs a service that is asked once and left with a connection, and says where it was.
    private static func port(_ change: (inout ServiceOptions) -> Void) async throws -> Int {
        let (sites, past) = AsyncStream<Site>.makeStream()
        try await Site.run(change) { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await wire.answer().code == 200)
            past.yield(site)
        }
        var iterator = sites.makeAsyncIterator()
        let site = try #require(await iterator.next())
        #expect(site.log.texts.isEmpty, "a service that ends says nothing")
        return site.port
    }

    @Test func aPortThatIsTakenIsNamed() async throws {
        try await Site.run { (site) async throws in
            await #expect(
                throws: ListeningFailure(
                    description:
                        "can't listen on port \(site.port) of 127.0.0.1: address already in use: choose another port")
            ) {
                try await Site.run({ $0.port = site.port }) { _ in }
            }
        }
    }

    @Test func aHostThatIsNoneOfOursIsNamed() async throws {
        let failure = await #expect(throws: ListeningFailure.self) {
            try await Site.run({ ($0.host, $0.port) = ("203.0.113.7", 8_001) }) { _ in }
        }
        #expect(failure?.description.contains("port 8001 of 203.0.113.7") == true)
    }

    @Test func whoReadsEventsDoesntKeepAServiceFromEnding() async throws {
        let (wires, wire) = AsyncStream<Wire>.makeStream()
        try await Site.run { (site) async throws in
            let reader = try await Wire.connect(site.port)
            try await reader.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await reader.until("retry: 1000\n\n")
            wire.yield(reader)
        }
        var iterator = wires.makeAsyncIterator()
        _ = await iterator.next()?.rest()
    }

    @Test func aConnectionThatSaysNothingDoesntKeepAServiceFromEnding() async throws {
        let (wires, wire) = AsyncStream<Wire>.makeStream()
        try await Site.run { (site) async throws in
            let silent = try await Wire.connect(site.port)
            try await silent.send("PUT /kv/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1")
            wire.yield(silent)
        }
        var iterator = wires.makeAsyncIterator()
        _ = await iterator.next()?.rest()
    }

    @Test func whoComesJustAsAServiceEndsDoesNoHarm() async throws {
        for _ in 1...50 {
            let (wires, wire) = AsyncStream<Wire>.makeStream()
            try await Site.run { (site) async throws in
                try await withThrowingTaskGroup(of: Wire.self) { group in
                    for _ in 1...8 { group.addTask { try await Wire.connect(site.port) } }
                    for try await connected in group { wire.yield(connected) }
                }
            }
            wire.finish()
            for await wire in wires { wire.close() }
        }
    }

    @Test func whatIsUnderWayAsAServiceEndsIsAnswered() async throws {
        let (wires, wire) = AsyncStream<Wire>.makeStream()
        try await Site.run({ $0.limits.ending = .seconds(30) }) { (site) async throws in
            site.node.become(.waits)
            let asking = try await Wire.connect(site.port)
            try await asking.send("PUT /kv/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            while site.node.calls.isEmpty { await Task.yield() }
            wire.yield(asking)
            // Answered only when nobody listens any more.
            Task {
                while (try? await Wire.connect(site.port))?.close() != nil {}
                site.node.release()
            }
        }
        var iterator = wires.makeAsyncIterator()
        #expect(try await iterator.next()?.answer().code == 200)
    }

    @Test func theDateIsAsHTTPHasIt() {
        #expect(DateLine.text(of: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(DateLine.text(of: 951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
    }
}

import KeyValue
import RaftTrace
import Testing

@testable import KeyValueService

private let host = "Host: localhost\r\n"

@Suite(.timeLimit(.minutes(1))) struct MisbehaviourTests {
    private static let garbage: [Bytes] = [
        Bytes("hello\r\n\r\n".utf8), Bytes("GET / HTTP/9.9\r\n\r\n".utf8), Bytes("BREW / HTTP/1.1\r\n\r\n".utf8),
        [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], Bytes(repeating: 0, count: 100_000),
        Bytes("GET / HTTP/1.1\r\nHost\r\n\r\n".utf8), Bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
        Bytes("GET /\u{1} HTTP/1.1\r\n\r\n".utf8),
        Bytes(("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 200_000)).utf8),
    ]

    @Test func garbageIsAnsweredAndTheConnectionIsClosed() async throws {
        try await Site.run { (site) async throws in
            for bytes in MisbehaviourTests.garbage {
                let wire = try await Wire.connect(site.port)
                wire.push(bytes)
                let answer = try await wire.answer()
                #expect((answer.code, answer.headers["connection"]) == (400, "close"))
                #expect(answer.text.contains("this is no HTTP request"))
                #expect(await wire.rest() == "")
            }
            #expect(site.log.texts == ["somebody sent what is no HTTP"])
            let counted = "http_complaints_total{kind=\"garbage\"} \(MisbehaviourTests.garbage.count)\n"
            #expect(try await site.ask("GET", "/metrics").text.contains(counted))
        }
    }

    @Test func garbageBehindARequestIsAnsweredAfterIt() async throws {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\(host)\r\n\u{0}\u{0}\r\n\r\n")
            #expect(try await wire.answer().code == 200)
            _ = await wire.rest()
        }
    }

    @Test(arguments: ["zz\r\n", "5\r\nabcdefgh\r\n", "-1\r\n"]) func aBodyInBrokenChunksIsNotWritten(_ chunks: String)
        async throws
    {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("PUT /kv/x HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n\(chunks)")
            #expect(try await wire.answer().code == 400)
            _ = await wire.rest()
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test(arguments: ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"])
    func aBodyThatEndsEarlyIsNotWritten(_ rest: String) async throws {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("PUT /kv/x HTTP/1.1\r\n\(host)\(rest)")
            try await wire.finish()
            _ = await wire.rest()
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test(arguments: [
        "", "GET / HT", "GET / HTTP/1.1\r\nHost: local", "PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 9\r\n\r\n123",
    ])
    func whoDoesntFinishARequestIsNotWaitedFor(_ start: String) async throws {
        try await Site.run({ $0.limits.request = .milliseconds(50) }) { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send(start)
            #expect(await wire.rest() == "")
            #expect(site.log.texts == ["somebody took too long to send a request"])
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test func whoBeginsASecondRequestAndDoesntFinishItIsNotWaitedFor() async throws {
        try await Site.run({ $0.limits.request = .seconds(2) }) { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\(host)\r\n")
            #expect(try await wire.answer().code == 200)
            try await wire.send("GET /kv HT")
            #expect(await wire.rest() == "")
            #expect(site.log.texts == ["somebody took too long to send a request"])
        }
    }

    @Test func aConnectionThatLiesIdleIsClosedWithoutAWord() async throws {
        try await Site.run({ $0.limits.idle = .milliseconds(50) }) { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\(host)\r\n")
            #expect(try await wire.answer().code == 200)
            #expect(await wire.rest() == "")
            #expect(site.log.texts.isEmpty)
        }
    }

    @Test func whoWaitsForTheServerIsNotSentAway() async throws {
        try await Site.run({
            ($0.limits.idle, $0.limits.request, $0.limits.answer) = (
                .seconds(1), .seconds(1), .seconds(1)
            )
        }) { (site) async throws in
            site.node.become(.waits)
            let wire = try await Wire.connect(site.port)
            try await wire.send("PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 1\r\n\r\n1")
            // Two after one another: long enough that the first connection's time would be over.
            for _ in 1...2 { _ = try await Wire.connect(site.port).rest() }
            site.node.release()
            #expect(try await wire.answer().code == 200)
        }
    }

    @Test func aBodyThatIsDeclaredTooLargeIsRefusedBeforeItIsSent() async throws {
        try await Site.run { (site) async throws in
            for expectation in ["", "Expect: 100-continue\r\n"] {
                let wire = try await Wire.connect(site.port)
                try await wire.send("PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 1048577\r\n\(expectation)\r\n")
                let answer = try await wire.answer()
                #expect((answer.code, answer.headers["connection"]) == (413, "close"))
                #expect(answer.text.contains("more than 1048576 bytes: send less"))
                #expect(await wire.rest() == "")
            }
            #expect(site.log.texts == ["somebody sent more than is taken"])
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test func aBodyThatTurnsOutTooLargeIsRefusedAndTheRestThrownAway() async throws {
        try await Site.run({ $0.limits.body = 1_000 }) { (site) async throws in
            for route in ["PUT /kv/x", "POST /set", "GET /kv"] {
                let wire = try await Wire.connect(site.port)
                try await wire.send("\(route) HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n")
                let chunk = Bytes("400\r\n".utf8) + Bytes(repeating: 1, count: 1_024) + Bytes("\r\n".utf8)
                for _ in 1...1_000 { wire.push(chunk) }
                #expect(try await wire.answer().code == (route == "GET /kv" ? 200 : 413))
                #expect(await wire.rest() == "")
            }
            #expect(!site.node.calls.contains { !$0.request.isRead })
        }
    }

    @Test func aBodyThatTurnsOutTooLargeAfterItsAnswerEndsTheConnection() async throws {
        try await Site.run({ $0.limits.body = 1_000 }) { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n")
            #expect(try await wire.answer().code == 200)
            wire.push(Bytes("400\r\n".utf8) + Bytes(repeating: 1, count: 1_024) + Bytes("\r\n".utf8))
            #expect(await wire.rest() == "")
        }
    }

    @Test func whoAsksWhetherToSendABodyIsToldSo() async throws {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 1\r\nExpect: 100-continue\r\n\r\n")
            #expect(try await wire.answer().code == 100)
            try await wire.send("1")
            #expect(try await wire.answer().code == 200)
            #expect(site.node.store[Bytes("x".utf8)] == Bytes("1".utf8))
        }
    }

    @Test func requestsThatComeTogetherAreAnsweredInTheirOrder() async throws {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            let add = "POST /kv/n/incr HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n"
            try await wire.send(String(repeating: add, count: 100))
            for number in 1...100 { #expect(try await wire.answer().text == "{\"ok\":true,\"value\":\(number)}\n") }
        }
    }

    @Test func whoSaysNothingMoreIsStillAnswered() async throws {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\(host)\r\n")
            try await wire.finish()
            #expect(try await wire.answer().code == 200)
            #expect(await wire.rest() == "")
        }
    }

    @Test func anOldClientsConnectionEndsUnlessItIsToLive() async throws {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.0\r\n\(host)Connection: keep-alive\r\n\r\n")
            #expect(try await wire.answer().headers["connection"] == "keep-alive")
            try await wire.send("GET /kv HTTP/1.0\r\n\(host)\r\n")
            #expect(try await wire.answer().headers["connection"] == "close")
            #expect(await wire.rest() == "")
        }
    }

    @Test func aConnectionThatIsOverIsClosedThoughTheOtherEndKeepsItOpen() async throws {
        try await Site.run({ $0.limits.linger = .milliseconds(20) }) { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\(host)Connection: close\r\n\r\n")
            #expect(try await wire.answer().code == 200)
            while try await !site.ask("GET", "/metrics").text.contains("http_connections 1\n") {}
        }
    }

    @Test func whoDoesntReadAnAnswerIsNotWaitedFor() async throws {
        try await Site.run({ $0.limits.answer = .milliseconds(50) }) { (site) async throws in
            #expect(try await site.ask("PUT", "/kv/x", body: Bytes(repeating: 1, count: 1_000_000)).code == 200)
            let wire = try await Wire.connect(site.port, reads: false)
            wire.push(Bytes(String(repeating: "GET /kv/x HTTP/1.1\r\n\(host)\r\n", count: 64).utf8))
            await site.log.until("somebody took too long to read an answer")
            wire.close()
        }
    }

    private static let crowded =
        "there are as many connections as there may be: idle ones make room, and further ones wait"

    @Test func whereThereIsNoRoomTheConnectionThatHasLainIdleLongestIsClosed() async throws {
        try await Site.run({ ($0.limits.connections, $0.limits.grace) = (3, .zero) }) { (site) async throws in
            let wires = [try await Wire.connect(site.port), try await Wire.connect(site.port)]
            for wire in wires.reversed() {
                try await wire.send("GET /kv HTTP/1.1\r\n\(host)\r\n")
                #expect(try await wire.answer().code == 200)
            }
            site.node.become(.waits)
            let busy = try await Wire.connect(site.port)
            try await busy.send("PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n")
            #expect(await wires[1].rest() == "")
            while !site.node.calls.contains(where: { !$0.request.isRead }) { await Task.yield() }
            // The other one makes room for the first of these, and who waits for an answer is left alone.
            for _ in 1...5 { #expect(try await site.ask("GET", "/status").code == 200) }
            site.node.release()
            #expect(try await busy.answer().code == 200)
            #expect(site.log.texts == [MisbehaviourTests.crowded])
        }
    }

    @Test func whoBecomesIdleWhereThereIsNoRoomMakesSome() async throws {
        try await Site.run({ ($0.limits.connections, $0.limits.grace) = (1, .zero) }) { (site) async throws in
            site.node.become(.waits)
            let busy = try await Wire.connect(site.port)
            try await busy.send("PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n")
            while site.node.calls.isEmpty { await Task.yield() }
            async let status = site.ask("GET", "/status")
            site.node.release()
            #expect(try await busy.answer().code == 200)
            #expect(try await status.code == 200)
            #expect(await busy.rest() == "")
        }
    }

    @Test func aConnectionThatWasGivenUpTakesNoRequestAnyMore() throws {
        let idleness = Idleness()
        let since = try #require(idleness.since)
        #expect(idleness.wake())
        #expect(idleness.since == nil)
        #expect(!idleness.end(since))
        idleness.rest()
        #expect(idleness.end(try #require(idleness.since)))
        #expect(!idleness.wake())
        idleness.rest()
        #expect(idleness.since == nil)
    }

    @Test func thereAreOnlyAsManyConnectionsAsTheProcessMayHaveOpen() {
        #expect(OpenFiles.connectionsMax(of: 4_096) == 3_840)
        #expect(OpenFiles.connectionsMax(of: 1_024) == 768)
        #expect(OpenFiles.connectionsMax(of: 256) == 128)
        #expect(OpenFiles.connectionsMax(of: 0) == 1)
        #expect(OpenFiles.connectionsMax(of: .max) > 2_048)
    }

    @Test func moreConnectionsThanThereMayBeWait() async throws {
        try await Site.run({ ($0.limits.connections, $0.limits.grace) = (2, .seconds(60)) }) { (site) async throws in
            var wires: [Wire] = []
            for _ in 1...2 {
                let wire = try await Wire.connect(site.port)
                try await wire.send("GET /kv HTTP/1.1\r\n\(host)\r\n")
                #expect(try await wire.answer().code == 200)
                wires.append(wire)
            }
            // Those who come together are accepted together, so that the limit is a little more than it says.
            var further: [Wire] = []
            for _ in 1...32 { further.append(try await Wire.connect(site.port)) }
            for wire in further { try await wire.send("PUT /kv/x HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n") }
            try await wires[0].send("GET /kv HTTP/1.1\r\n\(host)\r\n")
            #expect(try await wires[0].answer().code == 200)
            #expect(site.log.texts == [MisbehaviourTests.crowded])
            for wire in wires { wire.close() }
            for wire in further {
                #expect(try await wire.answer().code == 200)
                wire.close()
            }
        }
    }
}

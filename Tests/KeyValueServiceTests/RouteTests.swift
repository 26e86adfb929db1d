import KeyValue
import RaftNode
import RaftTrace
import Testing

@testable import KeyValueService

@Suite(.timeLimit(.minutes(1))) struct RouteTests {
    @Test func aValueThatWasSetIsReadWithANewlineBehindIt() async throws {
        try await Site.run { (site) async throws in
            let set = try await site.ask("POST", "/set", body: #"{"key":"x","value":"1"}"#)
            #expect((set.code, set.text) == (200, "{\"ok\":true}\n"))
            #expect(set.headers["content-type"] == "application/json")
            #expect(set.headers["date"]?.hasSuffix(" GMT") == true)
            let get = try await site.ask("GET", "/get?key=x")
            #expect((get.code, get.text) == (200, "1\n"))
        }
    }

    @Test func aFormIsReadAsJSONForCurlCallsEverythingAForm() async throws {
        try await Site.run { (site) async throws in
            let type = ["Content-Type: application/x-www-form-urlencoded"]
            #expect(
                try await site.ask("POST", "/set", type, body: #"{"key":"ä","value":"\u00e4\n\ud83d\ude00"}"#).code
                    == 200)
            #expect(site.node.store[Bytes("ä".utf8)] == Bytes("ä\n😀".utf8))
            #expect(try await site.ask("GET", "/get?key=%C3%A4").text == "ä\n😀\n")
        }
    }

    @Test(arguments: ["GET", "DELETE"]) func aKeyIsTakenAwayEitherWay(_ method: String) async throws {
        try await Site.run { (site) async throws in
            _ = try await site.ask("POST", "/set", body: #"{"key":"a b","value":"1"}"#)
            #expect(try await site.ask(method, "/del?key=a+b").code == 200)
            #expect(try await site.ask("GET", "/get?key=a+b").code == 404)
            let again = try await site.ask(method, "/del?key=a%20b")
            #expect((again.code, again.text) == (404, "{\"error\":\"there is no key 'a b'\"}\n"))
        }
    }

    @Test func aValueMayBeAnyBytes() async throws {
        try await Site.run { (site) async throws in
            let value = Bytes(0...255) + Bytes("\r\n".utf8)
            #expect(try await site.ask("PUT", "/kv/%00%FF%2F", body: value).code == 200)
            #expect(site.node.store[[0, 255, 0x2f]] == value)
            let get = try await site.ask("GET", "/kv/%00%ff/".dropLast() + "%2f")
            #expect((get.code, get.body) == (200, value))
            #expect(try await site.ask("DELETE", "/kv/%00%FF%2F").code == 200)
            #expect(try await site.ask("GET", "/kv/%00%FF%2F").code == 404)
        }
    }

    @Test func anEmptyValueIsAValue() async throws {
        try await Site.run { (site) async throws in
            #expect(try await site.ask("PUT", "/kv/x").code == 200)
            let get = try await site.ask("GET", "/kv/x")
            #expect((get.code, get.body) == (200, []))
        }
    }

    @Test func aNumberIsAddedTo() async throws {
        try await Site.run { (site) async throws in
            #expect(try await site.ask("POST", "/kv/n/incr").text == "{\"ok\":true,\"value\":1}\n")
            #expect(try await site.ask("POST", "/kv/n/incr?by=-43").text == "{\"ok\":true,\"value\":-42}\n")
            _ = try await site.ask("PUT", "/kv/n", body: "one")
            let refused = try await site.ask("POST", "/kv/n/incr")
            #expect(refused.code == 409)
            #expect(refused.text.hasSuffix("\"value\":\"one\"}\n"))
        }
    }

    @Test func aValueIsChangedIfItIsTheOneThatIsNamed() async throws {
        try await Site.run { (site) async throws in
            #expect(try await site.ask("POST", "/kv/x/cas", body: #"{"old":"1","new":"2"}"#).code == 404)
            _ = try await site.ask("PUT", "/kv/x", body: "1")
            #expect(try await site.ask("POST", "/kv/x/cas", body: #"{"old":"1","new":"2"}"#).code == 200)
            let refused = try await site.ask("POST", "/kv/x/cas", body: #"{"old":"1","new":"3"}"#)
            #expect(refused.code == 409)
            #expect(
                refused.text == "{\"error\":\"the value of 'x' is another one: nothing was changed\",\"value\":\"2\"}\n"
            )
            _ = try await site.ask("PUT", "/kv/x", body: [0xff])
            #expect(
                try await site.ask("POST", "/kv/x/cas", body: #"{"old":"1","new":"3"}"#).text.hasSuffix(
                    "\"encoded\":\"%FF\"}\n"))
        }
    }

    @Test func keysAreListedAndThoseThatAreNoTextStandApart() async throws {
        try await Site.run { (site) async throws in
            #expect(try await site.ask("GET", "/kv").text == "{\"keys\":[]}\n")
            for key in ["b%22", "a", "bc", "b%FF"] { _ = try await site.ask("PUT", "/kv/\(key)") }
            #expect(
                try await site.ask("GET", "/kv?prefix=b").text
                    == "{\"keys\":[\"b\\\"\",\"bc\"],\"encoded\":[\"b%FF\"]}\n")
        }
    }

    @Test(arguments: ReadMode.allCases) func aReadSaysWhatItIsToBeWorth(_ mode: ReadMode) async throws {
        try await Site.run { (site) async throws in
            _ = try await site.ask("GET", "/get?key=x&read=\(mode.rawValue)")
            _ = try await site.ask("GET", "/kv/x?read=\(mode.rawValue)")
            _ = try await site.ask("GET", "/kv?read=\(mode.rawValue)")
            #expect(site.node.calls.map(\.request.readMode) == [mode, mode, mode])
        }
    }

    @Test func readsAreLinearizableUnlessAskedOtherwise() async throws {
        try await Site.run { (site) async throws in
            for path in ["/get?key=x", "/kv/x", "/kv"] { _ = try await site.ask("GET", path) }
            #expect(site.node.calls.map(\.request.readMode) == [.readindex, .readindex, .readindex])
        }
    }

    @Test func aWriteUnderANameIsDoneOnce() async throws {
        try await Site.run { (site) async throws in
            for _ in 1...3 {
                #expect(
                    try await site.ask("POST", "/kv/n/incr", ["Idempotency-Key: a"]).text
                        == "{\"ok\":true,\"value\":1}\n")
            }
            #expect(
                try await site.ask("POST", "/kv/n/incr", ["idempotency-key: b"]).text == "{\"ok\":true,\"value\":2}\n")
            #expect(site.node.calls.map(\.once) == ["a", "a", "a", "b"])
        }
    }

    @Test func aNameThatStandsForAnotherWriteIsRefused() async throws {
        try await Site.run { (site) async throws in
            let name = ["Idempotency-Key: a"]
            #expect(try await site.ask("PUT", "/kv/x", name, body: "1").code == 200)
            let other = try await site.ask("PUT", "/kv/y", name, body: "1")
            #expect(other.code == 422)
            #expect(other.text.contains("this Idempotency-Key stands for another write, and nothing was done"))
            #expect(try await site.ask("GET", "/kv/y").code == 404)
            #expect(try await site.ask("PUT", "/kv/x", name, body: "1").code == 200)
        }
    }

    @Test func namesThatMayBeReadInTwoWaysAreRefused() async throws {
        try await Site.run { (site) async throws in
            for name in ["\u{e9}", "e\u{301}", "a b", "a\tb"] {
                let answer = try await site.ask("POST", "/kv/n/incr", ["Idempotency-Key: \(name)"])
                #expect(answer.code == 400, "\(name)")
            }
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test func moreKeysThanAreListedAtOnceAreRefused() async throws {
        try await Site.run { (site) async throws in
            for number in 0...Store.listedMax.keys {
                _ = await site.node.call(.write(.set(key: Bytes("k\(number)".utf8), value: [])), once: nil)
            }
            let answer = try await site.ask("GET", "/kv?prefix=k")
            #expect(answer.code == 400)
            #expect(answer.text.contains("more than 10000 keys") && answer.text.contains("ask for a longer prefix"))
            #expect(try await site.ask("GET", "/kv?prefix=k99").text.hasPrefix("{\"keys\":[\"k99\",\"k990\""))
        }
    }

    @Test func theStatusHasALineForEachNumber() async throws {
        try await Site.run { (site) async throws in
            #expect(
                try await site.ask("GET", "/status").text == """
                    {
                      "node": 1,
                      "role": "leader",
                      "voter": true,
                      "term": 3,
                      "leader": 1,
                      "leader_address": "127.0.0.1:8001",
                      "commit": 40,
                      "applied": 39,
                      "last": 42,
                      "snapshot": 32,
                      "members": [1, 2, 3],
                      "keys": 0
                    }

                    """)
        }
    }

    @Test func theNumbersAreThereForPrometheus() async throws {
        try await Site.run { (site) async throws in
            _ = try await site.ask("GET", "/get?key=x")
            _ = try await site.ask("GET", "/nowhere")
            let text = try await site.ask("GET", "/metrics").text
            for line in [
                "raft_up 1", "raft_term 3", "raft_commit_index 40", "raft_applied_index 39", "raft_last_index 42",
                "raft_is_leader 1", "raft_messages_sent_total 17", "# TYPE http_requests_total counter",
                "http_requests_total{code=\"404\",route=\"/get\"} 1",
                "http_requests_total{code=\"404\",route=\"other\"} 1",
                "http_request_duration_seconds_count{route=\"/get\"} 1",
                "http_request_duration_seconds_bucket{route=\"/get\",le=\"+Inf\"} 1",
            ] { #expect(text.contains(line + "\n"), "\(line)") }
        }
    }

    @Test func whoWantsTheLeaderIsSentToIt() async throws {
        try await Site.run { (site) async throws in
            site.node.follow(2, at: "127.0.0.1:8002")
            let answer = try await site.ask("POST", "/set?redirect=1", body: #"{"key":"x","value":"1"}"#)
            #expect(answer.code == 307)
            #expect(answer.headers["location"] == "http://127.0.0.1:8002/set?redirect=1")
            #expect(site.node.calls.isEmpty)
            #expect(try await site.ask("GET", "/kv?redirect=0").code == 200)
            site.node.follow(2, at: nil)
            #expect(try await site.ask("GET", "/kv?redirect=1").code == 200)
            site.node.follow(1, at: "127.0.0.1:8001")
            #expect(try await site.ask("GET", "/kv?redirect=1").code == 200)
        }
    }

    @Test func headIsGetWithoutTheBody() async throws {
        try await Site.run { (site) async throws in
            _ = try await site.ask("PUT", "/kv/x", body: "123")
            let wire = try await Wire.connect(site.port)
            try await wire.send(
                "HEAD /kv/x HTTP/1.1\r\nHost: localhost\r\n\r\nGET /kv/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let head = try await wire.answer(hasBody: false)
            #expect((head.code, head.headers["content-length"]) == (200, "3"))
            #expect(try await wire.answer().text == "123")
            try await wire.send("HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await wire.answer(hasBody: false).code == 200)
            #expect(site.node.readerCount == 0)
        }
    }

    @Test func thePageOfAllRoutesNamesThem() async throws {
        try await Site.run { (site) async throws in
            let text = try await site.ask("GET", "/").text
            for route in Route.allCases where route.pattern.count > 1 && route != .other {
                #expect(text.contains(route.pattern.split(separator: "/")[0]), "\(route)")
            }
        }
    }
}

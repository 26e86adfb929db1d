import KeyValue
import RaftTrace
import Testing

@testable import KeyValueService

@Suite(.timeLimit(.minutes(1))) struct RefusalTests {
    @Test(arguments: [
        ("", "it ends too early"), ("x", "at byte 1 '{' is missing"), (#"{"key":"x""#, "it ends too early"),
        (#"{"key":"x","value":"1"} x"#, "something follows the object"), (#"{"key":"x"}"#, "'value' is missing"),
        (#"{"value":"x"}"#, "'key' is missing"),
        (#"{"key":"x","value":1}"#, "'value' must be a string, and is a number"),
        (#"{"key":"x","value":null}"#, "is null"), (#"{"key":"x","value":[1,{"a":true}]}"#, "is a list"),
        (#"{"key":{},"value":"1"}"#, "is an object"), (#"{"key":true,"value":"1"}"#, "is a boolean"),
        (#"{"key":"","value":"1"}"#, "the key is empty"),
        (#"{"key":"x","key":"y","value":"1"}"#, "'key' stands in the body twice"),
        (#"{"key":"\x","value":"1"}"#, "backslash"), (#"{"key":"\ud800","value":"1"}"#, "half a pair"),
        (#"{"key":"\ud83d\u0041","value":"1"}"#, "half a pair"), (#"{"key":"\u12"#, "it ends too early"),
        (#"{"key":"\u12g4","value":"1"}"#, "four hexadecimal digits"),
        ("{\"key\":\"a\nb\",\"value\":\"1\"}", "\\u000a"),
        (#"{"key":"x","value":nonsense}"#, "a value is missing"),
        (#"{key:"x"}"#, "a string in double quotes is missing"),
        (String(repeating: "[", count: 100_000), "'{' is missing"),
        (#"{"key":"# + String(repeating: "[", count: 100_000), "nested too deep"),
        (#"["key"]"#, "'{' is missing"), (#"{"key":"x",}"#, "a string in double quotes is missing"),
    ]) func aBodyThatIsNoGoodIsRefusedWithTheReason(_ body: String, _ reason: String) async throws {
        try await Site.run { (site) async throws in
            let answer = try await site.ask("POST", "/set", body: body)
            #expect(answer.code == 400)
            #expect(answer.headers["content-type"] == "application/json")
            let plain = reason.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            #expect(answer.text.contains(plain), "\(answer.text)")
            #expect(answer.text.hasPrefix("{\"error\":\"") && answer.text.hasSuffix("\"}\n"))
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test func aBodyThatIsNoUTF8IsRefused() async throws {
        try await Site.run { (site) async throws in
            let answer = try await site.ask(
                "POST", "/set", body: Bytes(#"{"key":"x","value":""#.utf8) + [0xff] + Bytes("\"}".utf8))
            #expect(answer.code == 400)
            #expect(answer.text.contains("not valid UTF-8"))
        }
    }

    @Test(arguments: [
        ("GET", "/get", "the key is missing"), ("GET", "/get?key=", "the key is empty"),
        ("GET", "/kv/", "the key is empty"),
        ("GET", "/get?key=%", "two hexadecimal digits"), ("GET", "/get?key=%4", "two hexadecimal digits"),
        ("PUT", "/kv/%zz", "two hexadecimal digits"), ("GET", "/get?key=a&key=b", "'key' is given twice"),
        ("GET", "/get?key=a&read=dirty", "readindex, lease, leader, local"),
        ("POST", "/kv/x/incr?by=1.5", "whole number"),
        ("POST", "/kv/x/incr?by=9223372036854775808", "whole number"), ("DELETE", "/del", "the key is missing"),
        ("POST", "/kv/x/cas", "it ends too early"),
    ]) func whatMakesNoSenseIsRefused(_ method: String, _ path: String, _ reason: String) async throws {
        try await Site.run { (site) async throws in
            let answer = try await site.ask(method, path)
            #expect(answer.code == 400)
            #expect(answer.text.contains(reason), "\(answer.text)")
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test(arguments: ["/nowhere", "/set/", "/kv/x/y", "/kv/x/incr/y", "//kv/x", "/KV/x", "*"])
    func whatIsNowhereIsNotFound(_ path: String) async throws {
        try await Site.run { (site) async throws in
            let answer = try await site.ask("POST", path)
            #expect(answer.code == 404)
            #expect(answer.text.contains("GET / lists what there is"))
        }
    }

    @Test(arguments: [
        ("GET", "/set", "POST"), ("POST", "/get?key=x", "GET, HEAD"), ("PATCH", "/kv/x", "GET, HEAD, PUT, DELETE"),
        ("HEAD", "/del?key=x", "GET, DELETE"), ("OPTIONS", "/kv", "GET, HEAD"),
        ("GET", "/fault", "POST"), ("GET", "/kv/x/incr", "POST"), ("TRACE", "/", "GET, HEAD"),
    ]) func aMethodThatIsntTakenIsRefusedWithThoseThatAre(_ method: String, _ path: String, _ allowed: String)
        async throws
    {
        try await Site.run { (site) async throws in
            let wire = try await Wire.connect(site.port)
            try await wire.send("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            let answer = try await wire.answer(hasBody: method != "HEAD")
            #expect((answer.code, answer.headers["allow"]) == (405, allowed))
            #expect(site.node.calls.isEmpty)
        }
    }

    @Test func whereNobodyLeadsItIsWorthTryingAgainSoon() async throws {
        try await Site.run { (site) async throws in
            site.node.become(.hasNoLeader)
            for (method, path) in [("GET", "/get?key=x"), ("PUT", "/kv/x"), ("GET", "/kv")] {
                let answer = try await site.ask(method, path)
                #expect((answer.code, answer.headers["retry-after"]) == (503, "1"))
                #expect(answer.text == "{\"error\":\"nobody leads now, and nothing was done: send it again\"}\n")
            }
        }
    }

    @Test func whatCannotBeDoneNowIsToldAsTheServerTellsIt() async throws {
        try await Site.run { (site) async throws in
            site.node.become(.refuses("n1 has more to do than it can keep: try again later"))
            let answer = try await site.ask("PUT", "/kv/x")
            #expect((answer.code, answer.headers["retry-after"]) == (503, "1"))
            #expect(answer.text.contains("n1 has more to do"))
        }
    }

    @Test func whatNobodyKnowsTheOutcomeOfIsToldAsThat() async throws {
        try await Site.run { (site) async throws in
            site.node.become(.knowsNothing)
            let named = try await site.ask("PUT", "/kv/x", ["Idempotency-Key: a"])
            #expect(named.code == 504)
            #expect(
                named.text.contains("it may or may not have been done: send it again with the same Idempotency-Key"))
            #expect(try await site.ask("PUT", "/kv/x").text.contains("look before you send it again"))
            let read = try await site.ask("GET", "/kv/x")
            #expect(read.code == 504)
            #expect(read.text.contains("there was no answer in time: ask again"))
        }
    }

    @Test func aServerThatIsDownSaysSo() async throws {
        try await Site.run { (site) async throws in
            site.node.become(.isDown)
            #expect(try await site.ask("GET", "/status").code == 503)
            #expect(try await site.ask("GET", "/metrics").text.contains("raft_up 0\n"))
            #expect(try await site.ask("PUT", "/kv/x?redirect=1").code == 503)
        }
    }

    @Test func anIdempotencyKeyHasOneTo255Bytes() async throws {
        try await Site.run { (site) async throws in
            let longest = String(repeating: "k", count: 255)
            #expect(try await site.ask("PUT", "/kv/x", ["Idempotency-Key: \(longest)"]).code == 200)
            #expect(try await site.ask("PUT", "/kv/x", ["Idempotency-Key: \(longest)k"]).code == 400)
            #expect(try await site.ask("PUT", "/kv/x", ["Idempotency-Key:"]).code == 400)
            #expect(site.node.calls.map(\.once) == [longest])
        }
    }

    @Test func keyAndValueAreNoLargerThanAnOperationMayBe() async throws {
        try await Site.run { (site) async throws in
            let room = Bytes(repeating: 1, count: Operation.bytesMax - 1)
            #expect(try await site.ask("PUT", "/kv/x", body: room).code == 200)
            #expect(try await site.ask("GET", "/kv/x").body == room)
            let answer = try await site.ask("PUT", "/kv/xy", body: room)
            #expect(answer.code == 413)
            #expect(answer.text.contains("1048576 bytes together"))
        }
    }

    @Test func someoneElsesHostIsRefused() async throws {
        try await Site.run({ $0.names = ["raft.example"] }) { (site) async throws in
            for host in [
                "localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST:8001", "localhost.", "localhost.:80", "raft.example",
                "raft.example:80",
            ] {
                #expect(try await site.ask("GET", "/kv", ["Host: \(host)"]).code == 200, "\(host)")
            }
            for host in [
                "evil.example", "localhost.evil.example:80", "192.168.1.1", "localhost:x", "127.0.0.1.", "[::2]", "1",
                "@localhost", "localhost..", ".",
            ] {
                #expect(try await site.ask("GET", "/kv", ["Host: \(host)"]).code == 421, "\(host)")
            }
            #expect(try await site.ask("GET", "/kv", ["Host:"]).code == 400)
            #expect(try await site.ask("GET", "/kv", ["Host: localhost", "Host: localhost"]).code == 400)
            let wire = try await Wire.connect(site.port)
            try await wire.send("GET /kv HTTP/1.1\r\n\r\n")
            #expect(try await wire.answer().code == 400)
        }
    }

    @Test func whatNobodyCanMeetIsNotExpected() async throws {
        try await Site.run { (site) async throws in
            for expectation in ["foo", "100-continue, foo"] {
                let answer = try await site.ask("PUT", "/kv/x", ["Expect: \(expectation)"], body: "1")
                #expect(answer.code == 417)
                #expect(answer.text.contains("expect 100-continue, or nothing"))
            }
            #expect(site.node.calls.isEmpty)
            // In HTTP/1.0 there is no such thing.
            let wire = try await Wire.connect(site.port)
            try await wire.send(
                "PUT /kv/x HTTP/1.0\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n1")
            #expect(try await wire.answer().code == 200)
        }
    }

    @Test func whoListensEverywhereIsCalledByAnyAddressAndNoName() async throws {
        try await Site.run({ $0.host = "0.0.0.0" }) { (site) async throws in
            for host in ["192.168.1.1:80", "[fe80::1]"] {
                #expect(try await site.ask("GET", "/kv", ["Host: \(host)"]).code == 200, "\(host)")
            }
            for host in ["evil.example", "192.168.1.1.evil.example", "1.2.3.256"] {
                #expect(try await site.ask("GET", "/kv", ["Host: \(host)"]).code == 421, "\(host)")
            }
        }
    }

    @Test func aPageOfAnotherOriginChangesNothing() async throws {
        try await Site.run({ $0.token = "s" }) { (site) async throws in
            let (foreign, local) = (["Origin: http://evil.example"], "Host: localhost:\(site.port)")
            for headers in [
                foreign, ["Origin: null"], ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"],
                [local, "Origin: http://localhost:1"],
                ["Referer: http://evil.example/page"], [local, "Referer: http://localhost:\(site.port)1/"],
                [local, "Referer: http://localhost:\(site.port).evil.example/"],
            ] {
                for (method, path) in [
                    ("GET", "/del?key=x"), ("PUT", "/kv/x"), ("DELETE", "/kv/x"), ("POST", "/set"),
                    ("POST", "/kv/x/incr"),
                    ("POST", "/kv/x/cas"), ("POST", "/fault"),
                ] {
                    #expect(try await site.ask(method, path, headers).code == 403, "\(method) \(path) \(headers)")
                }
                #expect(try await site.ask("GET", "/kv", headers).code == 200)
            }
            #expect(!site.node.calls.contains { !$0.request.isRead })
            for headers in [
                [local, "Origin: http://localhost:\(site.port)", "Sec-Fetch-Site: same-origin"],
                ["Sec-Fetch-Site: none"], [local, "Referer: http://localhost:\(site.port)/page"], ["Referer:"],
            ] {
                #expect(try await site.ask("PUT", "/kv/x", headers).code == 200, "\(headers)")
            }
        }
    }
}

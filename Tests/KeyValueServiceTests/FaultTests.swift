import Testing

@testable import KeyValueService

@Suite(.timeLimit(.minutes(1))) struct FaultTests {
    @Test func nobodyDisturbsAServerWithoutAToken() async throws {
        for token in [nil, ""] {
            try await Site.run({ $0.token = token }) { (site) async throws in
                for headers in [[], ["Authorization: Bearer "], ["Authorization: Bearer"]] {
                    #expect(try await site.ask("POST", "/fault", headers, body: "cut 1-2").code == 403)
                }
                #expect(site.node.lines.isEmpty)
            }
        }
    }

    @Test func onlyWhoHasTheTokenDisturbsTheServer() async throws {
        try await Site.run({ $0.token = "much secret" }) { (site) async throws in
            for value in [
                "", "Bearer", "Bearer ", "Bearer much", "Bearer much secrets", "Bearer much secreT", "much secret",
                "Basic much secret",
            ] {
                #expect(
                    try await site.ask("POST", "/fault", ["Authorization: \(value)"], body: "cut 1-2").code == 403,
                    "\(value)")
            }
            #expect(site.node.lines.isEmpty)
            let answer = try await site.ask("POST", "/fault", ["Authorization: Bearer much secret"], body: "cut 1-2\n")
            #expect((answer.code, answer.text) == (200, "{\"ok\":true}\n"))
            #expect(site.node.lines == ["cut 1-2"])
            #expect(site.log.texts == ["somebody wanted to disturb the cluster without its token"])
        }
    }

    @Test func aCommandThatIsRefusedIsAnsweredWithTheSentence() async throws {
        try await Site.run({ $0.token = "s" }) { (site) async throws in
            let answer = try await site.ask("POST", "/fault", ["Authorization: Bearer s"], body: "shoot 1")
            #expect((answer.code, answer.text) == (400, "{\"error\":\"unknown command 'shoot 1'\"}\n"))
        }
    }

    @Test func aCommandHasOnlySoManyBytes() async throws {
        try await Site.run({ $0.token = "s" }) { (site) async throws in
            let longest = "cut " + String(repeating: "1", count: 1_020)
            #expect(try await site.ask("POST", "/fault", ["Authorization: Bearer s"], body: longest).code == 200)
            let answer = try await site.ask("POST", "/fault", ["Authorization: Bearer s"], body: longest + "1")
            #expect(answer.code == 413)
            #expect(answer.text.contains("the command has more than 1024 bytes: send a shorter one"))
            #expect(site.node.lines == [longest])
        }
    }

    @Test func theHelpNamesACommandThatThereIs() async throws {
        try await Site.run { (site) async throws in
            let help = try await site.ask("GET", "/").text
            #expect(help.contains("/fault cut 1-2 "))
        }
    }

    @Test(arguments: ["", "\n", "cut 1-2\ncut 1-3", "cut\u{0}1", "cut 1-2\r\n"]) func whatIsNoLineIsNoCommand(
        _ body: String
    ) async throws {
        try await Site.run({ $0.token = "s" }) { (site) async throws in
            #expect(try await site.ask("POST", "/fault", ["Authorization: Bearer s"], body: body).code == 400)
            #expect(site.node.lines.isEmpty)
        }
    }
}

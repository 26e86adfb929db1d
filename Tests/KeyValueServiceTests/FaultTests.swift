import Testing

@testable import KeyValueService

@Suite(.timeLimit(.minutes(1))) struct FaultTests {
    @Test func nobodyDisturbsAServerWithoutASecret() async throws {
        for secret in [nil, ""] {
            try await Site.run({ $0.secret = secret }) { (site) async throws in
                for headers in [[], ["Authorization: Bearer "], ["Authorization: Bearer"]] {
                    #expect(try await site.ask("POST", "/fault", headers, body: "cut 1 2").code == 403)
                }
                #expect(site.node.lines.isEmpty)
            }
        }
    }

    @Test func onlyWhoKnowsTheSecretDisturbsTheServer() async throws {
        try await Site.run({ $0.secret = "much secret" }) { (site) async throws in
            for value in [
                "", "Bearer", "Bearer ", "Bearer much", "Bearer much secrets", "Bearer much secreT", "much secret",
                "Basic much secret",
            ] {
                #expect(
                    try await site.ask("POST", "/fault", ["Authorization: \(value)"], body: "cut 1 2").code == 403,
                    "\(value)")
            }
            #expect(site.node.lines.isEmpty)
            let answer = try await site.ask("POST", "/fault", ["Authorization: Bearer much secret"], body: "cut 1 2\n")
            #expect((answer.code, answer.text) == (200, "{\"ok\":true}\n"))
            #expect(site.node.lines == ["cut 1 2"])
            #expect(site.log.texts == ["somebody wanted to disturb the cluster without its secret"])
        }
    }

    @Test func aCommandThatIsRefusedIsAnsweredWithTheSentence() async throws {
        try await Site.run({ $0.secret = "s" }) { (site) async throws in
            let answer = try await site.ask("POST", "/fault", ["Authorization: Bearer s"], body: "shoot 1")
            #expect((answer.code, answer.text) == (400, "{\"error\":\"unknown command 'shoot 1'\"}\n"))
        }
    }

    @Test(arguments: ["", "\n", "cut 1 2\ncut 1 3", "cut\u{0}1", "cut 1 2\r\n"]) func whatIsNoLineIsNoCommand(
        _ body: String
    ) async throws {
        try await Site.run({ $0.secret = "s" }) { (site) async throws in
            #expect(try await site.ask("POST", "/fault", ["Authorization: Bearer s"], body: body).code == 400)
            #expect(site.node.lines.isEmpty)
        }
    }
}

import Testing

@testable import ClusterWatch

/// Server-sent events, from bytes in whatever pieces.
struct ServerSentEventsTests {
    private func read(_ pieces: [String]) throws -> [[String]] {
        var parser = ServerSentEvents()
        var records: [[String]] = []
        for piece in pieces {
            for record in try parser.take(Array(piece.utf8)) {
                records.append([
                    String(decoding: record.id, as: UTF8.self), String(decoding: record.data, as: UTF8.self),
                ])
            }
        }
        return records
    }

    @Test("a record ends at an empty line, and what is no data makes none")
    func records() throws {
        #expect(
            try read(["retry: 1000\n\n:\n\nid: 7\ndata: {\"a\": 1}\n\nid: 8\ndata:x\n\n"]) == [
                ["7", "{\"a\": 1}"], ["8", "x"],
            ])
        #expect(try read(["id: 9\n\n"]).isEmpty)
        #expect(try read(["data: one\ndata: two\n\n"]) == [["", "one\ntwo"]])
        #expect(try read(["data: half"]).isEmpty)
    }

    @Test("pieces and ends of lines make no difference", arguments: ["\n", "\r\n", "\r"])
    func pieces(end: String) throws {
        let text = ["id: 1", "data: a: b", "", "id: 2", "data: c", "", ""].joined(separator: end)
        #expect(try read([text]) == [["1", "a: b"], ["2", "c"]])
        #expect(try read(text.utf8.map { String(decoding: [$0], as: UTF8.self) }) == [["1", "a: b"], ["2", "c"]])
    }
}

import HTTPTypes
import HummingbirdCore
import KeyValue
import NIOCore
import RaftCore
import RaftNode
import RaftTrace

// What the server tells of itself, and what can be done to it.

extension Face {
    /// `GET /`: what there is.
    func index() -> Response {
        Response(
            text: """
                raft-tui, server \(node.id)

                POST   /set {"key": "x", "value": "1"}       give a key a value
                GET    /get?key=x                            its value, and a newline
                DELETE /del?key=x                            take it away (GET will do)
                GET    /kv?prefix=x                          the keys
                GET    /kv/x   PUT, DELETE                   the same with any bytes: the body is the value
                POST   /kv/x/incr?by=1                       add to a number
                POST   /kv/x/cas {"old": "1", "new": "2"}    change a value, if it is this one
                GET    /status  /metrics  /events            the server, its numbers, what happens
                POST   /fault cut 1-2                        disturb it, with Authorization: Bearer TOKEN

                ?read=readindex|lease|leader|local           what a read is worth
                ?redirect=1                                  be sent to the leader
                Idempotency-Key: NAME                        do a write once, however often it is sent

                """)
    }

    /// `GET /status`: how the server is, a line each.
    func status() async throws -> Response {
        let status = try await present()
        let state = status.state
        var text = JSONText()
        text.object(isForPeople: true) { text in
            text.field("node", node.id.rawValue)
            text.field("role", state.role.rawValue)
            text.field("voter", status.isVoter)
            text.field("term", status.term.rawValue)
            text.field("leader", state.leader?.rawValue)
            text.field("leader_address", status.leaderAddress)
            text.field("commit", state.commit.rawValue)
            text.field("applied", state.applied.rawValue)
            text.field("last", state.last)
            text.field("snapshot", state.snapshot?.index.rawValue)
            text.field("members", state.members?.members.map(\.id.rawValue) ?? [])
            text.field("keys", state.storeCount)
        }
        return Response(json: text)
    }

    /// `GET /metrics`: its numbers, as Prometheus reads them.
    func metricsText() async -> Response {
        var text = MetricsText()
        let status = await node.status()
        text.one("raft_up", .gauge, "Whether the server runs.", status == nil ? 0 : 1)
        if let status { status.write(to: &text, node: node.id) }
        metrics.write(to: &text)
        text.one("http_connections", .gauge, "Connections that are open.", connections.count)
        text.one("http_event_readers", .gauge, "Readers of events.", readers.count)
        text.begin("http_complaints_total", .counter, "How often somebody misbehaved.")
        for (complaint, count) in complaints.counts {
            text.line("http_complaints_total{kind=\"\(complaint.rawValue)\"}", count)
        }
        return Response(text: text.text, type: "text/plain; version=0.0.4; charset=utf-8")
    }

    /// `GET /events`: what happens, from now on.
    func events(_ method: HTTPRequest.Method, on channel: any Channel) throws(Refusal) -> Response {
        let headers: HTTPFields = [.contentType: EventReaders.contentType, .cacheControl: "no-store"]
        if method == .head { return Response(status: .ok, headers: headers) }
        guard let mailbox = readers.add(limits: limits) else {
            var refusal = Refusal.unavailable(
                "there are \(limits.readers) readers of events, and no more may be: come back later")
            refusal.complaint = .tooManyReaders
            throw refusal
        }
        // Who goes away before anything was written is never written to.
        channel.closeFuture.whenComplete { _ in
            mailbox.discard()
            readers.remove(mailbox)
        }
        let stream = EventStream(node: node, limits: limits, complaints: complaints)
        let body = ResponseBody { writer in
            defer { readers.remove(mailbox) }
            try await stream.write(to: &writer, mailbox: mailbox, channel: channel)
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    /// `POST /fault`: disturbs the server or its links, for whoever has the token.
    func fault(_ request: WebRequest) async throws -> Response {
        try checkToken(request.headers[.authorization])
        let body = try await body(of: request)
        // Reading a line takes longer the longer it is, and the server waits meanwhile.
        guard body.count <= limits.faultLine else {
            throw Refusal.tooLarge("the command has more than \(limits.faultLine) bytes: send a shorter one")
        }
        guard let line = String(validating: body, as: UTF8.self) else {
            throw Refusal(.badRequest, "the command is not valid UTF-8: send a line such as cut 1-2")
        }
        let command = line.hasSuffix("\n") ? String(line.dropLast()) : line
        guard !command.isEmpty, command.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            throw Refusal(.badRequest, "the body is no command: send one line such as cut 1-2")
        }
        if let reason = await node.perform(line: command) { throw Refusal(.badRequest, reason) }
        return .done
    }

    private func checkToken(_ authorization: String?) throws(Refusal) {
        guard let token, !token.isEmpty else {
            throw Refusal(.forbidden, "nobody may disturb this server: it was started without a secret")
        }
        guard let authorization, Face.isSame(Bytes(authorization.utf8), Bytes("Bearer \(token)".utf8)) else {
            throw Refusal(
                .forbidden,
                "the token is missing or wrong: send Authorization: Bearer TOKEN, and make the token of the cluster's secret by printf 'raft-tui fault' | openssl dgst -sha256 -hmac SECRET",
                complaint: .wrongSecret)
        }
    }

    /// Compares in a time that doesn't tell how much of it was right.
    private static func isSame(_ given: Bytes, _ secret: Bytes) -> Bool {
        var difference: UInt8 = given.count == secret.count ? 0 : 1
        for (index, byte) in given.enumerated() { difference |= byte ^ secret[index % secret.count] }
        return difference == 0
    }

    private func present() async throws(Refusal) -> ServedStatus {
        guard let status = await node.status() else {
            throw Refusal.unavailable("\(node.id) is down: start it, or ask another")
        }
        return status
    }
}

extension NodeState {
    /// The index of the last entry of the log.
    fileprivate var last: UInt64 {
        log.reduce(base?.index.rawValue ?? 0) { $0 + UInt64($1.count) }
    }
}

extension ServedStatus {
    fileprivate func write(to text: inout MetricsText, node: NodeID) {
        text.one("raft_node", .gauge, "The server's number.", node.rawValue)
        text.one("raft_term", .gauge, "Its term.", term.rawValue)
        text.one("raft_is_voter", .gauge, "Whether its vote counts.", isVoter ? 1 : 0)
        text.one("raft_is_leader", .gauge, "Whether it leads.", state.role == .leader ? 1 : 0)
        text.one(
            "raft_leader", .gauge, "The leader, as far as it knows; 0 where nobody leads.", state.leader?.rawValue ?? 0)
        text.one("raft_commit_index", .gauge, "The last entry that is committed.", state.commit.rawValue)
        text.one("raft_applied_index", .gauge, "The last entry that was applied.", state.applied.rawValue)
        text.one("raft_last_index", .gauge, "The last entry of its log.", state.last)
        text.one("raft_durable_index", .gauge, "The last entry that is on its disk.", state.durable.rawValue)
        text.one("raft_snapshot_index", .gauge, "The last entry in its snapshot.", state.snapshot?.index.rawValue ?? 0)
        text.one("raft_members", .gauge, "Members of the cluster.", state.members?.members.count ?? 0)
        text.one("raft_keys", .gauge, "Keys in its store.", state.storeCount)
        text.one("raft_messages_sent_total", .counter, "Messages to other servers.", counters.messagesSent)
        text.one("raft_messages_received_total", .counter, "Messages from them.", counters.messagesReceived)
        text.one("raft_syncs_total", .counter, "Syncs of the log.", counters.syncs)
        text.one("raft_entries_written_total", .counter, "Entries that were written.", counters.entriesWritten)
        text.one("raft_elections_won_total", .counter, "Terms in which it became the leader.", counters.elections)
    }
}

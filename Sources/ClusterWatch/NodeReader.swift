import FoundationEssentials
import NIOCore
import RaftTrace

/// Reads what one node tells, for as long as it is let: a connection that breaks is tried again. Everything here runs on
/// one event loop.
final class NodeReader {
    private let address: NodeAddress
    private let client: HTTPClient
    private let inbox: Inbox
    private let source: Int
    private let decoder = JSONDecoder()
    /// The connection, while there is one.
    private var channel: (any Channel)?
    /// Tells an attempt from those before it: what comes of them late is nothing to it.
    private var attempt = 0
    private var isOver = false
    private var lastHeard = NIODeadline.now()
    /// Why the connection is about to be closed, where that is known better than by its end.
    private var verdict: News?

    /// How long after a failure a node is tried again, and how often it is looked whether one that is silent is there.
    static let pause = TimeAmount.milliseconds(500)
    /// How long a node may be silent before it is asked whether it is there.
    private static let silence = TimeAmount.milliseconds(1_500)

    init(_ source: Int, at address: NodeAddress, client: HTTPClient, inbox: Inbox) {
        (self.source, self.address, self.client, self.inbox) = (source, address, client, inbox)
    }

    /// Begins to read.
    func connect() {
        guard !isOver else { return }
        // Whoever looks is behind: what the node tells now would not find room.
        guard inbox.hasRoom else { return retry() }
        attempt += 1
        verdict = nil
        let (box, number) = (NIOLoopBound(self, eventLoop: client.loop), attempt)
        client.connect(to: address) { [address] in
            EventStreamReader(address) { step in box.value.take(step, of: number) }
        }.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.begin(channel, number)
            case .failure(let error): self.end(number, .lost(HTTPTrouble.reason(of: error)))
            }
        }
    }

    /// Ends for good.
    func stop() {
        isOver = true
        channel?.close(promise: nil)
    }

    private func begin(_ channel: any Channel, _ number: Int) {
        guard number == attempt, !isOver else { return channel.close(promise: nil) }
        self.channel = channel
        lastHeard = .now()
        watch(number)
    }

    private func take(_ step: EventStreamReader.Step, of number: Int) {
        guard number == attempt, !isOver else { return }
        lastHeard = .now()
        switch step {
        case .opened: inbox.put([(source, .reached)])
        case .heard(let records):
            var events: [(Int, News)] = []
            for record in records {
                guard let event = try? decoder.decode(Event.self, from: Data(record.data)) else {
                    return leave(.lost("it tells events that this raft-tui doesn't know: use the same version"))
                }
                events.append((source, .event(event)))
            }
            if !inbox.put(events) { leave(.skipped) }
        case .closed(let reason): end(number, verdict ?? .lost(reason))
        }
    }

    private func leave(_ verdict: News) {
        self.verdict = verdict
        channel?.close(promise: nil)
    }

    private func end(_ number: Int, _ news: News) {
        guard number == attempt, !isOver else { return }
        attempt += 1
        channel = nil
        inbox.put([(source, news)])
        retry()
    }

    private func retry() {
        client.loop.assumeIsolated().scheduleTask(in: NodeReader.pause) { self.connect() }
    }

    // MARK: - Silence

    /// Looks from time to time whether a node that says nothing is there: a process that was stopped keeps its
    /// connections.
    private func watch(_ number: Int) {
        client.loop.assumeIsolated().scheduleTask(in: NodeReader.pause) {
            guard number == self.attempt, !self.isOver else { return }
            guard .now() - self.lastHeard > NodeReader.silence else { return self.watch(number) }
            self.probe(number)
        }
    }

    private func probe(_ number: Int) {
        client.ask(HTTPClient.Question(target: "/status"), of: address, within: .seconds(1)).assumeIsolated()
            .whenComplete { result in
                guard number == self.attempt, !self.isOver else { return }
                switch result {
                case .success:
                    self.lastHeard = .now()
                    self.watch(number)
                case .failure(let error):
                    self.leave(.lost((error as? HTTPTrouble)?.reason ?? "\(error)"))
                }
            }
    }
}

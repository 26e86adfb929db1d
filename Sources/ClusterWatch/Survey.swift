import NIOCore
import NIOPosix
import RaftCore

/// What nodes say of themselves, asked once, all at a time.
public enum Survey {
    /// What came of asking a node.
    public enum Finding: Hashable, Sendable {
        /// It answered.
        case up(NodeStatus)
        /// Its process answered, but the node is down.
        case stopped(String)
        /// Nobody answered, for this reason.
        case down(String)

        /// What it says of itself.
        public var status: NodeStatus? { if case .up(let status) = self { status } else { nil } }
    }

    /// Asks every one of `addresses`, and waits until all have answered or too much time has passed.
    public static func ask(_ addresses: [NodeAddress]) -> [Finding] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        return (try? begin(addresses, on: group.next()).wait()) ?? []
    }

    /// The same, and keeps no thread waiting.
    public static func answers(of addresses: [NodeAddress]) async -> [Finding] {
        (try? await begin(addresses, on: MultiThreadedEventLoopGroup.singleton.next()).get()) ?? []
    }

    private static func begin(_ addresses: [NodeAddress], on loop: any EventLoop) -> EventLoopFuture<[Finding]> {
        let client = HTTPClient(loop: loop)
        let findings = addresses.map { address in
            client.ask(HTTPClient.Question(target: "/status"), of: address).map { Survey.finding(in: $0) }
                .recover { .down(($0 as? HTTPTrouble)?.reason ?? "\($0)") }
        }
        return EventLoopFuture.whenAllSucceed(findings, on: loop)
    }

    private static func finding(in answer: HTTPClient.Answer) -> Finding {
        if answer.status == 200, let status = NodeStatus(answer.body) { return .up(status) }
        if answer.status == 503 { return .stopped("the node is stopped, and its process answers") }
        return .down("what answers there is no node (HTTP \(answer.status))")
    }
}

import Glibc
import NIOCore
import NIOPosix
import RaftCore
import Synchronization

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
        return ask(addresses, with: HTTPClient(loop: group.next()))
    }

    /// Asks on a loop that is there already.
    static func ask(_ addresses: [NodeAddress], with client: HTTPClient) -> [Finding] {
        let futures = addresses.map { address in
            client.ask(HTTPClient.Question(target: "/status"), of: address).map { Survey.finding(in: $0) }
                .recover { .down(($0 as? HTTPTrouble)?.reason ?? "\($0)") }
        }
        return (try? EventLoopFuture.whenAllSucceed(futures, on: client.loop).wait()) ?? []
    }

    private static func finding(in answer: HTTPClient.Answer) -> Finding {
        if answer.status == 200, let status = NodeStatus(answer.body) { return .up(status) }
        if answer.status == 503 { return .stopped("the node is stopped, and its process answers") }
        return .down("what answers there is no node (HTTP \(answer.status))")
    }
}

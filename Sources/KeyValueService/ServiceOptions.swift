import Logging
import NIOCore
import NIOPosix

/// How a server is served to the world.
public struct ServiceOptions: Sendable {
    /// The address that it listens on.
    public var host: String
    /// The port; zero for any that is free.
    public var port: Int
    /// Further names by which it may be called, beside the address it listens on and this machine's own: a browser that
    /// was led here under a foreign name is turned away.
    public var names: [String]
    /// What whoever wants to disturb the cluster must send; `nil` where nobody may. It goes over the network as it is, and
    /// whoever reads it there can send it, too: it must not be the secret that keeps the nodes' connections.
    public var token: String?
    /// How much is borne.
    public var limits: ServiceLimits
    /// Where misbehaviour is told.
    public var logger: Logger
    /// The loops that connections live on.
    public var eventLoops: any EventLoopGroup

    /// These ways to be served.
    public init(
        host: String = "127.0.0.1", port: Int = 0, names: [String] = [], token: String? = nil,
        limits: ServiceLimits = ServiceLimits(), logger: Logger = Logger(label: "raft-tui.http"),
        eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.host = host
        self.port = port
        self.names = names
        self.token = token
        self.limits = limits
        self.logger = logger
        self.eventLoops = eventLoops
    }
}

/// How much of strangers is borne: each limit keeps one of them from using up what all need.
public struct ServiceLimits: Sendable {
    /// The largest body of a request.
    public var body = 1 << 20
    /// The longest command that disturbs the server.
    public var faultLine = 1_024
    /// The longest name under which a write is done once.
    public var idempotencyKey = 255
    /// Connections at a time, unless the process may have fewer; further ones wait until one is closed.
    public var connections = 2_048
    /// How long a connection may lie idle though there are as many as there may be.
    public var grace: Duration = .seconds(1)
    /// Those who read events, at a time.
    public var readers = 16
    /// Events that wait for a reader before he is given up.
    public var eventsBehind = 16_384
    /// About how many bytes they may be before he is given up.
    public var bytesBehind = 8 << 20
    /// How long a request may take to come in, from its first byte to its last.
    public var request: Duration = .seconds(30)
    /// How long an answer may make no way at all.
    public var answer: Duration = .seconds(30)
    /// How long a connection may lie idle between two requests.
    public var idle: Duration = .seconds(75)
    /// How long a connection that is about to be closed waits for the other end to do so first.
    public var linger: Duration = .seconds(2)
    /// How long requests that are under way have when the service ends.
    public var ending: Duration = .seconds(1)
    /// How often somebody who reads events is told that there were none.
    public var keepAlive: Duration = .seconds(15)
    /// How often one kind of misbehaviour is told.
    public var complaint: Duration = .seconds(60)

    /// The usual limits.
    public init() {}
}

/// Nobody can be served at an address.
public struct ListeningFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence, with the port.
    public let description: String
}

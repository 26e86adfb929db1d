import Glibc
import HummingbirdCore
import Logging
import NIOCore
import RaftNode

/// The HTTP face of one server: what curl, a browser and Prometheus see of it. What can be asked for stands in
/// ``Route``, what comes of it in the `Routes+….swift`; a `ConnectionGuard` stands before each connection.
public struct KeyValueService<Node: ServedNode>: Sendable {
    private let node: Node
    private let options: ServiceOptions

    /// The face of `node`.
    public init(node: Node, options: ServiceOptions = ServiceOptions()) {
        self.node = node
        self.options = options
    }

    /// Serves the server until the task is cancelled or told to shut down gracefully: then nobody listens any more,
    /// requests that are under way have a while (``ServiceLimits/ending``), and every connection is closed. May be
    /// called again when it has ended.
    ///
    /// - Parameter onListening: Told the port as soon as there is one.
    /// - Throws: ``ListeningFailure`` where nobody can be served at that address.
    public func run(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let face = Face(node: node, options: optionsHere())
        let (starts, start) = AsyncStream<Void>.makeStream()
        let server = Server(
            childChannelSetup: channels(for: face), configuration: configuration(for: face),
            onServerRunning: { channel in
                channel.closeFuture.whenComplete { _ in face.end(on: channel.eventLoop) }
                // A listener that was closed meanwhile has no need of it.
                try? await channel.pipeline.addHandler(AcceptingGuard(complaints: face.complaints), position: .first)
                start.yield()
                await onListening(channel.localAddress?.port ?? options.port)
            }, eventLoopGroup: options.eventLoops, logger: options.logger)
        // Not cancelled as we are: a server that is cancelled complains, and leaves requests unanswered.
        let serving = Task {
            defer { start.finish() }
            try await server.run()
        }
        do {
            try await withTaskCancellationHandler {
                try await serving.value
            } onCancel: {
                Task { await KeyValueService.end(server, serving, once: starts) }
            }
        } catch {
            throw listeningFailure(error)
        }
    }

    /// The options, with no more connections than this process may have open.
    private func optionsHere() -> ServiceOptions {
        let files = OpenFiles.allowMany()
        let most = OpenFiles.connectionsMax(of: files)
        guard most < options.limits.connections else { return options }
        options.logger.warning(
            "this process may have \(files) files open, so that HTTP has room for \(most) connections and not \(options.limits.connections): start it with a higher limit (ulimit -n)"
        )
        var options = options
        options.limits.connections = most
        return options
    }

    /// Ends a server as soon as it has started, and whatever still goes on after that.
    private static func end(
        _ server: Server<GuardedChannel>, _ serving: Task<Void, any Error>, once starts: AsyncStream<Void>
    ) async {
        var iterator = starts.makeAsyncIterator()
        guard await iterator.next() != nil else { return }
        try? await server.shutdownGracefully()
        serving.cancel()
    }

    private func channels(for face: Face<Node>) -> GuardedChannel {
        let http = HTTP1Channel { request, writer, channel in
            let response = try await face.respond(to: request, on: channel)
            try await writer.write(response: response.head, body: response.body)
        }
        return GuardedChannel(
            http: http, limits: face.limits, complaints: face.complaints, connections: face.connections)
    }

    private func configuration(for face: Face<Node>) -> ServerConfiguration {
        ServerConfiguration(
            address: .hostname(options.host, port: options.port), backlog: 1_024,
            availableConnectionsDelegate: ConnectionLimit(
                max: face.limits.connections, complaints: face.complaints, connections: face.connections))
    }

    private func listeningFailure(_ error: any Error) -> ListeningFailure {
        let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
        return ListeningFailure(
            description:
                "can't listen on port \(options.port) of \(options.host): \(reason.lowercased()): choose another port")
    }
}

import KeyValue
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import KeyValueService

/// A service that runs for a test.
struct Site: Sendable {
    let node: NodeDouble
    let port: Int
    let log: Log

    /// Serves a server while `body` runs.
    static func run(_ body: @Sendable (Site) async throws -> Void) async throws { try await run({ _ in }, body) }

    /// The same with other options.
    static func run(
        _ change: (inout ServiceOptions) -> Void, _ body: @Sendable (Site) async throws -> Void
    ) async throws {
        let (node, log) = (NodeDouble(), Log())
        var options = ServiceOptions(logger: Logger(label: "test") { _ in log })
        change(&options)
        let service = KeyValueService(node: node, options: options)
        let (ports, port) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { port.finish() }
                try await service.run { port.yield($0) }
            }
            for await port in ports {
                try await body(Site(node: node, port: port, log: log))
                break
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    /// Asks over a connection of its own.
    func ask(
        _ method: String, _ path: String, _ headers: [String] = [], body: String = ""
    ) async throws -> Answer {
        try await ask(method, path, headers, body: Bytes(body.utf8))
    }

    /// The same with any bytes.
    func ask(_ method: String, _ path: String, _ headers: [String] = [], body: Bytes) async throws -> Answer {
        let wire = try await Wire.connect(port)
        defer { wire.close() }
        let named =
            headers.contains { $0.lowercased().hasPrefix("host:") } ? headers : ["Host: localhost:\(port)"] + headers
        let lines =
            ["\(method) \(path) HTTP/1.1"] + named + ["Content-Length: \(body.count)", "Connection: close", "", ""]
        try await wire.send(Bytes(lines.joined(separator: "\r\n").utf8) + body)
        return try await wire.answer()
    }
}

/// What a service answered.
struct Answer: Sendable {
    var code: Int
    var headers: [String: String]
    var body: Bytes

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A connection on which anything can be sent.
final class Wire: Sendable {
    private struct State {
        var bytes: Bytes = []
        var isClosed = false
        var waiters: [(isDone: @Sendable (Bytes, Bool) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let channel: any Channel
    private let state: StateBox

    private final class StateBox: Sendable {
        let value = Mutex(State())

        func change(_ change: (inout State) -> Void) {
            let done = value.withLock { state -> [CheckedContinuation<Void, Never>] in
                change(&state)
                let done = state.waiters.filter { $0.isDone(state.bytes, state.isClosed) }.map(\.continuation)
                state.waiters.removeAll { $0.isDone(state.bytes, state.isClosed) }
                return done
            }
            for continuation in done { continuation.resume() }
        }
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let state: StateBox
        init(_ state: StateBox) { self.state = state }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            state.change { $0.bytes += buffer.readableBytesView }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { state.change { $0.isClosed = true } }
        }

        func channelInactive(context: ChannelHandlerContext) { state.change { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private init(_ channel: any Channel, _ state: StateBox) {
        self.channel = channel
        self.state = state
    }

    static func connect(_ port: Int, reads: Bool = true) async throws -> Wire {
        let state = StateBox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(state))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return Wire(channel, state)
    }

    func send(_ bytes: Bytes) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }
    func send(_ text: String) async throws { try await send(Bytes(text.utf8)) }

    /// Sends what may not arrive.
    func push(_ bytes: Bytes) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func close() { channel.close(promise: nil) }
    func finish() async throws { try await channel.close(mode: .output).get() }

    /// Waits until what came, or that nothing more will come, is enough.
    func until(_ isDone: @escaping @Sendable (Bytes, Bool) -> Bool) async {
        await withCheckedContinuation { continuation in
            state.change { $0.waiters.append((isDone, continuation)) }
        }
    }

    /// What came until the other end closed.
    func rest() async -> String {
        await until { $1 }
        return state.value.withLock { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// What came until it holds `text`.
    @discardableResult
    func until(_ text: String) async throws -> String {
        // By bytes: a carriage return and a newline are one character.
        let wanted = Bytes(text.utf8)
        await until { bytes, isClosed in isClosed || bytes.contains(wanted) }
        let bytes = state.value.withLock { $0.bytes }
        let all = String(decoding: bytes, as: UTF8.self)
        try #require(bytes.contains(wanted), "'\(all)' ended without '\(text)'")
        return all
    }

    /// The next answer; what follows it stays.
    func answer(hasBody: Bool = true) async throws -> Answer {
        await until { bytes, isClosed in isClosed || Wire.answer(in: bytes, hasBody: hasBody) != nil }
        let answer = state.value.withLock { state -> Answer? in
            guard let (answer, length) = Wire.answer(in: state.bytes, hasBody: hasBody) else { return nil }
            state.bytes.removeFirst(length)
            return answer
        }
        return try #require(answer, "the connection was closed without an answer")
    }

    private static func answer(in bytes: Bytes, hasBody: Bool) -> (Answer, Int)? {
        guard let end = bytes.firstRange(of: Bytes("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let code = lines.first.flatMap({ Int($0.split(separator: " ")[1]) }) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ": ", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1]) : ""
        }
        let length = hasBody ? headers["content-length"].flatMap { Int($0) } ?? 0 : 0
        guard bytes.count >= end.upperBound + length else { return nil }
        return (
            Answer(code: code, headers: headers, body: Bytes(bytes[end.upperBound...].prefix(length))),
            end.upperBound + length
        )
    }
}

/// A log that is kept, and can be waited for.
struct Log: LogHandler {
    private final class Lines: Sendable {
        let state = Mutex<(texts: [String], waiters: [(line: String, continuation: CheckedContinuation<Void, Never>)])>(
            ([], []))

        func change(_ change: (inout [String]) -> Void) {
            let done = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                change(&state.texts)
                let texts = state.texts
                let done = state.waiters.filter { texts.contains($0.line) }
                state.waiters.removeAll { texts.contains($0.line) }
                return done.map(\.continuation)
            }
            for continuation in done { continuation.resume() }
        }

        func wait(_ line: String, _ continuation: CheckedContinuation<Void, Never>) {
            state.withLock { $0.waiters.append((line, continuation)) }
            change { _ in }
        }
    }

    private let lines = Lines()
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.warning

    var texts: [String] { lines.state.withLock { $0.texts } }

    /// Waits for a line.
    func until(_ line: String) async {
        await withCheckedContinuation { continuation in lines.wait(line, continuation) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.change { $0.append("\(event.message)") } }
}

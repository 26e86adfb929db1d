import Glibc
import KeyValueService
import RaftNode
import Synchronization

/// A server's HTTP face at work, while the main thread does something else.
final class ServiceTask<Node: ServedNode>: Sendable {
    private let service: KeyValueService<Node>
    private let host: String
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let end = Completion<Void>()

    /// The face of `node`, which is not served yet.
    init(_ node: Node, options: ServiceOptions) {
        service = KeyValueService(node: node, options: options)
        host = options.host.contains(":") ? "[\(options.host)]" : options.host
    }

    /// Begins to serve.
    ///
    /// - Returns: Where, as `host:port`.
    /// - Throws: ``Failure`` where nobody can be served there.
    func start() throws -> String {
        let listening = Completion<Result<Int, Failure>>()
        let running = Task { [service, end] in
            do {
                try await service.run { listening.fill(.success($0)) }
            } catch {
                listening.fill(.failure(Failure("\(error)")))
            }
            end.fill(())
        }
        task.withLock { $0 = running }
        return "\(host):\(try listening.wait().get())"
    }

    /// Ends serving. Returns when the port is free.
    func stop() {
        task.withLock { $0 }?.cancel()
        end.wait()
    }
}

/// A value that somebody waits for, and that comes once.
final class Completion<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let ends: (reader: Int32, writer: Int32)

    init() {
        var pair: [Int32] = [-1, -1]
        let result = pipe(&pair)
        precondition(result == 0, "no pipe to be had: \(String(cString: strerror(errno)))")
        ends = (pair[0], pair[1])
    }

    deinit {
        close(ends.reader)
        close(ends.writer)
    }

    /// Brings the value, unless there is one.
    func fill(_ new: Value) {
        let isFirst = value.withLock { value in
            guard value == nil else { return false }
            value = new
            return true
        }
        var byte: UInt8 = 1
        if isFirst { _ = write(ends.writer, &byte, 1) }
    }

    /// Waits for the value.
    func wait() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            var request = pollfd(fd: ends.reader, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, -1)
        }
    }
}

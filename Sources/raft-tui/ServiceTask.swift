import Glibc
import KeyValueService
import Laboratory
import RaftNode
import Synchronization

/// A server's HTTP face at work, while the main thread does something else.
final class ServiceTask<Node: ServedNode>: Sendable {
    private let service: KeyValueService<Node>
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let end = Completion<Void>()

    /// The face of `node`, which is not served yet.
    init(_ node: Node, options: ServiceOptions) {
        service = KeyValueService(node: node, options: options)
    }

    /// Begins to serve.
    ///
    /// - Returns: On which port.
    /// - Throws: ``Failure`` where nobody can be served there.
    func start() throws -> Int {
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
        return try listening.wait().get()
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
    private let pipe = WakingPipe()

    /// Brings the value, unless there is one.
    func fill(_ new: Value) {
        value.withLock { $0 = $0 ?? new }
        pipe.wake()
    }

    /// Waits for the value.
    func wait() -> Value {
        while true {
            if let value = value.withLock({ $0 }) { return value }
            var request = pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&request, 1, -1)
        }
    }
}

import KeyValue
import RaftCore
import RaftTrace

/// What the clients of a correct store ask and are answered, from a seed: calls that overlap, and a few of which nobody
/// learns what became of them.
struct History {
    private(set) var events: [Event.Kind] = []
    private(set) var unknownCalls = 0
    private var random: Generator
    private var store = Store()
    private var clients: [Client]
    private var now: UInt64 = 0
    private var called: UInt64 = 0
    /// Writes that nobody knows of and that take effect yet.
    private var late: [(at: UInt64, operation: Operation)] = []
    private let keys: UInt64

    private struct Client {
        var next: UInt64
        var step = Step.idle
        /// What it saw last of each key: what a comparison may hope to find.
        var seen: [Bytes: Bytes] = [:]

        enum Step {
            case idle
            case asked(ClientCall)
            case answered(ClientCall, ClientResult)
        }
    }

    private static let messageTime: UInt64 = 20
    private static let thinkingTime: UInt64 = 10
    /// One call in so many is never answered.
    private static let unknownShare: UInt64 = 400

    init(seed: UInt64, operations: UInt64, keys: UInt64, clients count: Int) {
        random = Generator(seed: seed)
        self.keys = keys
        clients = (0..<count).map { Client(next: UInt64($0)) }
        while let place = clients.indices.min(by: { clients[$0].next < clients[$1].next }), clients[place].next < .max {
            now = clients[place].next
            takeLateEffects()
            step(place, isOver: called == operations)
        }
    }

    private mutating func step(_ place: Int, isOver: Bool) {
        switch clients[place].step {
        case .idle:
            guard !isOver else { return clients[place].next = .max }
            called += 1
            let call = ClientCall(client: "c\(place + 1)", call: called, request: request(of: place))
            events.append(.called(call))
            clients[place].step = .asked(call)
            clients[place].next = now + 1 + random.below(History.messageTime)
        case .asked(let call):
            clients[place].step = .answered(call, result(of: call.request))
            clients[place].next = now + 1 + random.below(History.messageTime)
        case .answered(let call, let result):
            events.append(.returned(ClientReturn(client: call.client, call: call.call, result: result)))
            if case .value(let value) = result { clients[place].seen[call.request.key] = value }
            clients[place].step = .idle
            clients[place].next = now + 1 + random.below(History.thinkingTime)
        }
    }

    private mutating func request(of place: Int) -> Request {
        // Some keys are asked for more often than others.
        let key = Bytes("k\(min(random.below(keys), random.below(keys)))".utf8)
        // No two calls write the same value, whatever is added to it.
        let value = Bytes("\(called * 1_000_000)".utf8)
        switch random.below(10) {
        case 0..<4: return .get(key: key, .readindex)
        case 4..<6: return .write(.set(key: key, value: value))
        case 6, 7:
            return .write(.compareAndSet(key: key, old: clients[place].seen[key] ?? Bytes("?".utf8), new: value))
        case 8: return .write(.increment(key: key, by: 1))
        default: return .write(.delete(key: key))
        }
    }

    /// Lets a call take effect, and answers what it is told.
    private mutating func result(of request: Request) -> ClientResult {
        guard case .write(let operation) = request else {
            return store[request.key].map { .value($0) } ?? .notFound
        }
        guard random.below(History.unknownShare) == 0 else { return ClientResult(store.apply(operation)) }
        unknownCalls += 1
        switch random.below(3) {
        case 0: break
        case 1: _ = store.apply(operation)
        default: late.append((now + random.below(1_000), operation))
        }
        return .unknown
    }

    private mutating func takeLateEffects() {
        for place in late.indices.reversed() where late[place].at <= now {
            _ = store.apply(late.remove(at: place).operation)
        }
    }
}

extension History {
    /// The same history in which one read is answered what was overwritten before it began; `nil` where it has none.
    func withStaleRead() -> [Event.Kind]? {
        var open: [UInt64: (call: ClientCall, begin: Int, stale: Bytes?)] = [:]
        var sets: [Bytes: (value: Bytes, end: Int)] = [:]
        var overwritten: [Bytes: Bytes] = [:]
        for (place, event) in events.enumerated() {
            if case .called(let call) = event {
                let stale = call.request.isRead && place > events.count * 3 / 4 ? overwritten[call.request.key] : nil
                open[call.call] = (call, place, stale)
            }
            guard case .returned(var answer) = event, let known = open.removeValue(forKey: answer.call) else {
                continue
            }
            if let stale = known.stale, answer.result != .value(stale) {
                var changed = events
                answer.result = .value(stale)
                changed[place] = .returned(answer)
                return changed
            }
            guard case .write(.set(let key, let value)) = known.call.request, answer.result == .ok else { continue }
            // The one before it had ended when it began, and it has ended now.
            if let before = sets[key], before.end < known.begin { overwritten[key] = before.value }
            sets[key] = (value, place)
        }
        return nil
    }
}

extension Request {
    /// The key that it is about.
    fileprivate var key: Bytes {
        switch self {
        case .write(let operation): operation.key
        case .get(let key, _), .keys(let key, _): key
        }
    }
}

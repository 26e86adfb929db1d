import Laboratory
import RaftTrace
import Synchronization

/// What the network has to say of a node.
enum News: Sendable {
    /// It tells its events from here on.
    case reached
    /// This has happened there.
    case event(Event)
    /// It can't be reached any more, or still can't.
    case lost(String)
    /// It told more than there was room for, and is asked anew.
    case skipped
}

/// The way of news from the event loops to the thread that shows them, which never waits for them. There is room for so
/// many.
final class Inbox: Sendable {
    private let items = Mutex<[(source: Int, news: News)]>([])
    private let answers = Mutex<[Answer]>([])
    private let pipe = WakingPipe()

    /// How much may wait.
    static let roomMax = 50_000

    /// What came of something that was asked of the cluster.
    enum Answer: Sendable {
        /// A client's call has ended.
        case call(UInt64, ClientResult)
        /// A node was told to do something, and this is why it doesn't; `nil` where it does.
        case order(Int, refusal: String?)
    }

    /// A descriptor that can be read from when there is something to take.
    var descriptor: Int32 { pipe.descriptor }

    /// Whether a node that begins to tell would find room.
    var hasRoom: Bool { items.withLock { $0.count < Inbox.roomMax / 2 } }

    /// Puts news in. Events for which there is no room are left out; how the nodes are never is.
    ///
    /// - Returns: Whether there was room.
    @discardableResult
    func put(_ news: [(Int, News)]) -> Bool {
        let (wasEmpty, hadRoom) = items.withLock { items in
            let wasEmpty = items.isEmpty
            let isFull = items.count + news.count > Inbox.roomMax
            for (source, news) in news {
                if isFull, case .event = news { continue }
                items.append((source, news))
            }
            return (wasEmpty, !isFull)
        }
        if wasEmpty { pipe.wake() }
        return hadRoom
    }

    /// Puts an answer in.
    func put(_ answer: Answer) {
        answers.withLock { $0.append(answer) }
        pipe.wake()
    }

    /// Everything that is there, in the order in which it came.
    func take() -> (news: [(source: Int, news: News)], answers: [Answer]) {
        // First the signals: what comes from here on signals again.
        pipe.acknowledge()
        let news = items.withLock { items in
            defer { items = [] }
            return items
        }
        let taken = answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
        return (news, taken)
    }
}

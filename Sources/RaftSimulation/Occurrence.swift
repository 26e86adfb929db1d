import RaftCore
import RaftNode
import RaftTrace

/// Something that will happen in a simulated world.
struct Occurrence: Comparable, Sendable {
    let at: Instant
    /// Which of those of the same moment comes first.
    let order: UInt64
    let kind: Kind

    enum Kind: Sendable {
        /// A message arrives.
        case delivery(Message, number: UInt64)
        /// A message that waits on a link may be due.
        case link(Picture.LinkID)
        /// A server wants to be woken.
        case wake(server: Int, life: UInt64)
        /// A server's disk has synced.
        case synced(server: Int, life: UInt64, write: WriteNumber)
        /// A server's snapshot is written.
        case snapshotWritten(server: Int, life: UInt64)
        /// A server's snapshot is read, to be sent to others.
        case snapshotRead(server: Int, life: UInt64)
        /// A client's request arrives.
        case request(ClientRequest, server: Int, client: Int)
        /// A server handles the requests that have come.
        case requests(server: Int, life: UInt64)
        /// A reply arrives at its client.
        case reply(Reply, client: Int)
        /// A client wants to be woken, or to begin its next call.
        case client(Int)
        /// Writes of the load may be due.
        case load
        /// Somebody was elected, and may be told to change the members.
        case elected(server: Int)
        /// Something goes wrong.
        case fault
        /// A server that was paused goes on, or a disk is well again.
        case mend(server: Int, life: UInt64)
        /// A server that is down starts again.
        case revival(server: Int)

        /// Whether it takes no time of the cluster's, so that it goes on while the clock stands still: what is between
        /// sockets, disks and clients.
        var isTimeless: Bool {
            switch self {
            case .delivery, .synced, .snapshotWritten, .snapshotRead, .request, .requests, .reply: true
            case .link, .wake, .client, .load, .elected, .fault, .mend, .revival: false
            }
        }
    }

    static func == (one: Occurrence, other: Occurrence) -> Bool { one.order == other.order }

    static func < (one: Occurrence, other: Occurrence) -> Bool {
        (one.at, one.order) < (other.at, other.order)
    }
}

import RaftNode
import RaftTrace

/// Where a server's answers go. Those of one turn that have the same way come together.
final class ReplyChannel: Sendable {
    /// Takes answers, on the server's loop.
    let deliver: @Sendable ([Reply]) -> Void

    init(_ deliver: @escaping @Sendable ([Reply]) -> Void) { self.deliver = deliver }
}

/// The requests that wait at a server, and who is to be answered.
///
/// Askers number their requests as they like. Here each gets a number of its own that says where it stands, so that its
/// answer finds it without a search.
struct WaitingRequests {
    private struct Place {
        /// Who waits; `nil` where nobody does.
        var channel: ReplyChannel?
        /// The asker's number.
        var id: RequestID = 0
        /// How often the place was taken: an answer to an earlier request is nothing to the present one.
        var uses: UInt32 = 0
    }

    private var places: [Place] = []
    private var free: [UInt32] = []

    /// Keeps a request. Answers the number by which its answer is found.
    mutating func add(_ id: RequestID, _ channel: ReplyChannel) -> RequestID {
        let place: UInt32
        if let last = free.popLast() {
            place = last
        } else {
            place = UInt32(places.count)
            places.append(Place())
        }
        let uses = places[Int(place)].uses &+ 1
        places[Int(place)] = Place(channel: channel, id: id, uses: uses)
        return UInt64(uses) << 32 | UInt64(place)
    }

    /// Takes a request out: who waits, and the number by which he knows it; `nil` where it was taken out before.
    mutating func remove(_ number: RequestID) -> (channel: ReplyChannel, id: RequestID)? {
        let place = Int(number & 0xffff_ffff)
        guard place < places.count, places[place].uses == number >> 32, let channel = places[place].channel else {
            return nil
        }
        places[place].channel = nil
        free.append(UInt32(place))
        return (channel, places[place].id)
    }

    /// The numbers of all that wait.
    var numbers: [RequestID] {
        places.indices.filter { places[$0].channel != nil }.map { UInt64(places[$0].uses) << 32 | UInt64($0) }
    }
}

/// The answers of one turn, by where they go.
struct Replies {
    private(set) var batches: [(channel: ReplyChannel, replies: [Reply])] = []

    var isEmpty: Bool { batches.isEmpty }

    mutating func append(_ reply: Reply, to channel: ReplyChannel) {
        if let last = batches.indices.last, batches[last].channel === channel {
            batches[last].replies.append(reply)
        } else {
            batches.append((channel, [reply]))
        }
    }

    /// Nobody can say any more what became of these requests.
    mutating func forget() {
        for place in batches.indices {
            batches[place].replies = batches[place].replies.map { Reply(id: $0.id, result: .unknown) }
        }
    }

    /// Sends them on their ways.
    func deliver() {
        for (channel, replies) in batches { channel.deliver(replies) }
    }
}

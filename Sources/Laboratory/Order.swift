import RaftCore
import RaftTrace

/// What a laboratory has to do about a command, a step at a time. It is known to make sense: what can't be done was
/// refused before there was an order.
public enum Order: Hashable, Sendable {
    /// A server starts from its disk.
    case start(NodeID)
    /// A server stops, as a crash of this kind does.
    case stop(NodeID, CrashKind)
    /// The disk that was wiped last is brought back to a server.
    case unwipe(NodeID)
    /// A server freezes, with its memory and its connections.
    case pause(NodeID)
    /// A server goes on after a pause.
    case resume(NodeID)
    /// A server campaigns, as if told to by a leader.
    case campaign(NodeID)
    /// A server takes a snapshot.
    case snapshot(NodeID)
    /// A server is made that wasn't there before.
    case create(NodeID)
    /// A server that leads makes others members, and some none any more.
    case members(NodeID, adding: NodeSet, removing: NodeSet)
    /// A server that leads hands over to another.
    case transfer(NodeID, to: NodeID)
    /// A server's election timer doesn't run out any more, or does again.
    case holdTimer(NodeID, Bool)
    /// A server's election timer runs out at this moment.
    case setTimer(NodeID, Instant)
    /// A server's disk works so from now on.
    case disk(NodeID, DiskCondition)
    /// A link changes.
    case link(Picture.LinkID, LinkChange)
    /// Something is done with messages that wait on a link.
    case messages(MessageAction, Picture.LinkID, LinkMessages)
    /// The clock goes at this rate from now on; at none, it stands still.
    case clock(rate: Double)
    /// So many things happen that are due, one after the other; the clock, which stands still, goes on to each of them.
    case step(Int)
    /// The servers follow these settings from now on.
    case settings(Settings)
    /// Clients write steadily from now on; none does, where there is no load.
    case load(Load?)
    /// A client asks.
    case call(ClientCommand, via: NodeID?)
    /// Every server is stopped, every disk taken away, and the same cluster starts anew.
    case restart
}

/// What can be done to a link, one way.
public enum LinkChange: Hashable, Sendable {
    /// Nothing gets through any more; what is on its way is lost.
    case cut
    /// It is whole again.
    case heal
    /// Messages take so long.
    case latency(ClosedRange<Interval>)
    /// This share of messages is lost, from 0 to 1.
    case loss(Double)
    /// Messages wait until somebody says otherwise.
    case hold
    /// Messages that wait go on, and later ones don't wait.
    case release
}

/// Which of the messages that wait on a link are meant.
public enum LinkMessages: Hashable, Sendable {
    /// The one of this number.
    case numbered(UInt64)
    /// So many, the oldest first.
    case oldest(Int)
}

extension LinkState {
    /// The link after a change.
    public mutating func apply(_ change: LinkChange) {
        switch change {
        case .cut: isCut = true
        case .heal: isCut = false
        case .latency(let range): (latencyMin, latencyMax) = (range.lowerBound, range.upperBound)
        case .loss(let share): loss = share
        case .hold: isHeld = true
        case .release: isHeld = false
        }
    }
}

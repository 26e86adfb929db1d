import Glibc
import NIOCore
import NIOPosix

/// Closes a connection whose other end can't be reached: for a while nothing that was sent there has been acknowledged.
///
/// The system by itself sends again for a quarter of an hour, each time after twice as long, so that a network that was
/// gone for a minute would be of no use for most of another. Acknowledgements come from the system at the other end, not
/// from the process there: one that is paused, stopped or busy is not cut off, however long it reads nothing.
///
/// It looks now and then for as long as an acknowledgement is owed: a cluster that says nothing takes no time.
final class SilenceWatch: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    /// How long the other end may acknowledge nothing, in real time.
    static let silenceMax = TimeAmount.seconds(2)
    private static let pause = TimeAmount.milliseconds(500)

    private let onSilence: () -> Void
    private var silence = Silence(max: SilenceWatch.silenceMax)
    private var nextLook: Scheduled<Void>?

    /// - Parameter onSilence: Called right before such a connection is closed.
    init(onSilence: @escaping () -> Void = {}) { self.onSilence = onSilence }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        if nextLook == nil { scheduleLook(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        nextLook?.cancel()
        context.fireChannelInactive()
    }

    private func scheduleLook(_ context: ChannelHandlerContext) {
        let box = NIOLoopBound((watch: self, context: context), eventLoop: context.eventLoop)
        nextLook = context.eventLoop.scheduleTask(in: SilenceWatch.pause) { box.value.watch.look(box.value.context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        guard let socket = context.channel as? any SocketOptionProvider else { return }
        let box = NIOLoopBound((watch: self, context: context), eventLoop: context.eventLoop)
        socket.getTCPInfo().whenSuccess { info in
            let watch = box.value.watch
            let known = Acknowledgements(info)
            guard watch.silence.isOver(known, at: .now()) else {
                watch.nextLook = nil
                if known.isOwed { watch.scheduleLook(box.value.context) }
                return
            }
            watch.onSilence()
            // What is still under way must not arrive after what will be said on the next connection.
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
                box.value.context.close(promise: nil)
            }
        }
    }
}

/// What the system knows of the acknowledgements on a connection.
struct Acknowledgements {
    /// Whether the other end owes one.
    var isOwed: Bool
    /// How long ago the last one came.
    var age: TimeAmount

    init(isOwed: Bool, age: TimeAmount) {
        self.isOwed = isOwed
        self.age = age
    }

    /// What the system says. An end that has no room for more is only asked whether it has room again, ever less often;
    /// one such question may get lost.
    init(_ info: tcp_info) {
        isOwed = info.tcpi_unacked > 0 || info.tcpi_probes > 1
        age = .milliseconds(Int64(info.tcpi_last_ack_recv))
    }
}

/// How long the other end of a connection has owed an acknowledgement without sending any.
struct Silence {
    private let max: TimeAmount
    private var since: NIODeadline?

    init(max: TimeAmount) { self.max = max }

    /// Takes what is known at `now`. Answers whether it has lasted too long.
    mutating func isOver(_ known: Acknowledgements, at now: NIODeadline) -> Bool {
        guard known.isOwed else {
            since = nil
            return false
        }
        // The last one may have come before this one was owed, or after that was seen first.
        let start = Swift.max(since ?? now, now - known.age)
        since = start
        return now - start >= max
    }
}

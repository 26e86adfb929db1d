import RaftCore
import RaftTrace

/// The calls of the prompt, which the nodes that they are made to tell, too: shown once, they are told as the prompt's.
struct OwnCalls: Sendable {
    private struct Call: Sendable {
        var number: UInt64
        var client: String
        /// What was asked, as nodes tell it.
        var request: Request
        var began: Instant
        var ended: Instant?
        /// The nodes that have told it.
        var tellers = NodeSet()
    }

    private var calls: [Call] = []
    /// The numbers of the calls that nodes have told, whose ends aren't shown either.
    private var hidden: Set<UInt64> = []

    /// Clocks of one machine agree; this much is for those that don't quite.
    private static let tolerance = Interval.milliseconds(20)
    /// How long after its end a call may still be told.
    private static let memory = Interval.seconds(5)

    /// Whether any call waits for its answer.
    var areOpen: Bool { calls.contains { $0.ended == nil } }

    /// The client whose call it is, while that is open.
    func client(of number: UInt64) -> String? { calls.first { $0.number == number && $0.ended == nil }?.client }

    /// A call begins.
    mutating func begin(_ call: ClientCall, at now: Instant) {
        calls.removeAll { $0.ended.map { $0 + OwnCalls.memory < now } ?? false }
        calls.append(Call(number: call.call, client: call.client, request: call.request.abridged, began: now))
    }

    /// A call ends.
    mutating func end(_ number: UInt64, at now: Instant) {
        guard let place = calls.firstIndex(where: { $0.number == number }) else { return }
        calls[place].ended = now
    }

    /// Whether what a node tells is the prompt's own call, or its end.
    mutating func isOwn(_ kind: Event.Kind, at moment: Instant) -> Bool {
        switch kind {
        case .called(let call):
            // A process numbers calls from its node's number on.
            guard let teller = NodeID(rawValue: UInt8(truncatingIfNeeded: call.call >> 48)) else { return false }
            let place = calls.firstIndex {
                $0.request == call.request && !$0.tellers.contains(teller) && $0.began - OwnCalls.tolerance <= moment
                    && moment <= ($0.ended ?? moment) + OwnCalls.tolerance
            }
            guard let place else { return false }
            calls[place].tellers.insert(teller)
            hidden.insert(call.call)
            return true
        case .returned(let answer): return hidden.remove(answer.call) != nil
        default: return false
        }
    }
}

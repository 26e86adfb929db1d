import DequeModule
import KeyValue
import RaftCore
import RaftTrace

/// Holds what clients are told to linearizability, key by key.
///
/// A call is looked at when every call that began before it has ended, so that its answer is known; calls without an
/// answer hold the others up for as long as their client's patience lasts.
public struct ClientAudit: Sendable {
    /// What doesn't hold, in the order in which it was seen.
    public private(set) var findings: [Finding] = []
    /// How many calls couldn't be judged: reads of several keys, and keys with too much open at once.
    public private(set) var unchecked = 0
    /// Whether the cluster ran before anybody watched it: what its store holds, and who else asks, nobody knows.
    public private(set) var isMidway = false
    /// How many calls were judged.
    public private(set) var checked = 0

    private var waiting = Deque<Step>()
    private var calls: [UInt64: Call] = [:]
    private var keys: [Bytes: KeyHistory] = [:]
    private var broken: Set<Bytes> = []
    /// The servers that have started since the cluster began, and whether all had nothing in their logs then.
    private var started = NodeSet()
    private var isStoreKnown = true
    private var lastWrites: [String: UInt64] = [:]
    /// The read that was answered last, and the one that was judged last, with its verdict.
    private var lastRead: UInt64?
    private var judgedRead: (call: UInt64, isStale: Bool)?

    /// The largest number of findings that are kept.
    public static let findingsMax = 20

    private struct Step: Sendable {
        var call: UInt64
        var isEnd: Bool
        var sequence: UInt64
    }

    private struct Call: Sendable {
        var call: ClientCall
        var result: ClientResult?
        var hasEnded = false
        var slot: Int?
        /// The call that this one makes again.
        var original: UInt64?

        /// What the call may have left behind in the store.
        var trace: Trace {
            guard let result else { return call.request.isRead ? .none : .maybe }
            if result.isAnswer { return .certain(result) }
            return result == .unknown && !call.request.isRead ? .maybe : .none
        }

        var isForgettable: Bool { hasEnded && slot == nil }
    }

    private enum Trace {
        /// It was certainly not done, or changed nothing that anyone was told of.
        case none
        /// Nobody knows.
        case maybe
        /// It was done, and answered so.
        case certain(ClientResult)
    }

    /// An audit that has seen nothing yet.
    public init() {}

    /// Takes note of an event.
    public mutating func take(_ kind: Event.Kind, sequence: UInt64) {
        if isMidway, !kind.isBeginning {
            if case .returned = kind { unchecked += 1 }
            return
        }
        switch kind {
        case .began(let began):
            self = ClientAudit()
            // What was before counts as one thing that nobody has checked.
            if began.running != nil { (isMidway, unchecked) = (true, 1) }
        case .called(let call):
            calls[call.call] = Call(call: call)
            waiting.append(Step(call: call.call, isEnd: false, sequence: sequence))
            return
        case .returned(let answer):
            guard calls[answer.call] != nil else { return }
            calls[answer.call]?.result = answer.result
            calls[answer.call]?.hasEnded = true
            if calls[answer.call]?.call.request.isRead == true { lastRead = answer.call }
            waiting.append(Step(call: answer.call, isEnd: true, sequence: sequence))
            advance(isOver: false)
        case .node(let node, _, .started(let start)):
            guard !started.contains(node) else { return }
            started.insert(node)
            if !start.log.isEmpty { isStoreKnown = false }
        default: return
        }
    }

    /// There is nothing more to come: calls that are still open will never be answered.
    public mutating func finish() { advance(isOver: true) }

    /// Whether the read that was answered last missed a write that was acknowledged before it began. Calls that are still
    /// open are taken to have had any effect or none.
    public var isLastReadStale: Bool {
        guard let lastRead else { return false }
        guard let judged = finished.judgedRead, judged.call == lastRead else { return false }
        return judged.isStale
    }

    /// This audit with nothing more to come.
    public var finished: ClientAudit {
        guard !waiting.isEmpty else { return self }
        var copy = self
        copy.finish()
        return copy
    }

    private mutating func advance(isOver: Bool) {
        while let step = waiting.first {
            guard let call = calls[step.call] else {
                waiting.removeFirst()
                continue
            }
            if !step.isEnd, !call.hasEnded, !isOver { return }
            waiting.removeFirst()
            if step.isEnd { end(call, sequence: step.sequence) } else { begin(call) }
        }
    }

    private mutating func begin(_ call: Call) {
        let request = call.call.request
        guard let key = request.singleKey else { return unchecked += 1 }
        let number = call.call.call
        if !request.isRead {
            if call.call.isRetry, let original = lastWrites[call.call.client], let first = calls[original],
                first.original != nil || first.slot != nil || first.result?.isAnswer == true
            {
                calls[number]?.original = original
                return
            }
            // A write that was refused left nothing behind, so that this one is the first of its number.
            if let old = lastWrites[call.call.client] { letGo(old) }
            lastWrites[call.call.client] = number
        }
        switch call.trace {
        case .none: break
        case .maybe:
            calls[number]?.slot = keys[key, default: KeyHistory(isKnown: isStoreKnown)].begin(request, result: nil)
        case .certain(let result):
            calls[number]?.slot = keys[key, default: KeyHistory(isKnown: isStoreKnown)].begin(request, result: result)
        }
    }

    /// A client's write will not be made again, for there is a later one.
    private mutating func letGo(_ number: UInt64) {
        guard let call = calls[number] else { return }
        if call.isForgettable { calls[number] = nil }
        guard case .maybe = call.trace, let slot = call.slot, let key = call.call.request.singleKey else { return }
        keys[key]?.settle(slot)
    }

    private mutating func end(_ call: Call, sequence: UInt64) {
        let number = call.call.call
        guard let key = call.call.request.singleKey, let result = call.result else {
            calls[number] = nil
            return
        }
        if let original = call.original { return endRetry(call, of: original, result, sequence) }
        if let slot = calls[number]?.slot, result.isAnswer {
            checkEnd(of: slot, key, call, result, sequence)
            calls[number]?.slot = nil
        }
        // A client's last write is kept, for it may be made again.
        if lastWrites[call.call.client] != number || call.call.request.isRead { calls[number] = nil }
    }

    /// A write that was made again under the same number has the effect and the answer of the first (thesis §6.3).
    private mutating func endRetry(_ call: Call, of original: UInt64, _ result: ClientResult, _ sequence: UInt64) {
        defer { calls[call.call.call] = nil }
        guard let key = call.call.request.singleKey, let first = calls[original], result.isAnswer else { return }
        if let known = first.result, known.isAnswer {
            if known == result {
                // What was answered to either has happened by then.
                guard let slot = first.slot else { return }
                calls[original]?.slot = nil
                return checkEnd(of: slot, key, call, result, sequence)
            }
            let who = call.call.client
            find(
                "\(who) was answered \(known) to a write, and \(result) when it sent it again", sequence, call.call.call
            )
        } else if let slot = first.slot {
            keys[key]?.learn(result, of: slot)
            checkEnd(of: slot, key, call, result, sequence)
            calls[original]?.slot = nil
            calls[original]?.result = result
        }
    }

    private mutating func checkEnd(
        of slot: Int, _ key: Bytes, _ call: Call, _ result: ClientResult, _ sequence: UInt64
    ) {
        guard !broken.contains(key) else { return unchecked += 1 }
        let isRead = call.call.request.isRead
        let isWeak = call.call.request.readMode.map { !$0.isLinearizable } ?? false
        let isPossible = (isWeak ? keys[key]?.endWeakRead(slot) : keys[key]?.end(slot)) ?? true
        if isRead { judgedRead = (call.call.call, !isPossible) }
        guard !isPossible else {
            if keys[key]?.isGivenUp == true { unchecked += 1 } else { checked += 1 }
            return
        }
        // Who promises less breaks nothing by it.
        if isWeak { return checked += 1 }
        // A read leaves no trace: without it the history goes on. What a write that can't be has led to nobody knows.
        if !isRead { broken.insert(key) }
        find(
            "\(call.call.client) is answered \(result) to \(call.call.request.line) (call \(call.call.call)), which no order of the calls on \(Word.quoted(key)) explains",
            sequence, call.call.call)
    }

    private mutating func find(_ sentence: String, _ sequence: UInt64, _ call: UInt64) {
        guard findings.count < ClientAudit.findingsMax else { return }
        findings.append(Finding(.linearizability, sentence, sequence: sequence, call: call))
    }
}

extension Request {
    /// The one key that it is about.
    fileprivate var singleKey: Bytes? {
        switch self {
        case .write(let operation): operation.key
        case .get(let key, _): key
        case .keys: nil
        }
    }

    fileprivate var line: String {
        switch self {
        case .write(let operation): "\(operation)"
        case .get(let key, _): "get \(Word.quoted(key))"
        case .keys: "keys"
        }
    }
}

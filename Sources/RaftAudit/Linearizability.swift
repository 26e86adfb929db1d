import KeyValue
import RaftTrace

/// Whether one key's history is linearizable: whether its calls can be put in an order in which each takes effect at a
/// moment between its beginning and its end, and is answered as one store would (Herlihy and Wing, 1990).
///
/// It goes through the history once and keeps every *configuration* that is possible so far: a value, and which of the
/// open calls have taken effect already (Wing and Gong, 1993; Lowe's just-in-time linearization with memoised
/// configurations, 2017). A call is given an effect only when one that ends needs it, or when it reads what is there
/// already. A call without a known end may have its effect any time later, or never; of two configurations that differ
/// only in that, the one that still has the choice is enough.
struct KeyHistory: Sendable {
    /// Whether the search was given up: too many calls were open, or too much was possible.
    private(set) var isGivenUp = false

    private var slots: [Slot?] = []
    /// The slots of open calls, of those that read, and of those without a known end.
    private var open: UInt128 = 0
    private var reads: UInt128 = 0
    private var optional: UInt128 = 0
    private var configurations: [Configuration]

    /// What an open call asks, and what it will be answered.
    private struct Slot: Sendable {
        var request: Request
        /// `nil` where nobody ever learned it.
        var result: ClientResult?
    }

    fileprivate struct Configuration: Hashable, Sendable {
        /// The slots of the open calls that have taken effect.
        var done: UInt128 = 0
        var value: Bytes?
        /// Whether the value may be any, for nobody has seen it yet.
        var isAny = false
    }

    private static let slotsMax = 128
    private static let configurationsMax = 20_000

    /// The history of a key that isn't there at first, or of which nobody knows what it is at first.
    init(isKnown: Bool = true) { configurations = [Configuration(isAny: !isKnown)] }

    /// A call begins; `result` is what it will be answered. Answers its slot.
    mutating func begin(_ request: Request, result: ClientResult?) -> Int {
        let free = slots.firstIndex { $0 == nil } ?? slots.count
        guard free < KeyHistory.slotsMax else {
            isGivenUp = true
            return 0
        }
        if free == slots.count { slots.append(nil) }
        slots[free] = Slot(request: request, result: result)
        let bit: UInt128 = 1 << UInt128(free)
        open |= bit
        if request.isRead { reads |= bit }
        // One without a known answer may yet be made again and answered; see ``settle(_:)``.
        return free
    }

    /// An open call without a known end will not be made again: nobody will ever learn what it came to.
    mutating func settle(_ slot: Int) {
        if slots[slot] != nil { optional |= 1 << UInt128(slot) }
    }

    /// An open call without a known end was made again, and answered.
    mutating func learn(_ result: ClientResult, of slot: Int) {
        slots[slot]?.result = result
        optional &= ~(1 << UInt128(slot))
    }

    /// The call of `slot` ends. Answers whether that is possible; where it isn't, the history is as if there had been no
    /// such call.
    mutating func end(_ slot: Int) -> Bool {
        guard !isGivenUp else { return true }
        let bit: UInt128 = 1 << UInt128(slot)
        var reached = Distinct()
        var seen = Distinct(configurations)
        var place = 0
        while place < seen.all.count {
            var configuration = seen.all[place]
            place += 1
            if configuration.done & bit != 0 {
                configuration.done &= ~bit
                reached.insert(configuration)
                continue
            }
            addSuccessors(of: configuration, to: &seen)
            if seen.all.count > KeyHistory.configurationsMax {
                isGivenUp = true
                return true
            }
        }
        slots[slot] = nil
        open &= ~bit
        reads &= ~bit
        guard !reached.all.isEmpty else { return false }
        configurations = undominated(reached.all)
        return true
    }

    /// A read that promised less ends. Answers whether it missed nothing; the history is as if there had been no such call,
    /// for nothing follows from what it was answered.
    mutating func endWeakRead(_ slot: Int) -> Bool {
        var judge = self
        let isPossible = judge.end(slot)
        let bit: UInt128 = 1 << UInt128(slot)
        var without = Distinct()
        for var configuration in configurations {
            configuration.done &= ~bit
            without.insert(configuration)
        }
        configurations = without.all
        slots[slot] = nil
        open &= ~bit
        reads &= ~bit
        isGivenUp = judge.isGivenUp
        return isPossible
    }

    /// Adds what a configuration can become when one more open call takes effect.
    private func addSuccessors(of configuration: Configuration, to seen: inout Distinct) {
        let waiting = open & ~configuration.done
        // A read that finds what it will answer changes nothing, so that it may as well happen now; unless it is the one
        // that says what the value is.
        for place in Bits(waiting & reads) {
            guard let next = effect(of: place, on: configuration) else { continue }
            seen.insert(next)
            guard configuration.isAny else { return }
        }
        for place in Bits(waiting & ~reads) {
            if let next = effect(of: place, on: configuration) { seen.insert(next) }
        }
    }

    private func effect(of place: Int, on configuration: Configuration) -> Configuration? {
        guard let slot = slots[place] else { return nil }
        let done = configuration.done | 1 << UInt128(place)
        if configuration.isAny { return firstEffect(of: slot, done: done) }
        var value = configuration.value
        let outcome: Outcome
        switch slot.request {
        case .write(let operation): (value, outcome) = operation.applied(to: value)
        case .get: outcome = value.map { .value($0) } ?? .notFound
        case .keys: return nil
        }
        if let result = slot.result, result != ClientResult(outcome) { return nil }
        return Configuration(done: done, value: value)
    }

    /// The effect of a call on a key that may have had any value: its answer tells which.
    private func firstEffect(of slot: Slot, done: UInt128) -> Configuration? {
        guard case .write(let operation) = slot.request else {
            let isFound = slot.result != .notFound
            return Configuration(done: done, value: isFound ? slot.result?.told : nil)
        }
        guard let result = slot.result else {
            switch operation {
            case .set, .delete: return Configuration(done: done, value: operation.applied(to: nil).value)
            case .increment, .compareAndSet: return Configuration(done: done, isAny: true)
            }
        }
        for before in operation.valuesBefore(result) {
            let (value, outcome) = operation.applied(to: before)
            if ClientResult(outcome) == result { return Configuration(done: done, value: value) }
        }
        return nil
    }

    /// Without those that can do nothing that another with the same value can't do, too.
    private func undominated(_ all: [Configuration]) -> [Configuration] {
        guard optional != 0, all.count > 1 else { return all }
        // Those that agree in all but the optional calls compete.
        var kept: [Configuration: [UInt128]] = [:]
        for configuration in all.sorted(by: { $0.done.nonzeroBitCount < $1.done.nonzeroBitCount }) {
            var kind = configuration
            kind.done &= ~optional
            let used = configuration.done & optional
            if kept[kind, default: []].contains(where: { $0 & ~used == 0 }) { continue }
            kept[kind, default: []].append(used)
        }
        return kept.flatMap { kind, masks in
            masks.map { used in
                var configuration = kind
                configuration.done |= used
                return configuration
            }
        }
    }
}

extension Operation {
    /// What a key may have been before this was answered so: one value of each kind.
    fileprivate func valuesBefore(_ result: ClientResult) -> [Bytes?] {
        var values: [Bytes?] = [nil, [], result.told]
        switch self {
        case .set, .delete: break
        case .increment(_, let amount):
            if let sum = Int64(String(decoding: result.told, as: UTF8.self)) {
                values.append(Bytes(String(sum &- amount).utf8))
            }
        case .compareAndSet(_, let old, _): values.append(old)
        }
        return values
    }
}

/// Configurations that differ, in the order in which they came. A few are compared one by one; only many are hashed.
private struct Distinct {
    private(set) var all: [KeyHistory.Configuration]
    private var hashed: Set<KeyHistory.Configuration> = []

    private static let comparedMax = 16

    /// Those in `all`, which differ.
    init(_ all: [KeyHistory.Configuration] = []) { self.all = all }

    mutating func insert(_ configuration: KeyHistory.Configuration) {
        if all.count < Distinct.comparedMax {
            guard !all.contains(configuration) else { return }
        } else {
            if hashed.isEmpty { hashed = Set(all) }
            guard hashed.insert(configuration).inserted else { return }
        }
        all.append(configuration)
    }
}

/// The places of the bits that are set, the lowest first.
private struct Bits: Sequence, IteratorProtocol {
    private var rest: UInt128

    init(_ bits: UInt128) { rest = bits }

    mutating func next() -> Int? {
        guard rest != 0 else { return nil }
        defer { rest &= rest - 1 }
        return rest.trailingZeroBitCount
    }
}

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
    private var optional: UInt128 = 0
    private var configurations: Set<Configuration>

    /// What an open call asks, and what it will be answered.
    private struct Slot: Sendable {
        var request: Request
        /// `nil` where nobody ever learned it.
        var result: ClientResult?
    }

    private struct Configuration: Hashable, Sendable {
        var value: Value
        /// The slots of the open calls that have taken effect.
        var done: UInt128 = 0
    }

    private static let slotsMax = 128
    private static let configurationsMax = 20_000

    /// A key's value in a configuration.
    private enum Value: Hashable, Sendable {
        /// This one; `nil` where the key isn't there.
        case known(Bytes?)
        /// What was there before anybody looked. The first answer that depends on it tells.
        case unknown
    }

    /// The history of a key that isn't there at first, or of which nobody knows what it was.
    init(isKnown: Bool = true) { configurations = [Configuration(value: isKnown ? .known(nil) : .unknown)] }

    /// A call begins; `result` is what it will be answered. Answers its slot.
    mutating func begin(_ request: Request, result: ClientResult?) -> Int {
        let free = slots.firstIndex { $0 == nil } ?? slots.count
        guard free < KeyHistory.slotsMax else {
            isGivenUp = true
            return 0
        }
        if free == slots.count { slots.append(nil) }
        slots[free] = Slot(request: request, result: result)
        if result == nil { optional |= 1 << UInt128(free) }
        return free
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
        var reached: Set<Configuration> = []
        var seen = configurations
        var open = Array(configurations)
        while let configuration = open.popLast() {
            if configuration.done & bit != 0 {
                reached.insert(Configuration(value: configuration.value, done: configuration.done & ~bit))
                continue
            }
            for next in successors(of: configuration, needing: slot) where seen.insert(next).inserted {
                open.append(next)
            }
            if seen.count > KeyHistory.configurationsMax {
                isGivenUp = true
                return true
            }
        }
        slots[slot] = nil
        guard !reached.isEmpty else { return false }
        configurations = undominated(reached)
        return true
    }

    /// What a configuration can become when one more open call takes effect.
    private func successors(of configuration: Configuration, needing needed: Int) -> [Configuration] {
        // A read that finds what it will answer changes nothing, so that it may as well happen now.
        for (place, slot) in slots.enumerated() where configuration.done & (1 << UInt128(place)) == 0 {
            guard let slot, slot.request.isRead, let next = effect(of: place, slot, on: configuration) else { continue }
            return [next]
        }
        return slots.enumerated().compactMap { place, slot in
            guard let slot, configuration.done & (1 << UInt128(place)) == 0 else { return nil }
            return effect(of: place, slot, on: configuration)
        }
    }

    private func effect(of place: Int, _ slot: Slot, on configuration: Configuration) -> Configuration? {
        let done = configuration.done | 1 << UInt128(place)
        switch configuration.value {
        case .known(let value):
            guard let value = KeyHistory.effect(of: slot.request, on: value, answered: slot.result) else { return nil }
            return Configuration(value: .known(value), done: done)
        case .unknown:
            guard let value = KeyHistory.effectOnUnknown(slot.request, answered: slot.result) else { return nil }
            return Configuration(value: value, done: done)
        }
    }

    /// What a call makes of a value; `nil` where it can't have been answered so. The value itself may be missing.
    private static func effect(of request: Request, on value: Bytes?, answered result: ClientResult?) -> Bytes?? {
        var value = value
        let outcome: Outcome
        switch request {
        case .write(let operation): (value, outcome) = operation.applied(to: value)
        case .get: outcome = value.map { .value($0) } ?? .notFound
        case .keys: return nil
        }
        if let result, result != ClientResult(outcome) { return nil }
        return .some(value)
    }

    /// What a call makes of a value that nobody knows, and what its answer tells of it.
    private static func effectOnUnknown(_ request: Request, answered result: ClientResult?) -> Value? {
        switch (request, result) {
        case (.write(.set(_, let value)), nil), (.write(.set(_, let value)), .ok?): return .known(value)
        case (.write(.delete), nil), (.write(.delete), .ok?), (.write(.delete), .notFound?): return .known(nil)
        case (_, nil): return .unknown
        case (.get, .value(let value)?), (.write(.increment), .value(let value)?): return .known(value)
        case (.get, .notFound?), (.write(.compareAndSet), .notFound?): return .known(nil)
        case (.write(.compareAndSet(_, _, let new)), .ok?): return .known(new)
        case (.write, .mismatch(let value)?): return .known(value)
        default: return nil
        }
    }

    /// Without those that can do nothing that another with the same value can't do, too.
    private func undominated(_ all: Set<Configuration>) -> Set<Configuration> {
        guard optional != 0, all.count > 1 else { return all }
        // Those that agree in all but the optional calls compete.
        var kept: [Configuration: [UInt128]] = [:]
        for configuration in all.sorted(by: { $0.done.nonzeroBitCount < $1.done.nonzeroBitCount }) {
            let kind = Configuration(value: configuration.value, done: configuration.done & ~optional)
            let used = configuration.done & optional
            if kept[kind, default: []].contains(where: { $0 & ~used == 0 }) { continue }
            kept[kind, default: []].append(used)
        }
        var result: Set<Configuration> = []
        for (kind, masks) in kept {
            for used in masks { result.insert(Configuration(value: kind.value, done: kind.done | used)) }
        }
        return result
    }
}

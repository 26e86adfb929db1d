/// 128 bits that stand for a value. Those of a whole are the sum of its parts', so that the order of the parts doesn't
/// matter and a change costs no more than what it changes.
///
/// Of a hundred million different states, two have the same with a chance below 10⁻²². The bits differ from process to
/// process, as `Hasher`'s do; what is counted with them doesn't.
struct Fingerprint: Hashable, Comparable, Sendable {
    static let zero = Fingerprint(low: 0, high: 0)

    var low: UInt64
    var high: UInt64

    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The fingerprint of `value`, which is another in each `domain`.
    init(of value: some Hashable, domain: Int) {
        func half(_ salt: Int) -> UInt64 {
            var hasher = Hasher()
            hasher.combine(domain)
            hasher.combine(salt)
            hasher.combine(value)
            return UInt64(bitPattern: Int64(hasher.finalize()))
        }
        low = half(1)
        high = half(2)
    }

    /// Any order: it only has to be one.
    static func < (left: Fingerprint, right: Fingerprint) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    static func += (left: inout Fingerprint, right: Fingerprint) {
        left.low &+= right.low
        left.high &+= right.high
    }

    static func -= (left: inout Fingerprint, right: Fingerprint) {
        left.low &-= right.low
        left.high &-= right.high
    }
}

/// Numbers fingerprints in the order in which they come, from 0: a hash table with open addressing that holds nothing
/// else, for it holds many.
struct FingerprintTable: Sendable {
    private var keys: ContiguousArray<Fingerprint> = []
    /// The number of a key plus one; zero where there is none.
    private var slots = ContiguousArray<UInt32>(repeating: 0, count: 1 << 10)

    /// How many there are.
    var count: Int { keys.count }

    /// The number of `key`, and whether it is new.
    mutating func insert(_ key: Fingerprint) -> (number: Int, isNew: Bool) {
        let mask = slots.count - 1
        var slot = FingerprintTable.place(of: key) & mask
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if keys[number] == key { return (number, false) }
            slot = (slot + 1) & mask
        }
        keys.append(key)
        slots[slot] = UInt32(keys.count)
        if keys.count * 4 > slots.count * 3 { grow() }
        return (keys.count - 1, true)
    }

    private mutating func grow() {
        slots = ContiguousArray(repeating: 0, count: slots.count * 2)
        let mask = slots.count - 1
        for (number, key) in keys.enumerated() {
            var slot = FingerprintTable.place(of: key) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(number + 1)
        }
    }

    private static func place(of key: Fingerprint) -> Int {
        let mixed = (key.low ^ key.high &* 0xd134_2543_de82_ef95) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 24)
    }
}

extension Operation: CustomStringConvertible {
    /// The line of the command that asks for it: `set x 1`.
    public var description: String {
        switch self {
        case .set(let key, let value): "set \(Word.quoted(key)) \(Word.quoted(value))"
        case .delete(let key): "del \(Word.quoted(key))"
        case .increment(let key, 1): "incr \(Word.quoted(key))"
        case .increment(let key, let amount): "incr \(Word.quoted(key)) \(amount)"
        case .compareAndSet(let key, let old, let new):
            "cas \(Word.quoted(key)) \(Word.quoted(old)) \(Word.quoted(new))"
        }
    }
}

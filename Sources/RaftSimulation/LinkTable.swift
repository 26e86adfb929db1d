import RaftCore
import RaftTrace

/// Something for every link of a cluster, found without hashing: every message asks.
struct LinkTable<Value: Sendable>: Sendable {
    private var values: [Value]
    private let width: Int

    /// The same for every link of a cluster of `nodes`.
    init(nodes: Int, _ value: Value) {
        width = nodes
        values = Array(repeating: value, count: nodes * nodes)
    }

    subscript(id: Picture.LinkID) -> Value {
        get { values[place(of: id)] }
        set { values[place(of: id)] = newValue }
    }

    private func place(of id: Picture.LinkID) -> Int {
        (Int(id.from.rawValue) - 1) * width + Int(id.to.rawValue) - 1
    }
}

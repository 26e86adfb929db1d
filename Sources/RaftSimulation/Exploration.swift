import RaftAudit
import RaftCore

/// A walk through every state of a small world, breadth first: what is found is found by a shortest way.
///
/// Of a state that was met nothing is kept but its fingerprint, the state that it was first reached from, and by which
/// move; states as a whole are kept only as long as they wait for their successors. So a hundred million states fit
/// into a few gigabytes, and the way to each of them can still be told.
public struct Exploration: Sendable {
    /// How many steps the deepest state is from the start.
    public private(set) var depth = 0
    /// How many states were met.
    public var states: Int { met.count }
    /// How many states were met that differ in more than in messages, if that is counted.
    public var presents: Int? { metPresents?.count }
    /// The world that is walked through.
    public private(set) var world: SmallWorld

    private var met = FingerprintTable()
    private var metPresents: FingerprintTable?
    /// By a state's number: the number of the state that it was reached from, and the move.
    private var origins: ContiguousArray<UInt32> = []
    private var moves: ContiguousArray<UInt32> = []
    /// The states at ``depth`` whose successors are to be found, and those that were found at the next.
    private var frontier: [SmallWorld.State]
    private var following: [SmallWorld.State] = []
    /// The number of the first state of ``frontier``, and how many of them are done.
    private var first = 0
    private var done = 0
    private var possible: [SmallWorld.Move] = []

    /// How a walk ended.
    public enum Ending: Sendable {
        /// Every state within the bounds was met, and every property holds in all of them.
        case safe
        /// A property is broken.
        case broken(Counterexample)
    }

    /// A walk that is at its start.
    public init(
        bounds: SmallWorld.Bounds = SmallWorld.Bounds(), without rules: [Rule] = [], countsPresents: Bool = false
    ) {
        world = SmallWorld(bounds: bounds, without: rules)
        let start = world.start()
        frontier = [start]
        _ = met.insert(world.fingerprint(of: start))
        if countsPresents { metPresents = FingerprintTable() }
        _ = metPresents?.insert(world.fingerprint(of: start))
        origins = [0]
        moves = [0]
    }

    /// Walks on to the end, or until `statesMax` states were met. Answers how it ended, if it did.
    public mutating func run(statesMax: Int = .max) -> Ending? {
        while states < statesMax { if let ending = advance() { return ending } }
        return nil
    }

    /// Looks for a shorter way to a broken property than `example`, which the reductions may have hidden: they count no
    /// step for what only sends a message. The walk without them is larger; answers `nil` where it would take more
    /// than `statesMax` states to know.
    public static func shortest(_ example: Counterexample, within exploration: Exploration, statesMax: Int)
        -> Counterexample?
    {
        var bounds = exploration.world.bounds
        guard bounds.isReduced else { return example }
        bounds.isReduced = false
        var whole = Exploration(bounds: bounds, without: exploration.world.settings.rules.broken)
        while whole.states < statesMax {
            // A step from the states at this depth is one more.
            guard whole.depth + 1 < example.steps.count else { return example }
            if case .broken(let shorter) = whole.advance() { return shorter }
        }
        return nil
    }

    /// Finds the successors of some states more. Answers how the walk ended when it has.
    public mutating func advance() -> Ending? {
        let batch = min(done + 1_000, frontier.count)
        while done < batch {
            let state = frontier[done]
            world.moves(in: state, into: &possible)
            for move in possible {
                guard let successor = world.successor(of: state, by: move) else { continue }
                if let broken = successor.broken {
                    return .broken(Counterexample(broken, by: way(to: first + done) + [move], in: world))
                }
                guard met.insert(world.fingerprint(of: successor.state)).isNew else { continue }
                _ = metPresents?.insert(world.fingerprint(of: successor.state.withoutMessages))
                origins.append(UInt32(first + done))
                moves.append(move.code)
                following.append(successor.state)
            }
            done += 1
        }
        guard done == frontier.count else { return nil }
        guard !following.isEmpty else { return .safe }
        first += frontier.count
        swap(&frontier, &following)
        following.removeAll(keepingCapacity: true)
        done = 0
        depth += 1
        return nil
    }

    /// The moves that lead from the start to the state of this number.
    private func way(to number: Int) -> [SmallWorld.Move] {
        var way: [SmallWorld.Move] = []
        var number = number
        while number != 0 {
            way.append(SmallWorld.Move(code: moves[number]))
            number = Int(origins[number])
        }
        return way.reversed()
    }
}

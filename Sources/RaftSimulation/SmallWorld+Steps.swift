import KeyValue
import RaftAudit
import RaftCore

// What can happen in a small world next.

extension SmallWorld {
    /// Something that happens, in one word: states are many, and each is reached by one.
    struct Move: Hashable, Sendable {
        let code: UInt32

        enum Kind: UInt32 {
            case deadline
            case command
            case write
            case crash
            case delivery
            case snapshot
            case change
        }

        init(_ kind: Kind, _ operand: Int) { code = kind.rawValue << 28 | UInt32(operand) }

        init(code: UInt32) { self.code = code }

        var kind: Kind? { Kind(rawValue: code >> 28) }

        /// The place of the server that it happens to, or the number of the message that is delivered.
        var operand: Int { Int(code & 0x0fff_ffff) }

        /// The leader at `place` is told to take the server at `other` out, or in.
        init(change other: Int, at place: Int) { self.init(.change, other << 8 | place) }

        /// The places of the leader and of the member that is to change.
        var change: (leader: Int, member: Int) { (operand & 0xff, operand >> 8) }
    }

    /// What a server does with an input.
    struct Step: Sendable {
        /// The number of what the server is afterwards.
        var server: UInt32
        /// The numbers of what it sends.
        var sent: [UInt32]
        /// The place in ``SmallWorld/additions`` of what it adds to the past, if it does.
        var addition: Int?
        /// Whether its log is another afterwards.
        var changesLog: Bool
        /// What it breaks by itself.
        var broken: Broken?
    }

    /// What a past becomes by a step.
    struct History: Sendable {
        var past: UInt32
        var broken: Broken?
    }

    /// What a move leads to.
    struct Successor: Sendable {
        var state: State
        var broken: Broken?
    }

    /// Everything that may happen in `state`, but for what would only waste the bounds.
    func moves(in state: State, into moves: inout [Move]) {
        moves.removeAll(keepingCapacity: true)
        let past = pasts[state.past]
        for (place, server) in state.servers.enumerated() {
            let standing = standings[Int(server)]
            if standing.role == .leader || standing.term.rawValue < bounds.terms {
                moves.append(Move(.deadline, place))
            }
            if standing.role == .leader, past.commands < bounds.commands { moves.append(Move(.command, place)) }
            if standing.isWriting { moves.append(Move(.write, place)) }
            if past.crashes < bounds.crashes { moves.append(Move(.crash, place)) }
            if past.snapshots < bounds.snapshots, standing.hasNewCommits { moves.append(Move(.snapshot, place)) }
            if standing.role == .leader, past.changes < bounds.changes {
                for other in state.servers.indices { moves.append(Move(change: other, at: place)) }
            }
        }
        for message in state.messages { moves.append(Move(.delivery, Int(message))) }
    }

    /// The place of the server that `move` happens to.
    func place(of move: Move) -> Int {
        switch move.kind {
        case .delivery: letters[move.operand].to
        case .change: move.change.leader
        default: move.operand
        }
    }

    /// What `move` makes of `state`; `nil` where it changes nothing.
    mutating func successor(of state: State, by move: Move) -> Successor? {
        let place = place(of: move)
        let server = state.servers[place]
        let number = stepNumber(of: move, on: server, past: state.past)
        let (after, changesLog) = (steps[number].server, steps[number].changesLog)
        let history = history(of: state.past, step: number)
        var broken = steps[number].broken ?? history.broken
        if broken == nil, after == server {
            // Whatever only sends messages has happened already, and a crash that takes nothing away only wastes one.
            guard move.kind != .crash, !bounds.isReduced || history.past != state.past else { return nil }
        }
        var next = State(servers: state.servers, past: history.past, messages: state.messages)
        next.servers[place] = after
        var open = next.messages.filter { letters[Int($0)].to == place }.map { Move(.delivery, Int($0)) }
        if standings[Int(after)].role == .leader { open.append(Move(.deadline, place)) }
        _ = next.add(steps[number].sent, open: &open)
        saturate(&next, open: &open)
        forgetDeadLetters(in: &next)
        if broken == nil, changesLog { broken = brokenLogMatching(in: next, changedAt: place) }
        return Successor(state: next, broken: broken)
    }

    /// Lets everything happen that changes no server and adds nothing to the past, but only sends messages, of the moves
    /// that are `open` and those that come of them. More messages never take a possibility away.
    private mutating func saturate(_ state: inout State, open: inout [Move]) {
        while bounds.isReduced, let move = open.popLast() {
            let server = state.servers[place(of: move)]
            let number = stepNumber(of: move, on: server, past: state.past)
            guard steps[number].server == server, steps[number].broken == nil else { continue }
            let history = history(of: state.past, step: number)
            guard history.past == state.past, history.broken == nil else { continue }
            if state.add(steps[number].sent, open: &open) { sendings?.append(move) }
        }
    }

    /// The numbers of the messages that `move` sends.
    mutating func sent(by move: Move, in state: State) -> [UInt32] {
        steps[stepNumber(of: move, on: state.servers[place(of: move)], past: state.past)].sent
    }

    /// The number of the step that `move` is on `server`.
    private mutating func stepNumber(of move: Move, on server: UInt32, past: UInt32) -> Int {
        if move.kind == .delivery, let number = deliveries.number(of: move.operand, to: Int(server)) { return number }
        let command = move.kind == .command ? pasts[past].commands + 1 : 0
        let key = Fingerprint(low: UInt64(server) << 32 | UInt64(move.code), high: UInt64(command))
        let (number, isNew) = stepNumbers.insert(key)
        if isNew { steps.append(step(move, on: server, command: command)) }
        if move.kind == .delivery { deliveries.note(number, of: move.operand, to: Int(server)) }
        return number
    }

    /// The numbers of the steps that deliveries are, where they stand without any search: they are asked for most.
    struct Deliveries: Sendable {
        /// By server, then by message: the number plus one, or zero.
        private var rows: ContiguousArray<ContiguousArray<UInt32>> = []

        func number(of message: Int, to server: Int) -> Int? {
            guard server < rows.count, message < rows[server].count, rows[server][message] > 0 else { return nil }
            return Int(rows[server][message]) - 1
        }

        mutating func note(_ number: Int, of message: Int, to server: Int) {
            while rows.count <= server { rows.append([]) }
            while rows[server].count <= message { rows[server].append(0) }
            rows[server][message] = UInt32(number + 1)
        }
    }

    private mutating func step(_ move: Move, on number: UInt32, command: Int) -> Step {
        let before = servers[number]
        var after = before
        var outcome = SmallServer.Outcome(isObserved: false)
        carryOut(move, on: &after, command: command, into: &outcome)
        let addition = addition(by: move, before: before.raft, after: after.raft, outcome.messages)
        if !addition.isEmpty { additions.append(addition) }
        return Step(
            server: self.number(of: after), sent: Set(outcome.messages.map { self.number(of: $0) }).sorted(),
            addition: addition.isEmpty ? nil : additions.count - 1, changesLog: before.raft.log != after.raft.log,
            broken: broken(by: move, before: before.raft, after: after.raft))
    }

    /// Lets `server` do what `move` says.
    func carryOut(_ move: Move, on server: inout SmallServer, command: Int, into outcome: inout SmallServer.Outcome) {
        switch move.kind {
        case .deadline: server.handle(.deadline, diskTakesSteps: bounds.diskTakesSteps, into: &outcome)
        case .command:
            let payload = Payload.command(SmallWorld.command(command))
            server.handle(.propose([payload]), diskTakesSteps: bounds.diskTakesSteps, into: &outcome)
        case .write: server.completeWrite(into: &outcome)
        case .crash: server.crash(into: &outcome)
        case .snapshot: server.takeSnapshot(diskTakesSteps: bounds.diskTakesSteps, into: &outcome)
        case .change:
            let node = NodeID(move.change.member + 1)
            let isMember = server.raft.configuration.target.contains(node)
            server.handle(
                .changeMembers(adding: isMember ? [] : [node], removing: isMember ? [node] : []),
                diskTakesSteps: bounds.diskTakesSteps, into: &outcome)
        case .delivery:
            let message = messages[UInt32(move.operand)]
            server.handle(.message(message), diskTakesSteps: bounds.diskTakesSteps, into: &outcome)
        case nil: break
        }
    }

    /// The `number`th command of all clients: each sets `x` to another value.
    private static func command(_ number: Int) -> Bytes {
        SessionCommand(.set(key: Bytes("x".utf8), value: Bytes("\(number)".utf8))).encoded()
    }

    private mutating func history(of past: UInt32, step: Int) -> History {
        guard let addition = steps[step].addition else { return History(past: past) }
        let (number, isNew) = historyNumbers.insert(Fingerprint(low: UInt64(past), high: UInt64(addition)))
        if isNew {
            var after = pasts[past]
            let broken = after.add(additions[addition])
            histories.append(History(past: pasts.number(of: after), broken: broken))
        }
        return histories[number]
    }
}

extension SmallWorld.State {
    /// Adds the messages that are not there, and their deliveries to what can happen. Answers whether there were any.
    fileprivate mutating func add(_ sent: [UInt32], open: inout [SmallWorld.Move]) -> Bool {
        let before = messages.count
        for message in sent {
            let place = place(of: message)
            guard place == messages.count || messages[place] != message else { continue }
            messages.insert(message, at: place)
            open.append(SmallWorld.Move(.delivery, Int(message)))
        }
        return messages.count > before
    }

    private func place(of message: UInt32) -> Int {
        var (low, high) = (0, messages.count)
        while low < high {
            let middle = (low + high) / 2
            if messages[middle] < message { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

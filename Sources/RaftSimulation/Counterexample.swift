import RaftAudit
import RaftCore
import RaftTrace

/// A shortest way from the start of a small world to a broken property.
public struct Counterexample: Sendable {
    /// What is broken. The number of its event is that of the last step.
    public let finding: Finding
    /// What happened, step by step.
    public let steps: [Step]

    /// Something that happened, and what came of it.
    public struct Step: Sendable {
        /// What happened.
        public let occurrence: Occurrence
        /// What came of it inside the server that it happened to.
        public let events: [Event.Kind]
    }

    /// What can happen in a small world.
    public enum Occurrence: Hashable, Sendable {
        /// A server's election timer runs out.
        case electionTimeout(NodeID)
        /// It is time for a leader's heartbeats.
        case heartbeat(NodeID)
        /// A client gives a leader a command.
        case command(Entry, to: NodeID)
        /// What a server wrote reaches its disk.
        case write(NodeID)
        /// A server loses its memory and starts again from its disk.
        case crash(NodeID)
        /// A server takes a snapshot.
        case snapshot(NodeID)
        /// A leader is told to take a server out of the members, or in.
        case change(NodeID, by: NodeID)
        /// A message is delivered.
        case delivery(Message)
    }

    /// Goes the way of `moves` once more, and looks on.
    init(_ broken: Broken, by moves: [SmallWorld.Move], in world: SmallWorld) {
        var world = world
        var servers = world.start().servers.map { world.servers[$0] }
        var commands = 0
        steps = world.whole(moves).map { move in
            if move.kind == .command { commands += 1 }
            return Step(move, on: &servers[world.place(of: move)], command: commands, in: world)
        }
        finding = Finding(broken.property, broken.sentence, sequence: UInt64(steps.count))
    }
}

extension SmallWorld {
    /// The way of `moves` with what happened of itself in between, where a later move delivers what it sent.
    fileprivate mutating func whole(_ moves: [Move]) -> [Move] {
        var whole: [(move: Move, isNeeded: Bool)] = []
        var senders: [UInt32: Int] = [:]
        var state = start()
        func note(_ move: Move, _ sent: [UInt32], isNeeded: Bool) {
            for message in sent where senders[message] == nil { senders[message] = whole.count }
            whole.append((move, isNeeded))
        }
        for move in moves {
            note(move, sent(by: move, in: state), isNeeded: true)
            sendings = []
            if let successor = successor(of: state, by: move) { state = successor.state }
            for sending in sendings ?? [] { note(sending, sent(by: sending, in: state), isNeeded: false) }
        }
        for place in whole.indices.reversed() where whole[place].isNeeded && whole[place].move.kind == .delivery {
            if let sender = senders[UInt32(whole[place].move.operand)] { whole[sender].isNeeded = true }
        }
        return whole.filter(\.isNeeded).map(\.move)
    }
}

extension Counterexample.Step {
    fileprivate init(_ move: SmallWorld.Move, on server: inout SmallServer, command: Int, in world: SmallWorld) {
        let before = server.raft
        var outcome = SmallServer.Outcome(isObserved: true)
        world.carryOut(move, on: &server, command: command, into: &outcome)
        events = outcome.events.map { .node(before.id, $0.term, $0.event) }
        switch move.kind {
        case .command: occurrence = .command(server.raft.log[server.raft.log.lastIndex], to: before.id)
        case .write: occurrence = .write(before.id)
        case .crash: occurrence = .crash(before.id)
        case .snapshot: occurrence = .snapshot(before.id)
        case .change: occurrence = .change(NodeID(move.change.member + 1), by: before.id)
        case .delivery: occurrence = .delivery(world.messages[UInt32(move.operand)])
        case .deadline, nil:
            occurrence = before.role.name == .leader ? .heartbeat(before.id) : .electionTimeout(before.id)
        }
    }
}

extension Counterexample.Occurrence: CustomStringConvertible {
    /// `n1's election timer runs out`.
    public var description: String {
        switch self {
        case .electionTimeout(let node): "\(node)'s election timer runs out"
        case .heartbeat(let node): "\(node)'s heartbeat is due"
        case .command(let entry, let node): "\(node) is given a command: \(entry.summary)"
        case .write(let node): "\(node)'s disk has written"
        case .crash(let node): "\(node) crashes, and starts again from its disk"
        case .snapshot(let node): "\(node) takes a snapshot"
        case .change(let node, let leader): "\(leader) is told to change whether \(node) is a member"
        case .delivery(let message): "\(message.to) receives from \(message.from): \(message.summary)"
        }
    }
}

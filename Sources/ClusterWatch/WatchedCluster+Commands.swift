import Laboratory
import NIOCore
import NIOHTTP1
import RaftCore
import RaftTrace

// What the nodes are told and asked, each by its own address.

/// A command of which some nodes are to do their parts.
struct SentCommand {
    /// Its line.
    let text: String
    /// When it was sent.
    let at: Instant
    /// How many nodes have not answered yet.
    var open: Int
    /// Whether one has done its part, so that the command was told.
    var isTold = false
}

extension WatchedCluster {
    /// Begins to carry out `command`.
    public func perform(_ command: Command, seeing picture: Picture) throws(Refusal) -> UInt64? {
        try FaultLine.check(command)
        let isCall = if case .client = command { true } else { false }
        guard isCall || token != nil else {
            throw Refusal("faults need the cluster's secret: start watch with --secret-file")
        }
        // Nodes may have come that nobody knew of at first.
        if hasFailedOrders || picture.nodes.contains(where: { !desk.nodes.contains($0.id) }) {
            desk.adopt(picture)
            hasFailedOrders = false
        }
        var copy = desk
        let orders = try copy.orders(for: command, seeing: picture)
        if case .call(let call, let via)? = orders.first {
            let number = try begin(call, via: via, seeing: picture)
            desk = copy
            return number
        }
        try send(orders, of: command)
        desk = copy
        return nil
    }

    // MARK: - Orders

    private func send(_ orders: [Order], of command: Command) throws(Refusal) {
        var letters: [(line: FaultLine, address: NodeAddress)] = []
        for line in try FaultLine.lines(for: orders, of: command, among: members) {
            guard let address = address(of: line.node) else {
                throw Refusal("\(line.node) has not been reached yet: which address is its own is not known")
            }
            letters.append((line, address))
        }
        lastCommand += 1
        commands[lastCommand] = SentCommand(text: command.description, at: timeOfDay, open: letters.count)
        for (line, address) in letters { send(line, to: address, lastCommand) }
    }

    /// Tells a node a line, after those that it was told before.
    private func send(_ line: FaultLine, to address: NodeAddress, _ number: Int) {
        let (client, inbox, token) = (client, inbox, token ?? "")
        let before = tails[line.node] ?? client.loop.makeSucceededVoidFuture()
        tails[line.node] = before.flatMap {
            let question = HTTPClient.Question(
                method: .POST, target: "/fault", headers: ["Authorization": "Bearer \(token)"],
                body: Array(line.text.utf8))
            return client.ask(question, of: address).map { FaultAnswer.refusal(in: $0, of: line) }
                .recover { "\(line.node) can't be told: \(($0 as? HTTPTrouble)?.reason ?? "\($0)")" }
        }.map { inbox.put(.order(number, refusal: $0)) }
    }

    /// A node has answered, or can't.
    func end(_ number: Int, _ refusal: String?) {
        guard var command = commands[number] else { return }
        command.open -= 1
        if let refusal {
            refuse(refusal)
        } else if !command.isTold {
            command.isTold = true
            tell(.command(CommandDone(text: command.text)), at: command.at)
        }
        commands[number] = command.open > 0 ? command : nil
    }

    // MARK: - Calls

    private func begin(_ call: ClientCommand, via: NodeID?, seeing picture: Picture) throws(Refusal) -> UInt64 {
        let targets = try targets(via, seeing: picture)
        let number = numbers.drawCall()
        let name = writeName(of: call, number)
        let question: HTTPClient.Question
        do throws(Untellable) {
            question = try HTTPClient.Question(call.request, once: name)
        } catch {
            throw Refusal("cas over HTTP takes text: its values are bytes that are none")
        }
        if !call.request.isRead { writeNames[call.client] = name }
        let now = timeOfDay
        tell(.command(CommandDone(text: Command.client(call).description)), at: now)
        let told = ClientCall(
            client: call.client, call: number, request: call.request, via: via, isRetry: call.isRetry)
        tell(.called(told), at: now)
        ownCalls.begin(told, at: now)
        let attempts = CallAttempts(
            client: client, request: call.request, question: question, deadline: .now() + CallAttempts.patience)
        attempts.ask(targets).whenSuccess { [inbox] in inbox.put(.call(number, $0)) }
        return number
    }

    /// Whom to ask, one after the other: the node that is named, or first the leader and then all the others that run.
    private func targets(_ via: NodeID?, seeing picture: Picture) throws(Refusal) -> [NodeAddress] {
        if let via {
            guard let address = address(of: via) else {
                throw Refusal("\(via) has not been reached yet: which address is its own is not known")
            }
            return [address]
        }
        let running = picture.nodes.filter(\.isRunning).map(\.id)
        let first = [picture.leader?.id].compactMap { $0 } + running
        let known = first.compactMap(address) + addresses
        return known.enumerated().filter { !known[..<$0.offset].contains($0.element) }.map(\.element)
    }

    /// The name under which a write is done once: that of the last one, where it is made again.
    private func writeName(of call: ClientCommand, _ number: UInt64) -> String {
        if call.isRetry, let last = writeNames[call.client] { return last }
        return "watch-\(run)-\(number)"
    }

    /// A call has ended.
    func end(_ number: UInt64, _ result: ClientResult) {
        guard let client = ownCalls.client(of: number) else { return }
        let now = timeOfDay
        ownCalls.end(number, at: now)
        tell(.returned(ClientReturn(client: client, call: number, result: result)), at: now)
    }
}

/// What a node says to a line that it was told.
enum FaultAnswer {
    /// Why it doesn't do it, in a sentence; `nil` where it does.
    static func refusal(in answer: HTTPClient.Answer, of line: FaultLine) -> String? {
        switch answer.status {
        case 200: return nil
        case 403:
            return
                "\(line.node) refuses the secret: start watch with the --secret-file of the nodes"
        default:
            let reason = ClientResult(answer, to: .keys(prefix: [], .local))
            if case .error(let sentence) = reason { return "\(line.node) refuses '\(line.text)': \(sentence)" }
            return "\(line.node) refuses '\(line.text)' with HTTP \(answer.status)"
        }
    }
}

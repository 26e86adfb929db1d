import KeyValue
import RaftCore

// Which command led to what. A command is known by its line, which is all that a trace has of it.

extension CauseSearch {
    func command(at place: Int) -> CommandDone? {
        if case .command(let command) = row[place].kind { command } else { nil }
    }

    /// The nearest command that fits, whenever it was given.
    func nearestCommand(_ fits: (CommandDone) -> Bool) -> Int? {
        nearest { command(at: $0).map(fits) ?? false }
    }

    /// Whether a command that was given at `place` means `node`: by its number, or because it led then.
    func isNamed(_ node: NodeID, by command: CommandDone, at place: Int) -> Bool {
        if command.hasNumber(of: node) { return true }
        return command.namesLeader && isLeading(node, before: place)
    }

    /// Whether `node` leads, as far as was told before `place`. What only leaders do, or never do, says so sooner than the
    /// change of its role.
    func isLeading(_ node: NodeID, before place: Int? = nil) -> Bool {
        var isLeading = false
        _ = nearestObservation(on: node, before: place) {
            switch $0 {
            case .roleChanged(let change): isLeading = change.role == .leader
            case .progressed, .readRound, .heldBack: isLeading = true
            case .timerSet, .appendRefused: isLeading = false
            default: return false
            }
            return true
        }
        return isLeading
    }

    /// The nearest of the commands `verbs` that names `node`, or of those that name nobody and may mean it.
    func order(_ verbs: [Substring], of node: NodeID, orAnyOf unnamed: [Substring] = []) -> Int? {
        nearest { place in
            guard let command = command(at: place) else { return false }
            if unnamed.contains(command.verb) { return true }
            return verbs.contains(command.verb) && isNamed(node, by: command, at: place)
        }
    }

    // MARK: - Servers

    /// The command that started a server, or the beginning of the cluster.
    func startCause(of node: NodeID) -> Int? {
        var wasDown = false
        let place = nearest { place in
            switch row[place].kind {
            case .began: return true
            case .node(let id, _, .stopped), .node(let id, _, .failed):
                if id == node { wasDown = true }
                return false
            case .command(let command):
                return command.verb == "undo" || command.starts && isNamed(node, by: command, at: place)
            default: return false
            }
        }
        // It came back by itself.
        guard let place, wasDown, isBeginning(place) else { return place }
        return nil
    }

    /// The command that stopped a server in this life. A server that is started anew by a command is in another.
    func stopCause(of node: NodeID, _ how: CrashKind) -> Int? {
        var isFound = false
        let place = nearest { place in
            switch row[place].kind {
            case .began: return true
            case .node(let id, _, .stopped): return id == node
            case .command(let command):
                isFound =
                    command.verb == how.rawValue && isNamed(node, by: command, at: place)
                    || command.verb == "reset" && how == .wipe
                return isFound || command.starts && command.hasNumber(of: node)
            default: return false
            }
        }
        return isFound ? place : nil
    }

    /// A server fails because its disk does, or because it was to start and can't.
    func failureCause(of node: NodeID) -> Int? {
        var isFound = false
        let place = nearest { place in
            switch nodeEvent(at: place, on: node) {
            case .disk(let changed)?:
                isFound = changed.condition != .ok
                return true
            case .raft(.snapshotInstalled)?: isFound = isTogether(place)
            default: break
            }
            return isFound || isBeginning(place)
        }
        return isFound ? place : startCause(of: node)
    }

    // MARK: - Links

    func cause(of state: LinkState) -> Int? {
        nearest { place in
            if isBeginning(place) { return true }
            guard let command = command(at: place) else { return false }
            return command.changesLinks && command.names(from: state.from, to: state.to)
        }
    }
}

extension CommandDone {
    private var words: [Substring] { text.split(separator: " ") }

    /// What is to be done: the line's first word.
    package var verb: Substring { text.prefix { $0 != " " } }

    private static let starting: Set<Substring> = ["revive", "add"]
    private static let stopping: Set<Substring> = ["kill", "power", "wipe", "reset"]
    private static let cutting: Set<Substring> = ["cut", "partition", "isolate", "undo", "reset"]
    private static let ofLinks: Set<Substring> = [
        "cut", "heal", "partition", "isolate", "latency", "loss", "hold", "release", "undo", "reset", "add",
    ]
    private static let ofClock: Set<Substring> = ["freeze", "thaw", "speed", "reset"]

    /// Whether it may start servers that it names.
    var starts: Bool { CommandDone.starting.contains(verb) }
    /// Whether it stops servers.
    var stops: Bool { CommandDone.stopping.contains(verb) }
    /// Whether it may cut links.
    var cuts: Bool { CommandDone.cutting.contains(verb) }
    /// Whether it may change links.
    var changesLinks: Bool { CommandDone.ofLinks.contains(verb) }
    /// Whether it changes the clock.
    var changesClock: Bool { CommandDone.ofClock.contains(verb) }
    /// Whether it changes who is a member.
    var changesMembers: Bool { verb == "add" || verb == "remove" }

    /// Whether it names the server by its number.
    func hasNumber(of node: NodeID) -> Bool {
        let number = "\(node.rawValue)"
        return words.dropFirst().contains { $0 == number }
    }

    /// Whether it names whoever leads.
    var namesLeader: Bool { words.dropFirst().contains("leader") }

    /// Whether it means the link: by its ends, or because it names none.
    func names(from: NodeID, to: NodeID) -> Bool {
        let links = words.dropFirst().compactMap(LinkWord.init)
        return links.isEmpty || links.contains { $0.means(from, to) }
    }

    /// Whether it is the command with which a client calls.
    func asks(_ call: ClientCall) -> Bool {
        let request = call.request.commandLine
        guard text.hasPrefix(request) else { return false }
        let rest = text.dropFirst(request.count)
        guard rest.isEmpty || rest.hasPrefix(" ") else { return false }
        // Whoever calls under the usual name isn't named.
        let words = rest.split(separator: " ")
        guard let name = words.firstIndex(of: "as").map({ words[($0 + 1)...] })?.first else { return true }
        return name == Word.quoted(Bytes(call.client.utf8))
    }

    /// A link as a line names it: `1-3`, `leader>2`.
    private struct LinkWord {
        let from: Substring
        let to: Substring
        let isBothWays: Bool

        init?(_ word: Substring) {
            guard let middle = word.firstIndex(where: { $0 == "-" || $0 == ">" }) else { return nil }
            (from, to) = (word[..<middle], word[word.index(after: middle)...])
            isBothWays = word[middle] == "-"
        }

        func means(_ from: NodeID, _ to: NodeID) -> Bool {
            isNamed(self.from, from) && isNamed(self.to, to)
                || isBothWays && isNamed(self.from, to) && isNamed(self.to, from)
        }

        private func isNamed(_ word: Substring, _ node: NodeID) -> Bool {
            word == "leader" || word == "\(node.rawValue)"
        }
    }
}

extension Request {
    /// The beginning of the line that asks for it.
    fileprivate var commandLine: String {
        switch self {
        case .write(let operation): operation.description
        case .get(let key, let mode): "get \(Word.quoted(key))" + mode.suffix
        case .keys(let prefix, let mode): "keys" + (prefix.isEmpty ? "" : " \(Word.quoted(prefix))") + mode.suffix
        }
    }
}

extension ReadMode {
    fileprivate var suffix: String { self == .readindex ? "" : " \(rawValue)" }
}

/// The commands there are, for help and completion.
public struct Catalogue: Sendable {
    /// A command: how it is written, and what it does.
    public struct Item: Sendable {
        /// Its name.
        public let name: String
        /// What follows the name.
        public let arguments: String
        /// What it does, in a sentence.
        public let sentence: String
        /// Which part of the language it belongs to.
        public let chapter: Chapter

        init(_ name: String, _ arguments: String, _ chapter: Chapter, _ sentence: String) {
            self.name = name
            self.arguments = arguments
            self.chapter = chapter
            self.sentence = sentence
        }
    }

    /// The parts of the language.
    public enum Chapter: String, CaseIterable, Sendable {
        /// What clients ask.
        case clients = "Clients"
        /// What is done to servers.
        case nodes = "Nodes"
        /// What is done to links.
        case links = "Links"
        /// What is done to the clock.
        case time = "Time"
        /// What is switched.
        case switches = "Rules and options"
        /// What concerns the session.
        case session = "Session"
        /// What only the prompt has.
        case prompt = "Prompt"
        /// What only a script has.
        case scripts = "Scripts"
        /// What can be true.
        case conditions = "Conditions"
    }

    /// Everything that can stand in a line.
    public static let items: [Item] = [
        Item("set", "KEY VALUE", .clients, "Writes a value."),
        Item("get", "KEY [readindex|lease|leader|local]", .clients, "Reads a value; linearizably, unless said."),
        Item("del", "KEY", .clients, "Deletes a key."),
        Item("incr", "KEY [N]", .clients, "Adds N, or 1, to a number."),
        Item("cas", "KEY OLD NEW", .clients, "Writes NEW if the value is OLD."),
        Item("keys", "[PREFIX]", .clients, "Lists the keys."),
        Item("kill", "N…", .nodes, "Ends a node's process; its disk is kept."),
        Item("power", "N…", .nodes, "Cuts its power: what was not synced is lost."),
        Item("wipe", "N…", .nodes, "Takes its disk as well; undo brings it back."),
        Item("revive", "N…", .nodes, "Starts a node from its disk."),
        Item("pause", "N…", .nodes, "Freezes a node, with all that it has."),
        Item("resume", "N…", .nodes, "Lets a paused node go on."),
        Item("timeout", "N", .nodes, "Lets a node campaign now, as if told to."),
        Item("add", "N…", .nodes, "Makes nodes members, new ones too; add 4 remove 1 replaces."),
        Item("remove", "N…", .nodes, "Makes them members no more."),
        Item("transfer", "N", .nodes, "Lets the leader hand over to a node."),
        Item("snapshot", "N…", .nodes, "Lets a node take a snapshot and forget its log."),
        Item("hold-timer", "N…", .nodes, "Keeps an election timer from running out."),
        Item("free-timer", "N…", .nodes, "Lets it run out again."),
        Item("align", "N N…", .nodes, "Lets election timers run out together."),
        Item("disk", "N ok|stall|full|fail", .nodes, "Makes a node's disk stall, full, or fail."),
        Item("cut", "LINK…", .links, "Cuts links: 1-3 both ways, 1>3 one way."),
        Item("heal", "[LINK…]", .links, "Opens links again; all, unless said."),
        Item(
            "partition", "1,2 | 3,4,5", .links,
            "Cuts links between groups, opens those within."),
        Item("isolate", "N", .links, "Cuts all links of a node."),
        Item("latency", "[LINK] 10ms..30ms", .links, "How long messages take: on a link, or on all."),
        Item("loss", "[LINK] 20%", .links, "How many are lost: on a link, or on all."),
        Item("hold", "LINK…", .links, "Lets messages wait on a link."),
        Item("release", "[LINK…]", .links, "Lets them go on; on all links, unless said."),
        Item("deliver", "LINK [N] | #17", .links, "Delivers messages that are on their way, now."),
        Item("drop", "LINK [N] | #17", .links, "Loses messages that are on their way."),
        Item("duplicate", "LINK [N] | #17", .links, "Doubles messages that are on their way."),
        Item("freeze", "", .time, "Stops the cluster's clock."),
        Item("thaw", "", .time, "Lets the clock go on."),
        Item("step", "[COUNT]", .time, "While it stands still: lets the next thing happen."),
        Item("speed", "1/10", .time, "The clock's rate, 1/1000 to 4."),
        Item("rule", "NAME on|off", .switches, "Keeps or breaks a rule; see raft-tui rules."),
        Item(
            "option", "prevote|checkquorum|noop|lease on|off", .switches,
            "Switches an extension of the protocol."),
        Item("option", "election-timeout A..B", .switches, "How long nodes wait for a leader."),
        Item("option", "heartbeat 50ms", .switches, "How often a leader shows that it leads."),
        Item("option", "snapshot-every N|off", .switches, "After how many entries nodes take a snapshot."),
        Item("option", "snapshot-trailing N", .switches, "How many entries of it stay in the log."),
        Item("load", "RATE/s [CLIENTS] | off", .clients, "Clients write steadily to 1,000 keys."),
        Item("undo", "", .session, "Takes back the last fault."),
        Item("reset", "", .session, "The same cluster, fresh."),
        Item("lesson", "[NAME]", .prompt, "Begins a lesson; lists them."),
        Item("next", "", .prompt, "Goes on with the lesson."),
        Item("previous", "", .prompt, "Goes back by a step of it."),
        Item("back", "[COUNT]", .prompt, "Looks back by so many events."),
        Item("why", "", .prompt, "What led to the last event."),
        Item("live", "", .prompt, "Shows what is now."),
        Item("screenshot", "FILE", .prompt, "Keeps the screen; as a picture in FILE.svg."),
        Item("save", "FILE", .prompt, "Keeps what was done as a script."),
        Item("record", "FILE|off", .prompt, "Records the screen, for asciinema."),
        Item("help", "[COMMAND]", .prompt, "Shows the keys and commands."),
        Item("quit", "", .prompt, "Leaves."),
        Item("title", "\"…\"", .scripts, "What the script is called."),
        Item("source", "\"…\"", .scripts, "Where it comes from."),
        Item("cluster", "N", .scripts, "A fresh cluster of N nodes."),
        Item("say", "\"…\"", .scripts, "A sentence for the audience."),
        Item("ask", "\"…\" \"A\" \"B\" answer 2", .scripts, "A question: predict, then see."),
        Item("sleep", "500ms", .scripts, "Lets cluster time pass."),
        Item("wait", "CONDITION [within 10s]", .scripts, "Goes on when the condition is true."),
        Item("expect", "CONDITION", .scripts, "Fails unless the condition is true."),
        Item("when", "CONDITION do COMMAND", .scripts, "Does it in the step that makes it true."),
        Item("boot", "N term=T [vote=M] [log=1,1:x=5,2]", .scripts, "What a node's disk holds before it starts."),
        Item("tolerate", "PROPERTY", .scripts, "The script means to break this property."),
    ]

    /// What can be waited for, expected, or armed.
    public static let conditions: [Item] = [
        Item("leader", "[N]", .conditions, "A node leads in the latest term; node N does."),
        Item("no leader", "", .conditions, "Nobody does."),
        Item("role", "N follower", .conditions, "Also precandidate, candidate, leader, learner, down."),
        Item("term", "N >= 4", .conditions, "Also commit, applied, first, last, snapshot; != < …"),
        Item("members", "N = 1,2,3", .conditions, "Who votes, as a node's log has it; no change open."),
        Item("vote", "N = M", .conditions, "Whom a node voted for; none for nobody."),
        Item("log", "N = 1,1,2", .conditions, "The terms of a node's entries; empty for none."),
        Item("value", "KEY = V [on N]", .conditions, "A key's value at the leader, or on a node."),
        Item("result", "= ok [V]", .conditions, "What the last call was answered."),
        Item("acked", "COUNT", .conditions, "How many writes were promised."),
        Item("converged", "", .conditions, "All that run have one log, all of it committed."),
        Item("stale", "", .conditions, "The last read missed an acknowledged write."),
        Item("safe", "", .conditions, "No property of the nodes was broken."),
        Item("linearizable", "", .conditions, "One store explains all answers."),
        Item("violation", "PROPERTY", .conditions, "This property was broken."),
        Item("not", "CONDITION", .conditions, "The opposite."),
    ]

    /// The names of what can stand in a script.
    static let names = unique(items.filter { $0.chapter != .prompt })
    /// The names of what can be done to a cluster.
    static let commandNames = unique(items.filter { $0.chapter != .prompt && $0.chapter != .scripts })
    /// The names of what can be typed at the prompt.
    static let promptNames = unique(items.filter { $0.chapter != .scripts }) + ["expect"]
    /// All names.
    static let allNames = unique(items)

    /// The language, a line each, for a page of help.
    public static var page: String {
        Chapter.allCases.filter { $0 != .prompt }.map { chapter in
            let lines = (items + conditions).filter { $0.chapter == chapter }.map {
                "  \($0.name) \($0.arguments)  \($0.sentence)"
            }
            return ([chapter.rawValue + ":"] + lines).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// The items' names, each once, for some have several lines.
    private static func unique(_ items: [Item]) -> [String] {
        items.map(\.name).reduce(into: []) { names, name in if names.last != name { names.append(name) } }
    }
}

/// What somebody may have meant.
enum Spelling {
    /// `; did you mean 'kill'?`, or nothing where no name is near.
    static func hint(for word: String, among names: [String]) -> String {
        guard let nearest = names.min(by: { distance(word, $0) < distance(word, $1) }) else { return "" }
        return distance(word, nearest) <= max(1, nearest.count / 3) ? "; did you mean '\(nearest)'?" : ""
    }

    /// How many letters are to be added, taken away, changed or swapped with their neighbour (Damerau).
    private static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one), Array(other))
        var rows = [Array(0...other.count)]
        for (i, letter) in one.enumerated() {
            var row = [i + 1]
            for (j, otherLetter) in other.enumerated() {
                var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == otherLetter ? 0 : 1))
                if i > 0, j > 0, letter == other[j - 1], one[i - 1] == otherLetter {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}

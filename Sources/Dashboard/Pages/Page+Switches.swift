import Canvas
import Laboratory
import RaftCore
import RaftTrace

// What can be switched while the cluster runs: the options of the protocol.

extension Model {
    var optionLines: [Page.Line] {
        guard let settings = picture.settings else { return [] }
        let switches: [(name: String, sentence: String, change: (Bool) -> OptionChange)] = [
            ("prevote", "a node asks whether it could win before it starts a term (thesis §9.6)", { .preVote($0) }),
            ("checkquorum", "a leader that hears from no majority steps down (thesis §6.2)", { .checkQuorum($0) }),
            ("noop", "a new leader appends an empty entry of its term (paper §8)", { .noop($0) }),
            ("lease", "a leader answers lease reads at once (thesis §6.4.1)", { .lease($0) }),
        ]
        let timeout = settings.electionTimeout.map(DurationText.text(of:)).joined(separator: "..")
        return switches.map { item in
            let isOn = settings.options.contains(item.name)
            return line(item.name, isOn ? "on" : "off", item.sentence, .perform(.option(item.change(!isOn))), isOn)
        } + [
            line("election-timeout", timeout, "how long a node waits for a leader", .type("option election-timeout ")),
            line(
                "heartbeat", DurationText.text(of: settings.heartbeat), "how often a leader shows that it leads",
                .type("option heartbeat ")),
            line(
                "snapshot-every", settings.snapshotEvery.map(String.init) ?? "off",
                "after how many entries a node takes a snapshot", .type("option snapshot-every ")),
            line(
                "snapshot-trailing", settings.snapshotTrailing.map(String.init) ?? "?",
                "how many of these entries stay in the log", .type("option snapshot-trailing ")),
        ]
    }

    private func line(
        _ name: String, _ value: String, _ sentence: String, _ action: Page.Action, _ isOn: Bool = true
    ) -> Page.Line {
        Page.Line(
            [
                (Page.padded(name, to: 19), .plain.bold),
                (Page.padded(value, to: 14), isOn ? Style(.green, isBold: true) : Style(.orange, isBold: true)),
                (sentence, .plain),
            ], action: action)
    }
}

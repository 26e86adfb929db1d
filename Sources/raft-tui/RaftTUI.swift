import ArgumentParser

/// The program: its subcommands and what they share.
@main
struct RaftTUI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "raft-tui",
        abstract: "A real Raft cluster in one terminal.",
        subcommands: [Run.self, Log.self])
}

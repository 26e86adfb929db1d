import ArgumentParser

/// The program: its subcommands and what they share.
@main
struct RaftTUI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "raft-tui",
        abstract: "A real Raft cluster in one terminal.",
        version: "raft-tui 0.1.0",
        subcommands: [
            Open.self, Run.self, Lessons.self, PresentLesson.self, PresentScript.self, Simulate.self, Explore.self,
            Soak.self, Bench.self, Check.self, ReplayTrace.self, Rules.self, Log.self, NodeProcess.self, Status.self,
            Watch.self,
        ],
        defaultSubcommand: Open.self)
}

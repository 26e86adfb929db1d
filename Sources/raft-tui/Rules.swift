import ArgumentParser
import Glibc
import RaftCore

/// `raft-tui rules`: the safety rules, a line each.
struct Rules: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the safety rules of Raft, as --without has them.")

    func run() {
        if isatty(STDOUT_FILENO) == 1 { print("rule  what it says") }
        for rule in Rule.allCases { print("\(rule.name)  \(rule.sentence)") }
    }
}

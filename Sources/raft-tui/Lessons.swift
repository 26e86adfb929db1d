import ArgumentParser
import Glibc
import Script

/// `raft-tui lessons`: what there is to teach with, a line each.
struct Lessons: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the lessons, in the order in which they build on each other.")

    func run() {
        if isatty(STDOUT_FILENO) == 1 { print("lesson  what it shows") }
        for lesson in Lesson.all { print("\(lesson.name)  \(lesson.title)") }
    }
}

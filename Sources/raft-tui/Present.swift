import ArgumentParser
import Glibc
import RaftCluster
import Script

/// `raft-tui lesson`: presents a lesson in the dashboard, or prints its page for students.
struct PresentLesson: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lesson",
        abstract: "Present a lesson in the dashboard.",
        discussion: """
            Page Down goes on, Page Up goes back, Esc leaves the lesson to play freely. raft-tui lessons lists them; \
            raft-tui run --lesson NAME plays one without a screen.
            """)

    @Argument(help: "The lesson.")
    var name: String

    @Flag(help: "Print a page for students instead: the story, room to draw, the questions without their answers.")
    var worksheet = false

    @OptionGroup var dashboard: Open

    func run() throws {
        if worksheet {
            print(try Lesson.find(name).worksheet, terminator: "")
            guard fflush(nil) == 0 else { throw Failure("can't write the page: \(String(cString: strerror(errno)))") }
            return
        }
        try dashboard.open((name, try Lesson.read(name)))
    }
}

/// `raft-tui play`: presents somebody's own script in the dashboard.
struct PresentScript: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "play",
        abstract: "Present a script of your own in the dashboard, as lessons are.")

    @Argument(help: "The script.")
    var file: String

    @OptionGroup var dashboard: Open

    func run() throws {
        try dashboard.open((file, try Script.read(Files.expanded(file), nodes: LiveCluster.usualSize)))
    }
}

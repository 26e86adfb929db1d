import ArgumentParser
import Glibc
import RaftStorage

/// `raft-tui log`: prints a node's log for a person.
struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a node's directory holds: its term, its vote and its log, frame by frame.",
        discussion: "Exit status: 0, or 2 where the log is damaged or can't be read.")

    @Argument(help: "The node's directory, like data/n1.")
    var directory: String

    func run() throws {
        let listing: LogListing
        do {
            listing = try LogListing(path: directory)
        } catch let error as StorageError {
            throw Failure(error.description)
        }
        for line in listing.lines { print(line) }
        if listing.isDamaged { throw Failure("\(directory) is damaged, as shown above: the node can't start from it") }
    }
}

import ArgumentParser
import ClusterWatch
import Glibc

/// `raft-tui status`: how nodes are that run as processes of their own.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print how nodes are that run as processes of their own.",
        discussion: """
            Exit status: 0 if a majority of the members answers and one of them leads, 1 if not, 64 usage.
            """)

    @OptionGroup var nodes: NodeAddresses

    func run() throws {
        let addresses = try nodes.list
        let table = StatusTable(zip(addresses, Survey.ask(addresses)).map { (address: $0, finding: $1) })
        for line in table.lines { print(line) }
        guard let trouble = table.trouble else { return }
        let line = Array("raft-tui: \(trouble)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
        throw ExitCode(1)
    }
}

/// Where nodes answer over HTTP, on the command line.
struct NodeAddresses: ParsableArguments {
    @Argument(help: "The nodes' HTTP addresses, like http://127.0.0.1:9001,http://127.0.0.1:9002.")
    var addresses: String

    /// The addresses.
    var list: [NodeAddress] {
        get throws {
            do { return try NodeAddress.list(parsing: addresses) } catch { throw ValidationError("\(error).") }
        }
    }

    func validate() throws { _ = try list }
}

import ArgumentParser
import Canvas
import Dashboard
import Glibc

/// What the commands that open the dashboard have in common.
struct ScreenOptions: ParsableArguments {
    @Flag(help: "Draw with ASCII only.")
    var ascii = false

    @Option(help: "The colours (default: dark, or mono where NO_COLOR is set).")
    var theme: Theme?

    /// How the screen is liked, where no key says otherwise.
    var taste: Taste { Taste(theme: theme ?? (Self.wantsNoColor ? .mono : .dark)) }

    /// Whether the environment asks programs to do without colours (no-color.org).
    private static var wantsNoColor: Bool { getenv("NO_COLOR").map { $0.pointee != 0 } ?? false }
}

extension Theme: ExpressibleByArgument {}

import CNcurses
import Canvas
import Glibc

/// The terminal: keys in, canvases out. There is one, and it is used on the main thread only.
///
/// While it is open, what goes to standard error is kept, and shown when it is closed; and whatever ends the process, a
/// crash on any thread included, the terminal gets back what it had.
@MainActor
public final class Terminal {
    private var palette: Palette
    private let errors: ErrorFile
    private let signals: SignalPipe
    private var shown: Canvas?
    private var modesBefore = termios()
    /// How many rows and columns there are.
    public private(set) var size: Size
    /// In which colours canvases are shown. Another one shows the next canvas whole.
    public var theme: Theme {
        didSet {
            guard theme != oldValue else { return }
            palette = Palette(colors: cn_colors(), theme: theme)
            palette.define()
            forget()
        }
    }

    /// Why there is no terminal to use: one sentence for its user.
    public struct Failure: Error, CustomStringConvertible {
        /// The sentence.
        public let description: String
    }

    /// Makes sure that standard input and output are a terminal.
    ///
    /// - Throws: ``Failure`` where one of them isn't.
    public static func require() throws(Failure) {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw Failure(
                description:
                    "this is no terminal: start raft-tui in one, or with --plain, or play a script with raft-tui run")
        }
    }

    /// Takes the terminal over.
    ///
    /// - Throws: ``Failure`` where standard input or output is no terminal, or `TERM` names none that is known.
    public init(theme: Theme) throws(Failure) {
        try Terminal.require()
        self.theme = theme
        tcgetattr(STDIN_FILENO, &modesBefore)
        guard cn_open() else {
            let name = getenv("TERM").map { String(cString: $0) } ?? ""
            throw Failure(
                description: name.isEmpty
                    ? "TERM is not set: set it to what your terminal is, like xterm-256color"
                    : "TERM is '\(name)', which this system doesn't know or which can't show a screen: set it to what your terminal is, like xterm-256color"
            )
        }
        palette = Palette(colors: cn_colors(), theme: theme)
        palette.define()
        hasMouse = cn_set_mouse(true)
        size = Terminal.currentSize()
        signals = SignalPipe([SIGWINCH, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT])
        errors = ErrorFile()
        Terminal.clearFlowControl()
        cn_guard_crashes(STDOUT_FILENO, errors.descriptor, errors.original)
        restoreModesAfterCrash()
    }

    /// The modes to go back to after a crash are those from before, not those of the screen.
    private func restoreModesAfterCrash() {
        var modes = termios()
        tcgetattr(STDIN_FILENO, &modes)
        tcsetattr(STDIN_FILENO, TCSANOW, &modesBefore)
        cn_guard_crashes(STDOUT_FILENO, errors.descriptor, errors.original)
        tcsetattr(STDIN_FILENO, TCSANOW, &modes)
    }

    /// Whether the terminal tells what its mouse does, where it is asked to.
    public let hasMouse: Bool

    /// Whether it is asked to, as at the beginning. Meanwhile its own selection is to be had with Shift, or not at all.
    public var isMouseTold = true {
        didSet { if isMouseTold != oldValue { _ = cn_set_mouse(isMouseTold) } }
    }

    /// Descriptors that can be read from when there is a key or a signal.
    public var descriptors: [Int32] { [STDIN_FILENO, signals.descriptor] }

    /// Gives the terminal back as it was, and shows what went to standard error meanwhile.
    public func close() {
        signals.restore()
        cn_close()
        cn_unguard_crashes()
        tcsetattr(STDIN_FILENO, TCSANOW, &modesBefore)
        errors.show()
    }

    // MARK: - Out

    /// Shows `canvas`: what differs from what is shown now is written, and nothing where nothing does.
    public func draw(_ canvas: Canvas, cursor: (row: Int, column: Int)?) {
        let isCursorShown = cursor != nil
        guard canvas != shown || isCursorShown || wasCursorShown else { return }
        if canvas != shown {
            Terminal.write("\u{1b}[?2026h")
            for row in 0..<min(canvas.size.rows, size.rows) { draw(row: row, of: canvas) }
        }
        cn_cursor(Int32(cursor?.row ?? -1), Int32(cursor?.column ?? 0))
        cn_refresh()
        if canvas != shown { Terminal.write("\u{1b}[?2026l") }
        shown = canvas
        wasCursorShown = isCursorShown
    }

    private var wasCursorShown = false

    /// Forgets what is on the terminal, so that the next canvas is written whole.
    public func forget() {
        shown = nil
        cn_forget()
    }

    /// Writes the cells of a row that differ, in runs of one style.
    private func draw(row: Int, of canvas: Canvas) {
        let cells = canvas.row(row)
        if let shown, shown.size == canvas.size, shown.row(row) == cells { return }
        var run = ""
        var start = 0
        var style = Style.plain
        for (column, cell) in cells.enumerated() {
            // The second half of a wide letter belongs to the run of its first.
            if cell.text.isEmpty { continue }
            if cell.style != style || run.isEmpty {
                flush(run, row: row, column: start, style)
                (run, start, style) = ("", column, cell.style)
            }
            run += cell.text
        }
        flush(run, row: row, column: start, style)
    }

    private func flush(_ run: String, row: Int, column: Int, _ style: Style) {
        guard !run.isEmpty else { return }
        let (attributes, pair) = palette.look(of: style)
        var run = run
        run.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) {
                cn_write(Int32(row), Int32(column), $0.baseAddress, Int32($0.count), attributes, pair)
            }
        }
    }

    /// Puts `text` into the terminal's clipboard, where the terminal lets programs do that.
    public func copy(_ text: String) { Terminal.write(Clipboard.sequence(for: text)) }

    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }

    // MARK: - In

    /// The keys that were pressed since this was called last.
    public func takeKeys() -> [Key] {
        var keys: [Key] = []
        while true {
            let press = cn_key()
            guard press.kind != 0 else { return keys }
            if let key = Key(press) { keys.append(key) }
        }
    }

    /// What a signal means to the program.
    public enum Occurrence: Hashable, Sendable {
        /// The terminal has another size; ``Terminal/size`` knows it.
        case resized
        /// The program is to end, because of this signal.
        case ended(signal: Int32)
        /// The program stood still and goes on.
        case resumed
    }

    /// What signals have come since this was called last. Stopping is done here: the terminal is given back, and taken
    /// over again when the program goes on.
    public func takeOccurrences() -> [Occurrence] {
        signals.take().compactMap { number in
            switch number {
            case SIGWINCH:
                resize()
                return .resized
            case SIGTSTP:
                stop()
                return .resumed
            case SIGCONT: return nil
            default: return .ended(signal: number)
            }
        }
    }

    private func resize() {
        size = Terminal.currentSize()
        cn_resize(Int32(size.rows), Int32(size.columns))
        shown = nil
    }

    private func stop() {
        cn_suspend()
        tcsetattr(STDIN_FILENO, TCSANOW, &modesBefore)
        // The whole process group, as the shell expects of a job.
        kill(0, SIGSTOP)
        Terminal.clearFlowControl()
        cn_resume()
        resize()
    }

    private static func currentSize() -> Size {
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_row > 0 else {
            return Size(rows: 24, columns: 80)
        }
        return Size(rows: Int(window.ws_row), columns: Int(window.ws_col))
    }

    /// Ctrl-S is to be a key and not to stop the screen.
    private static func clearFlowControl() {
        var modes = termios()
        tcgetattr(STDIN_FILENO, &modes)
        modes.c_iflag &= ~tcflag_t(IXON)
        tcsetattr(STDIN_FILENO, TCSANOW, &modes)
    }
}

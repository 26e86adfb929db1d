import Canvas
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace
import Script

/// Everything that the screen shows and remembers: a value that messages change and views draw.
public struct Model: Sendable {
    /// The terminal's size.
    public internal(set) var size: Size
    /// Whether only ASCII can be shown.
    public let isASCII: Bool
    /// How its user likes the screen.
    public internal(set) var taste: Taste
    /// Whether a trace is shown, in which nothing can be done.
    public let isReplay: Bool
    /// Whether what has passed can be gone back to, and gone on from on another way.
    public let canBranch: Bool
    /// What the bytes of a message are; `nil` where nobody has said so.
    let frameBytes: FrameBytes?
    /// What was seen of the cluster.
    public internal(set) var witness = Witness()
    /// How many of the audit's findings were told.
    var findingsTold = 0
    /// What happened, to read.
    var feed = Feed()
    /// What happened, to be looked back at.
    var timeline = Timeline()
    /// What clients asked, and how the cluster served them.
    var service = Service()
    /// Which rules were at work.
    var rulesAtWork = RulesAtWork()
    /// What turned the story.
    var tape = Tape()
    /// The moment that is looked back at; `nil` while the screen shows what is.
    var past: Past?
    /// What was done, as a script that does it again.
    public internal(set) var transcript = Transcript()
    /// How much happened when.
    var statistics = Statistics()
    /// The cluster's time.
    var presentNow = Instant.zero
    /// The server that keys are for.
    var selected = NodeID(1)
    /// The pane that keys are for.
    var focus = Pane.nodes
    /// Whether that pane has the whole screen.
    var isZoomed = false
    /// The lesson that is presented, or was left for a while.
    public internal(set) var lecture: Lecture?
    /// The page that is open while a line is typed, and to which the screen goes back then.
    var pageBehind: Page?
    /// What the keyboard does now.
    var mode = Mode.watching
    /// The lines that were typed, the latest last.
    var history: [String]
    /// What the events are filtered by.
    var filter = ""
    /// How many lines, or entries, the panes that can be looked back in are back.
    var eventsBack = 0
    var entriesBack = 0
    /// What the program has to say, in the line above the last.
    var notice = Notice("")
    /// Whether the key that resets the cluster was pressed once.
    var wantsReset = false
    /// The call that was typed last and is not answered yet.
    var openCall: (call: UInt64, line: String)?
    /// The clock's rate, as it was set; it is kept while the clock stands still.
    var speed: Double
    /// Whether the clock slows down by itself when the first leader is there, or a lesson has said its first sentence.
    var slowsTo: Double?
    /// The pace to which it does.
    let pace: Double?

    /// The screen at the beginning.
    ///
    /// - Parameters:
    ///   - history: The lines that were typed in earlier sessions, the latest last.
    ///   - speed: The clock's rate.
    ///   - slowsTo: The rate to go on with when the first leader is there.
    ///   - isReplay: Whether a trace is shown.
    ///   - taste: How its user likes the screen.
    ///   - frameBytes: What the bytes of a message are, on its way over a socket.
    public init(
        size: Size, isASCII: Bool, history: [String] = [], speed: Double, slowsTo: Double? = nil,
        isReplay: Bool = false, canBranch: Bool = false, taste: Taste = Taste(),
        frameBytes: FrameBytes? = nil
    ) {
        self.frameBytes = frameBytes
        self.canBranch = canBranch
        self.size = size
        self.taste = taste
        self.isReplay = isReplay
        self.isASCII = isASCII
        self.history = history
        self.speed = speed
        self.slowsTo = slowsTo
        pace = slowsTo
    }

    /// What the screen shows of the cluster: what is known now, or was at the moment that is looked back at.
    public var picture: Picture { past?.picture ?? witness.picture }
    /// What the cluster has done for its clients, or had by the moment that is looked back at.
    var shownService: Service { past?.service ?? service }
    /// What is known of the cluster now.
    public var present: Picture { witness.picture }
    /// The cluster's time, or that of the moment that is looked back at.
    var now: Instant { past?.picture.now ?? presentNow }
    /// What holds the cluster to Raft's properties.
    public var audit: Audit { witness.audit }

    var symbols: Symbols { Symbols(isASCII: isASCII) }

    /// The parts of the screen, in the order in which Tab goes through them.
    enum Pane: Int, CaseIterable, Sendable {
        case nodes
        case logs
        case store
        case events
        case cluster
    }

    /// A moment that is looked back at.
    struct Past: Sendable {
        /// The place of the last event that had happened then.
        var place: Int
        /// What was known of the cluster.
        var picture: Picture
        /// What it had done for its clients.
        var service: Service
    }

    /// What the keyboard does.
    enum Mode: Sendable {
        /// Keys are commands.
        case watching
        /// A line is typed; the place in the history that it came from, and what is going on with Tab.
        case prompt(LineEditor, Recall)
        /// The events' filter is typed.
        case filter(LineEditor)
        /// The help is open, with its filter, and scrolled down by so many lines.
        case help(LineEditor, top: Int)
        /// A link of the selected server is to be cut; a digit says which.
        case link
        /// A page is open over the panes.
        case page(Page)
        /// The list of lessons is open, and this line of it is chosen.
        case lessons(Int)
    }

    /// What the arrows and Tab remember while a line is typed.
    struct Recall: Sendable {
        /// The line of the history that is shown; its end for the one being typed.
        var place: Int
        /// What was being typed before the history was looked through.
        var draft = ""
        /// Candidates that Tab goes through, and which of them stands in the line.
        var candidates: [String] = []
        var candidate: Int?
    }

    /// A line of the program's own.
    struct Notice: Sendable {
        var text: String
        var isTrouble: Bool

        init(_ text: String, isTrouble: Bool = false) {
            self.text = text
            self.isTrouble = isTrouble
        }
    }
}

/// What the model is told.
public enum DashboardMessage: Sendable {
    /// A key was pressed.
    case key(Key)
    /// These things happened, and this is the cluster's time.
    case events([Event], now: Instant)
    /// The terminal has another size.
    case resized(Size)
    /// A client's command that was typed has begun, under this number.
    case called(UInt64, line: String)
    /// A command was not carried out.
    case refused(String)
    /// Something was done that no event tells.
    case done(String)
    /// The cluster has gone back to the moment that is shown, and goes on from there.
    case branched
    /// A script begins to be presented, on a fresh cluster.
    case presenting(Script, name: String)
    /// The script that is presented has come so far.
    case progress(LectureProgress)
}

/// What the model asks of the program.
public enum Effect: Hashable, Sendable {
    /// Carry out a command.
    case perform(Command)
    /// Keep a line that was typed.
    case remember(String)
    /// Keep the screen in a file.
    case screenshot(String)
    /// Put a text into the terminal's clipboard.
    case copy(String)
    /// Keep what was done in a file, as a script.
    case save(String)
    /// Record the screen in this file from now on; without one, no more.
    case record(String?)
    /// Present the lesson of this name, on a fresh cluster.
    case lesson(String)
    /// Go on with the lesson.
    case turnPage
    /// Leave the lesson for a while, or take it up again.
    case leaveLesson(Bool)
    /// The lesson is over.
    case endLesson
    /// Go back to the moment after the event of this number, and carry a command out there.
    case branch(after: UInt64, then: Command)
    /// End.
    case quit
    /// Draw the whole screen anew.
    case redraw
}

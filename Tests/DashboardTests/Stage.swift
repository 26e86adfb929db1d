import Bench
import Canvas
import Foundation
import KeyValue
import Laboratory
import RaftCore
import RaftNode
import RaftTrace
import RaftTransport
import Testing

@testable import Dashboard

/// A dashboard over servers that are moved by hand, so that what it shows is the same every time.
struct Stage {
    private(set) var bench: NodeBench
    private(set) var model: Model
    private(set) var effects: [Effect] = []
    private var told = 0
    private var extra: [Event] = []

    init(
        _ nodes: Int, rows: Int = 24, columns: Int = 80, isASCII: Bool = false, settings: Settings = Settings(),
        slowsTo: Double? = nil
    ) {
        _ = setlocale(LC_CTYPE, "C.UTF-8")
        bench = NodeBench(nodes, settings: settings)
        model = Model(
            size: Size(rows: rows, columns: columns), isASCII: isASCII, history: ["set old 1", "get old"], speed: 0.1,
            slowsTo: slowsTo,
            frameBytes: { $0.frame(number: $1) })
        tell()
    }

    /// Lets something happen on the servers, and tells the dashboard.
    mutating func act(_ body: (inout NodeBench) -> Void) {
        body(&bench)
        tell()
    }

    /// Tells the dashboard something that no server says.
    mutating func happen(_ kind: Event.Kind) {
        let event = Event(at: bench.now, sequence: model.present.sequence + 1, kind: kind)
        effects = model.update(.events([event], now: bench.now))
    }

    /// Types keys; answers what the dashboard wants done.
    @discardableResult
    mutating func press(_ keys: Key...) -> [Effect] {
        effects = []
        for key in keys { effects += model.update(.key(key)) }
        return effects
    }

    @discardableResult
    mutating func type(_ text: String) -> [Effect] {
        effects = []
        for letter in text { effects += model.update(.key(letter == "\n" ? .enter : .character(letter))) }
        return effects
    }

    mutating func update(_ message: DashboardMessage) { effects = model.update(message) }

    /// Shows the moment after the event at a place of the timeline.
    mutating func look(at place: Int) { model.look(at: place) }

    mutating func resize(rows: Int, columns: Int) { update(.resized(Size(rows: rows, columns: columns))) }

    var screen: String { model.view().canvas.text }

    private mutating func tell() {
        let events = Array(bench.events[told...])
        told = bench.events.count
        effects = model.update(.events(events, now: bench.now))
    }
}

extension Stage {
    /// Five servers whose leader n1 has a lease, and asks whether it still leads: n2 has said so.
    static func reads(rows: Int, columns: Int) -> Stage {
        var settings = Settings()
        settings.options.lease = true
        var stage = Stage(5, rows: rows, columns: columns, settings: settings)
        stage.act { bench in
            bench.reachDeadline(of: NodeID(1))
            bench.deliver()
            bench.reachDeadline(of: NodeID(1))
            bench.deliver()
            bench.now = bench.now + .milliseconds(30)
            _ = bench.ask(.read(.get(key: "x".bytes, .readindex)), on: NodeID(1))
            bench.deliver { $0.to == NodeID(2) || $0.from == NodeID(2) }
        }
        return stage
    }

    /// Five servers that have elected n3, with some writes, one server down, a cut link and messages on their way.
    static func scene(rows: Int, columns: Int, isASCII: Bool = false) -> Stage {
        let nodes = (1...5).map { NodeID($0) }
        var stage = Stage(5, rows: rows, columns: columns, isASCII: isASCII)
        stage.act { $0.elect(nodes[0]) }
        stage.act { bench in
            for number in 1...7 as ClosedRange<UInt64> {
                _ = bench.perform(.set(key: "k\(number % 3)".bytes, value: "\(number)".bytes), sequence: number)
            }
        }
        stage.happen(.command(CommandDone(text: "kill 5")))
        stage.act { $0.crash(nodes[4]) }
        stage.act { bench in
            bench.now = bench.now + .milliseconds(400)
            bench.elect(nodes[2])
        }
        var cut = LinkState(from: nodes[0], to: nodes[1])
        cut.isCut = true
        stage.happen(.link(cut))
        stage.act { bench in
            _ = bench.ask(.write(SessionCommand(.set(key: "x".bytes, value: "5".bytes))), on: nodes[2])
        }
        stage.act { $0.now = $0.now + .milliseconds(40) }
        let append = Append(
            previous: LogPosition(term: Term(2), index: LogIndex(9)),
            entries: [Entry(term: Term(2), payload: .noop)], commit: LogIndex(9), round: .zero)
        for receiver in [nodes[0], nodes[3]] {
            let message = RaftCore.Message(
                from: nodes[2], incarnation: .first, to: receiver, term: Term(2), body: .append(append))
            stage.happen(
                .sent(
                    MessageSent(
                        number: UInt64(17 + receiver.rawValue), message: message,
                        due: stage.bench.now + .milliseconds(20))))
        }
        stage.act { $0.now = $0.now + .milliseconds(10) }
        return stage
    }
}

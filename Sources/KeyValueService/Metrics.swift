import HTTPTypes
import Synchronization

/// What was asked, how it was answered and how long that took.
final class Metrics: Sendable {
    private struct Tally {
        var codes: [Int: UInt64] = [:]
        var buckets = [UInt64](repeating: 0, count: Metrics.bounds.count)
        var count: UInt64 = 0
        var total = Duration.zero
    }

    /// The upper bounds of a histogram's buckets, as Prometheus names them.
    private static let bounds: [(text: String, duration: Duration)] = [
        ("0.0005", .microseconds(500)), ("0.001", .milliseconds(1)), ("0.0025", .microseconds(2_500)),
        ("0.005", .milliseconds(5)), ("0.01", .milliseconds(10)), ("0.025", .milliseconds(25)),
        ("0.05", .milliseconds(50)), ("0.1", .milliseconds(100)), ("0.25", .milliseconds(250)),
        ("0.5", .milliseconds(500)), ("1", .seconds(1)), ("2.5", .milliseconds(2_500)), ("5", .seconds(5)),
        ("10", .seconds(10)),
    ]

    private let tallies = Mutex([Tally](repeating: Tally(), count: Route.allCases.count))

    /// A request was answered.
    func count(_ route: Route, _ status: HTTPResponse.Status, took duration: Duration) {
        let bucket = Metrics.bounds.firstIndex { duration <= $0.duration }
        tallies.withLock { tallies in
            tallies[route.rawValue].codes[status.code, default: 0] += 1
            tallies[route.rawValue].count += 1
            tallies[route.rawValue].total += duration
            if let bucket { tallies[route.rawValue].buckets[bucket] += 1 }
        }
    }

    /// Writes them as Prometheus reads them.
    func write(to text: inout MetricsText) {
        let tallies = tallies.withLock { $0 }
        let routes = Route.allCases.filter { tallies[$0.rawValue].count > 0 }
        text.begin("http_requests_total", .counter, "Requests that were answered.")
        for route in routes {
            for (code, count) in tallies[route.rawValue].codes.sorted(by: { $0.key < $1.key }) {
                text.line("http_requests_total{code=\"\(code)\",route=\"\(route.pattern)\"}", count)
            }
        }
        text.begin("http_request_duration_seconds", .histogram, "How long answers took.")
        for route in routes { Metrics.write(tallies[route.rawValue], route, to: &text) }
    }

    private static func write(_ tally: Tally, _ route: Route, to text: inout MetricsText) {
        let name = "http_request_duration_seconds"
        var sum: UInt64 = 0
        for (bound, count) in zip(bounds, tally.buckets) {
            sum += count
            text.line("\(name)_bucket{route=\"\(route.pattern)\",le=\"\(bound.text)\"}", sum)
        }
        text.line("\(name)_bucket{route=\"\(route.pattern)\",le=\"+Inf\"}", tally.count)
        text.line("\(name)_sum{route=\"\(route.pattern)\"}", tally.total / .seconds(1))
        text.line("\(name)_count{route=\"\(route.pattern)\"}", tally.count)
    }
}

/// Prometheus' text, line by line.
struct MetricsText {
    /// What kind of number it is.
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private(set) var text = ""

    /// What the following lines are about.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// A number.
    mutating func line(_ name: String, _ value: some LosslessStringConvertible) {
        text += "\(name) \(value)\n"
    }

    /// A number that stands alone under its name.
    mutating func one(_ name: String, _ kind: Kind, _ help: String, _ value: some LosslessStringConvertible) {
        begin(name, kind, help)
        line(name, value)
    }
}

import Canvas
import Dashboard
import KeyValue
import Laboratory
import RaftCore
import RaftSimulation
import RaftTrace

// What looking back costs: `looking-back-benchmark`. A hundred thousand events of a simulated cluster under load go into the
// dashboard, which then jumps about in them, draws each moment, and asks why.

let clock = ContinuousClock()

/// Events of five servers under load, so many at least.
func events(_ count: Int) throws -> [Event] {
    let cluster = SimulatedCluster(.init(nodes: 5, seed: 1, latency: .milliseconds(1) ... .milliseconds(3)))
    var (picture, events) = (Picture(), [Event]())
    cluster.start()
    var isLoaded = false
    while events.count < count {
        for event in cluster.takeEvents() {
            picture.apply(event)
            events.append(event)
        }
        if !isLoaded, picture.leader != nil {
            try cluster.perform(.load(Load(rate: 2_000)), seeing: picture)
            isLoaded = true
        }
        cluster.waitForEvents(until: nil)
    }
    return events
}

func milliseconds(_ duration: Duration) -> Double { (duration / .milliseconds(1) * 100).rounded() / 100 }

let all = try events(110_000)
var model = Model(size: Size(rows: 40, columns: 120), isASCII: false, speed: 1)
let folding = clock.measure {
    for start in stride(from: 0, to: all.count, by: 500) {
        let batch = Array(all[start..<min(all.count, start + 500)])
        _ = model.update(.events(batch, now: batch[batch.count - 1].at))
    }
}
let whole = model
var jumps: [Duration] = []
var drawing: [Duration] = []
for round in 0..<240 {
    model = whole
    // The line along the bottom is the third from below; every column is a moment.
    let click = Mouse(.press, row: 37, column: round / 2)
    jumps.append(clock.measure { _ = model.update(.key(.mouse(click))) })
    drawing.append(clock.measure { _ = model.view() })
}
for _ in 0..<200 {
    jumps.append(clock.measure { _ = model.update(.key(.left)) })
    drawing.append(clock.measure { _ = model.view() })
}
model = whole
let why = clock.measure { _ = model.update(.key(.character("e"))) }
func middle(_ times: [Duration]) -> Double { milliseconds(times.sorted()[times.count / 2]) }
func most(_ times: [Duration]) -> Double { milliseconds(times.max() ?? .zero) }
print(
    "looking back: \(all.count) events, \(Int(Double(all.count) / (folding / .seconds(1)))) a second folded;",
    "a jump takes \(middle(jumps)) ms, \(most(jumps)) at most; drawing \(middle(drawing)) ms, \(most(drawing)) at most;",
    "why, \(milliseconds(why)) ms")

import Canvas
import KeyValue
import Laboratory
import RaftAudit
import RaftCore
import RaftTrace

// What the audience asked: each call with its answer on a common axis with the faults, what is promised, and how long the
// cluster could not serve anybody.

extension Model {
    func operationLines(columns: Int) -> [Page.Line] {
        let operations = shownService.operations
        return [verdictLine, ledgerLine(operations), stopwatchLine] + faultLines
            + (operations.isEmpty ? [] : [Page.Line.heading("Calls, the latest first")])
            + strip(Array(operations.suffix(64)), columns: columns)
    }

    /// Whether all is well, in a sentence.
    private var verdictLine: Page.Line {
        let findings = audit.findings.filter(isShown)
        if let first = findings.first { return .fact("verdict", "\(first)", Style(.vermilion, isBold: true)) }
        let unchecked = audit.safety.unchecked + audit.clients.unchecked
        if unchecked > 0 {
            return .fact(
                "verdict", "nothing broken was seen, but \(unchecked) steps could not be checked", Style(.orange))
        }
        return .fact(
            "verdict", "no property is broken, and one store explains every answer so far", Style(.green, isBold: true))
    }

    /// What clients were promised, and what was lost without a promise.
    private func ledgerLine(_ operations: [Service.Operation]) -> Page.Line {
        let open = operations.count { $0.answer == nil }
        let unknown = operations.count { $0.answer?.result == .unknown }
        let isBroken = audit.findings.contains {
            ($0.property == .promise || $0.property == .leaderCompleteness) && isShown($0)
        }
        var words = [picture.acknowledgedWrites.of("write promised", "writes promised")]
        if open > 0 { words.append(open.of("call open", "calls open")) }
        if unknown > 0 { words.append("\(unknown) unknown") }
        if shownService.struckOut > 0 {
            words.append(
                shownService.struckOut.of("entry struck out", "entries struck out")
                    + (isBroken ? ", AND A PROMISE IS BROKEN" : ", never promised"))
        }
        return .fact("promises", words.joined(separator: "; "), isBroken ? Style(.vermilion, isBold: true) : .plain)
    }

    private static let fault = Style(.vermilion, isBold: true, isReversed: true)

    private var stopwatchLine: Page.Line {
        guard let since = shownService.leaderlessSince else {
            return .fact("availability", "there is a leader")
        }
        return .fact("availability", "no leader for \(Model.milliseconds(now - since))", Style(.orange, isBold: true))
    }

    private var faultLines: [Page.Line] {
        let faults = shownService.faults.suffix(8)
        guard !faults.isEmpty else { return [] }
        let heading = Page.Line(
            Page.padded("after", to: 30) + Page.padded("no leader for", to: 18) + "a write waited for", .faint)
        return [heading]
            + faults.map { fault in
                let leader = fault.lostLeader ? lasted(from: fault.at, to: fault.leader) : "had one"
                return Page.Line(
                    Page.padded(fault.text, to: 30) + Page.padded(leader, to: 18)
                        + (fault.asked.map { lasted(from: $0, to: fault.commit) } ?? "nothing was written"))
            }
    }

    private func lasted(from start: Instant, to end: Instant?) -> String {
        guard let end else { return "\(Model.milliseconds(now - start)) so far" }
        return Model.milliseconds(end - start)
    }

    static func milliseconds(_ length: Interval) -> String { "\(length.nanoseconds / 1_000_000) ms" }

    // MARK: - The strip

    /// Each call as a line: what, the answer, and a bar from when it was asked to when it was answered.
    private func strip(_ operations: [Service.Operation], columns: Int) -> [Page.Line] {
        guard let first = operations.first?.at else { return [] }
        let width = max(8, columns - 50)
        let axis = TimeAxis(from: first, to: now, columns: width)
        var marks = Array(repeating: " ", count: width)
        for fault in shownService.faults where fault.at >= first {
            marks[axis.column(of: fault.at)] = symbols.sign(of: Tape.Kind.fault).0
        }
        let faults = Page.Line([
            (Page.padded("faults", to: 48), .faint), (marks.joined(), Style(.vermilion, isBold: true)),
        ])
        return (marks.contains { $0 != " " } ? [faults] : []) + operations.reversed().map { line(of: $0, axis) }
    }

    private func line(of operation: Service.Operation, _ axis: TimeAxis) -> Page.Line {
        let answer = operation.answer
        let style: Style =
            switch answer?.result {
            case nil: Style(.yellow)
            case .ok?, .value?, .keys?, .notFound?, .mismatch?: Style(.green)
            case .unknown?: Style(.orange, isBold: true)
            case .notLeader?, .error?, .refused?: Style(.vermilion)
            }
        let isAtFault = audit.clients.findings.contains { $0.call == operation.call.call && isShown($0) }
        let start = axis.column(of: operation.at)
        let end = max(start, axis.column(of: answer?.at ?? now))
        let bar =
            String(repeating: " ", count: start)
            + String(repeating: isASCII ? "=" : "━", count: end - start) + (answer == nil ? symbols.nextMark : "|")
        let call = operation.call
        let what = ClientCommand(call.request, via: call.via.map { .node($0) }, isRetry: call.isRetry).description
        return Page.Line(
            [
                (Page.padded((isAtFault ? "!" : "") + operation.call.client, to: 6), isAtFault ? Model.fault : .faint),
                (Page.fitted(what, to: 26), .plain),
                (
                    Page.fitted(answer.map { "\($0.result)" } ?? symbols.ellipsis, to: 16),
                    isAtFault ? Model.fault : style.bold
                ),
                (bar, isAtFault ? Model.fault : style),
            ], action: .explain(answer?.place ?? operation.place))
    }
}

extension Page {
    /// `text` in just so many columns.
    static func fitted(_ text: String, to width: Int) -> String {
        var fitted = ""
        var taken = 0
        for glyph in Glyph.all(in: text) {
            guard taken + glyph.width < width else { break }
            fitted += glyph.text
            taken += glyph.width
        }
        return fitted + String(repeating: " ", count: width - taken)
    }
}

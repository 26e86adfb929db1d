import Canvas
import Laboratory
import RaftCore
import RaftTrace

// The rules of the protocol, a line each: what was just at work is lit, with the server it was at work on, and a rule that is
// switched off stands out.

extension Model {
    var ruleLines: [Page.Line] {
        let atWork = shownRulesAtWork
        return RuleLine.Group.allCases.flatMap { group in
            [Page.Line.heading(group.rawValue)]
                + RuleLine.all.filter { $0.group == group }.map { line(of: $0, atWork[$0]) }
        }
    }

    /// The rules at work up to the moment that is shown.
    private var shownRulesAtWork: RulesAtWork {
        guard let past else { return rulesAtWork }
        let first = max(timeline.start, past.place - Model.rulesWindow)
        return RulesAtWork(timeline[first...past.place], startingAt: first)
    }

    /// How many events before a moment that has passed are looked through.
    private static let rulesWindow = 5_000
    /// For how long a rule that was at work is lit, in cluster time.
    private static let glow = Interval.milliseconds(60)

    private func line(of rule: RuleLine, _ firing: RulesAtWork.Firing?) -> Page.Line {
        let isOff = rule.rule.map { picture.settings?.rulesOff.contains($0.name) == true } ?? false
        let isLit = firing.map { now - $0.at <= Model.glow } ?? false
        let style: Style = isOff ? Style(.vermilion, isBold: true) : isLit ? Style(.yellow, isBold: true) : .plain
        let mark =
            isOff ? "OFF " : isLit ? "\(symbols.atWork)   " : rule.rule == nil ? "    " : "\(symbols.tick)   "
        let place = firing.map { "\($0.node) \($0.at.clockText)" } ?? ""
        return Page.Line(
            [
                (Page.fitted(mark, to: 4), style), (Page.fitted(rule.sentence, to: 66), style),
                (Page.fitted(rule.section, to: 17), .faint), (place, isLit ? style : .faint),
            ], action: firing.map { .explain($0.place) })
    }

    /// Keeps or breaks the rule of a line.
    mutating func switchRule(_ place: Int) -> [Effect] {
        let rows = RuleLine.Group.allCases.flatMap { group in
            [nil] + RuleLine.all.filter { $0.group == group }.map { Optional($0) }
        }
        guard rows.indices.contains(place), let line = rows[place] else { return [] }
        guard let rule = line.rule else {
            notice = Notice("this rule has no switch: it is how the protocol works", isTrouble: true)
            return []
        }
        let isOff = present.settings?.rulesOff.contains(rule.name) == true
        return perform(.rule(rule, isOn: isOff))
    }
}

import Canvas
import Laboratory
import RaftCore
import RaftTrace

extension Model {
    var ruleLines: [Page.Line] { [] }
    mutating func switchRule(_ place: Int) -> [Effect] { [] }
}

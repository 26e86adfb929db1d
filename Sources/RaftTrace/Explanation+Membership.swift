import RaftCore

// What happens to the members, in sentences (paper §6, thesis §4).

extension Configured {
    func explanation(on node: NodeID) -> Explanation {
        if members.isJoint {
            return Explanation(
                [node],
                "needs a majority of \(members.voters) and one of \(members.outgoing) from now on: several members change at once",
                "§6", .important)
        }
        guard !members.learners.isEmpty else {
            let majority = members.majority == 1 ? "1 of them is" : "\(members.majority) of them are"
            let what =
                members.voters.count == 1
                ? "counts \(members.voters) as the only voter from now on"
                : "counts \(members.voters) as voters from now on: \(majority) a majority"
            return Explanation([node], what, "thesis §4.1", .important)
        }
        let rest =
            members.learners.count == 1
            ? "it gets the log, and counts for nothing until it has it"
            : "they get the log, and count for nothing until they have it"
        return Explanation([node], "lets \(members.learners) learn: \(rest)", "thesis §4.2.1", .important)
    }
}

extension ChangeRefused {
    func explanation(on node: NodeID) -> Explanation {
        let what = [added.isEmpty ? nil : "add \(added)", removed.isEmpty ? nil : "remove \(removed)"]
            .compactMap { $0 }.joined(separator: ", ")
        return Explanation(
            [node], "doesn't change the members (\(what)): \(reason.sentence)", "thesis §4.1", .important)
    }
}

extension ChangeRefused.Reason {
    /// The reason, as the end of a sentence.
    public var sentence: String {
        switch self {
        case .notLeader: "it doesn't lead"
        case .termNotCommitted: "no entry of its own term is committed yet"
        case .changeOpen: "another change is under way"
        case .transferOpen: "it hands over"
        case .lastVoter: "nobody would be left"
        case .noMajority: "too few of those who would be left may vote, for a disk was lost"
        case .nothingToChange: "nothing would change"
        }
    }
}

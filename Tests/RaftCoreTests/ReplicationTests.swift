import RaftCore
import Testing

/// Paper §5.3 and Figure 2: AppendEntries.
struct ReplicationTests {
    private static func append(
        after term: UInt64, _ index: UInt64, terms: [UInt64], commit: UInt64 = 0
    ) -> Message.Body {
        .append(
            Append(
                previous: LogPosition(term: Term(term), index: LogIndex(index)),
                entries: terms.map { Entry(term: Term($0), payload: .command([UInt8(truncatingIfNeeded: $0)])) },
                commit: LogIndex(commit), round: .zero))
    }

    @Test("the leader appends the command, replicates it, commits it at a majority, and tells the followers next")
    func replication() {
        var bench = Workbench(3)
        bench.elect(n1)
        bench.propose([7], on: n1)
        #expect(bench.proposal == .appended(first: LogPosition(term: Term(1), index: LogIndex(2))))
        bench.deliverOnce { $0.to == n2 }
        #expect(bench[n1].commitIndex == LogIndex(1))
        bench.deliverOnce { $0.to == n1 }
        #expect(bench[n1].commitIndex == LogIndex(2), "two of three store it")
        #expect(bench[n2].commitIndex < LogIndex(2), "followers learn it with the next message")
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n2].commitIndex == LogIndex(2))
        #expect(bench[n3].commitIndex == LogIndex(2))
        #expect(bench[n3].log == bench[n1].log)
    }

    @Test("a server that doesn't lead refuses a proposal, appends nothing and names the leader")
    func refusedProposal() {
        var bench = Workbench(3)
        bench.propose(on: n2)
        #expect(bench.proposal == .refused(leader: nil))
        bench.elect(n1)
        bench.propose(on: n2)
        #expect(bench.proposal == .refused(leader: n1))
        #expect(bench[n2].lastIndex == 1)
    }

    @Test("a follower refuses entries whose predecessor it doesn't hold")
    func consistencyCheck() {
        var bench = Workbench(3, disks: [n2: .init(term: 2, terms: [1, 1, 2])])
        bench.inject(Self.append(after: 3, 3, terms: [3]), from: n1, to: n2, term: Term(3))
        #expect(bench[n2].terms == [1, 1, 2])
        #expect(
            bench.takeWire().first?.response?.outcome
                == .refused(
                    previous: LogIndex(3), hint: LogPosition(term: Term(2), index: LogIndex(3))))
        bench.inject(Self.append(after: 2, 7, terms: [3]), from: n1, to: n2, term: Term(3))
        #expect(bench[n2].terms == [1, 1, 2])
        bench.inject(Self.append(after: 2, 3, terms: [3]), from: n1, to: n2, term: Term(3))
        #expect(bench[n2].terms == [1, 1, 2, 3])
    }

    @Test("without the consistency check a follower takes entries after one that differs")
    func consistencyOff() {
        var bench = Workbench(
            3, settings: Settings { $0.rules = .all(without: .logMatching) },
            disks: [n2: .init(term: 2, terms: [1, 1, 2])])
        bench.inject(Self.append(after: 3, 3, terms: [3]), from: n1, to: n2, term: Term(3))
        #expect(bench[n2].terms == [1, 1, 2, 3])
    }

    @Test("a conflicting entry goes with all that follow it, even for a shorter batch")
    func conflict() {
        var bench = Workbench(3, disks: [n2: .init(term: 2, terms: [1, 2, 2, 2])])
        bench.inject(Self.append(after: 1, 1, terms: [3]), from: n1, to: n2, term: Term(3))
        #expect(bench[n2].terms == [1, 3])
        #expect(bench.disks[n2]?.entries.map(\.term.rawValue) == [1, 3])
    }

    @Test("without the whole-tail rule the rest of the tail stays")
    func wholeTailOff() {
        var bench = Workbench(
            3, settings: Settings { $0.rules = .all(without: .truncateWholeTail) },
            disks: [n2: .init(term: 2, terms: [1, 2, 2, 2])])
        bench.inject(Self.append(after: 1, 1, terms: [3]), from: n1, to: n2, term: Term(3))
        #expect(bench[n2].terms == [1, 3, 2, 2])
        #expect(bench[n2].checkInvariants() != nil, "terms decrease")
        #expect(bench.disks[n2]?.entries.map(\.term.rawValue) == [1, 3, 2, 2])
    }

    @Test("a late message that matches a beginning of the log removes nothing, and an empty heartbeat never does")
    func lateMessage() {
        var bench = Workbench(3)
        bench.inject(Self.append(after: 0, 0, terms: [1, 1, 1]), from: n1, to: n2, term: Term(1))
        bench.inject(Self.append(after: 0, 0, terms: [1]), from: n1, to: n2, term: Term(1))
        bench.inject(Self.append(after: 1, 1, terms: []), from: n1, to: n2, term: Term(1))
        #expect(bench[n2].terms == [1, 1, 1])
    }

    @Test("without that rule a late message removes what came after it")
    func truncateAlways() {
        var bench = Workbench(3, settings: Settings { $0.rules = .all(without: .truncateOnlyOnConflict) })
        bench.inject(Self.append(after: 0, 0, terms: [1, 1, 1]), from: n1, to: n2, term: Term(1))
        bench.inject(Self.append(after: 0, 0, terms: [1]), from: n1, to: n2, term: Term(1))
        #expect(bench[n2].terms == [1])
        bench.inject(Self.append(after: 0, 0, terms: []), from: n1, to: n2, term: Term(1))
        #expect(bench[n2].terms == [])
        #expect(bench.disks[n2]?.entries.isEmpty == true)
    }

    @Test("a committed entry is never replaced: the server halts instead, with the numbers")
    func committedStays() {
        var bench = Workbench(3)
        bench.inject(Self.append(after: 0, 0, terms: [1, 1], commit: 2), from: n1, to: n2, term: Term(1))
        #expect(bench[n2].commitIndex == LogIndex(2))
        bench.inject(Self.append(after: 1, 1, terms: [2]), from: n3, to: n2, term: Term(2))
        let violation = Violation.committedEntryReplaced(
            index: LogIndex(2), own: Term(1), other: Term(2), commit: LogIndex(2))
        #expect(bench[n2].violation == violation)
        #expect(bench[n2].terms == [1, 1])
        #expect(violation.description.contains("entry 2 of term 1 is committed (commit index 2)"))
    }

    @Test("a follower commits no further than the message proves its log to match")
    func provenCommit() {
        var bench = Workbench(3, disks: [n2: .init(term: 1, terms: [1, 1, 1, 1])])
        bench.inject(Self.append(after: 1, 1, terms: [1], commit: 9), from: n1, to: n2, term: Term(2))
        #expect(bench[n2].commitIndex == LogIndex(2))
        bench.inject(Self.append(after: 1, 1, terms: [], commit: 9), from: n1, to: n2, term: Term(2))
        #expect(bench[n2].commitIndex == LogIndex(2), "a commit index never goes back")
    }

    @Test("a follower acknowledges no more than the message proves, however long its own log is")
    func provenAcknowledgement() {
        var bench = Workbench(3, disks: [n2: .init(term: 1, terms: [1, 1, 1, 1])])
        bench.inject(Self.append(after: 1, 1, terms: [1]), from: n1, to: n2, term: Term(2))
        #expect(bench.takeWire().compactMap(\.response?.outcome) == [.accepted(match: LogIndex(2))])
        #expect(bench[n2].terms == [1, 1, 1, 1])
        bench.inject(Self.append(after: 1, 1, terms: []), from: n3, to: n2, term: Term(3))
        #expect(
            bench.takeWire().compactMap(\.response?.outcome) == [.accepted(match: LogIndex(1))],
            "what one leader proved is nothing to the next")
    }

    @Test("without that rule it commits what its leader may not have")
    func provenCommitOff() {
        var bench = Workbench(
            3, settings: Settings { $0.rules = .all(without: .commitOnlyProven) },
            disks: [n2: .init(term: 1, terms: [1, 1, 1, 1])])
        bench.inject(Self.append(after: 1, 1, terms: [1], commit: 9), from: n1, to: n2, term: Term(2))
        #expect(bench[n2].commitIndex == LogIndex(4))
    }

    @Test("Figure 7: whatever a follower lacks or has too much, its log becomes the leader's")
    func figure7() {
        let leader: [UInt64] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
        let followers: [[UInt64]] = [
            [1, 1, 1, 4, 4, 5, 5, 6, 6], [1, 1, 1, 4], [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], [1, 1, 1, 4, 4, 4, 4], [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        ]
        var disks = [n1: Workbench.Disk(term: 7, terms: leader)]
        for (place, terms) in followers.enumerated() { disks[NodeID(place + 2)] = .init(term: 7, terms: terms) }
        var bench = Workbench(7, disks: disks)
        bench.elect(n1)
        #expect(bench[n1].role.name == .leader, "a, b, e and f give their votes")
        for node in bench.configuration.voters {
            #expect(bench[node].terms == leader + [8])
            #expect(bench[node].log == bench[n1].log)
        }
    }

    @Test("a follower with a long wrong tail is mended in one message a term")
    func hints() {
        let leader = [UInt64](repeating: 1, count: 50) + [UInt64](repeating: 5, count: 50)
        let follower =
            [UInt64](repeating: 1, count: 50) + [UInt64](repeating: 2, count: 100)
            + [UInt64](repeating: 3, count: 100)
        var bench = Workbench(3, disks: [n1: .init(term: 5, terms: leader), n2: .init(term: 5, terms: follower)])
        bench.elect(n1)
        bench.dropWire()
        let refusals = (bench.observations[n2] ?? []).count {
            if case .appendRefused = $0 { true } else { false }
        }
        #expect(bench[n2].log == bench[n1].log)
        #expect(refusals <= 3)
    }

    @Test(
        "without conflict the leader sends ahead, in as many messages as the window holds, and goes on with the answers"
    )
    func window() {
        var bench = Workbench(
            3,
            settings: Settings {
                $0.limits.inflightMessagesMax = 3
                $0.limits.entriesPerAppendMax = 2
            })
        bench.elect(n1)
        for _ in 1...20 { bench.propose(on: n1) }
        #expect(bench.wire.count { $0.to == n2 } == 3)
        let sent = bench.wire.filter { $0.to == n2 }.compactMap(\.append)
        for (earlier, later) in zip(sent, sent.dropFirst()) {
            #expect(later.previous.index == earlier.previous.index.advanced(by: earlier.entries.count))
        }
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log)
        #expect(bench[n3].log == bench[n1].log)
    }

    @Test(
        "entries follow right after the message's previous entry, however few fit and whatever was lost",
        arguments: [1, 2, 100])
    func contiguous(entriesMax: Int) {
        let settings = Settings {
            $0.options.checkQuorum = false
            $0.limits.entriesPerAppendMax = entriesMax
            $0.limits.bytesPerAppendMax = 150
            $0.limits.inflightMessagesMax = 3
        }
        var bench = Workbench(3, settings: settings, disks: [n1: .init(term: 2, terms: [1, 2, 2])])
        bench.elect(n1)
        var seen = 0
        for round in 1...60 {
            bench.propose([UInt8](repeating: 0, count: round * 7 % 120), on: n1)
            for append in bench.wire.compactMap(\.append) {
                let log = bench[n1].log
                let due = log.entries(from: append.previous.index.next, maxCount: append.entries.count)
                #expect(append.entries == due)
                #expect(log.contains(append.previous))
                seen += append.entries.count
            }
            bench.deliverOnce { $0.to != n3 || round % 3 != 0 }
            if round % 5 == 0 {
                bench.dropWire()
                bench.reachDeadline(of: n1)
            }
        }
        #expect(seen > 60)
        bench.deliver()
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log)
        #expect(bench[n3].log == bench[n1].log)
    }

    @Test("a follower that never answers costs its leader no more than a window of messages")
    func silentFollower() {
        var bench = Workbench(3, settings: Settings { $0.limits.inflightMessagesMax = 4 })
        bench.elect(n1)
        var sent = 0
        for _ in 1...500 {
            bench.propose([UInt8](repeating: 0, count: 100), on: n1)
            sent += bench.wire.count { $0.to == n3 && $0.append?.entries.isEmpty == false }
            bench.deliver { $0.to != n3 }
        }
        #expect(sent == 4)
        #expect(bench[n1].commitIndex == LogIndex(501), "the others go on")
    }

    @Test("the window is bounded in bytes too")
    func windowBytes() {
        var bench = Workbench(3, settings: Settings { $0.limits.inflightBytesMax = 1_000 })
        bench.elect(n1)
        for _ in 1...20 { bench.propose([UInt8](repeating: 0, count: 600), on: n1) }
        #expect(bench.wire.count { $0.to == n2 } == 2)
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log)
    }

    @Test("a full window whose acknowledgements were lost makes progress again with the next heartbeat")
    func lostAnswers() {
        var bench = Workbench(3, settings: Settings { $0.limits.inflightMessagesMax = 2 })
        bench.elect(n1)
        for _ in 1...5 { bench.propose(on: n1) }
        bench.deliverOnce { $0.append != nil }
        bench.dropWire()
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log)
        #expect(bench[n1].commitIndex == LogIndex(6))
    }

    @Test("entries that were lost are sent again after the next heartbeat is refused")
    func lostEntries() {
        var bench = Workbench(3)
        bench.elect(n1)
        for _ in 1...5 { bench.propose(on: n1) }
        bench.dropWire()
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log)
        #expect(bench[n3].log == bench[n1].log)
    }

    @Test("a refusal lowers no proven match and moves no commit index")
    func lateRefusal() {
        var bench = Workbench(3)
        bench.elect(n1)
        for _ in 1...3 { bench.propose(on: n1) }
        bench.deliver()
        let before = bench[n1].progress(of: n2)
        #expect(before?.match == LogIndex(4))
        bench.inject(
            .appendResponse(
                AppendResponse(outcome: .refused(previous: LogIndex(2), hint: .zero), round: .zero)),
            from: n2, to: n1, term: Term(1))
        #expect(bench[n1].progress(of: n2) == before)
        bench.inject(
            .appendResponse(AppendResponse(outcome: .accepted(match: LogIndex(2)), round: .zero)), from: n2, to: n1,
            term: Term(1))
        #expect(bench[n1].progress(of: n2)?.match == LogIndex(4))
        for _ in 1...3 { bench.propose(on: n1) }
        bench.dropWire()
        bench.inject(
            .appendResponse(AppendResponse(outcome: .refused(previous: LogIndex(7), hint: .zero), round: .zero)),
            from: n2, to: n1, term: Term(1))
        #expect(bench[n1].progress(of: n2)?.match == LogIndex(4), "though it claims to hold nothing")
        #expect(bench[n1].progress(of: n2)?.next == LogIndex(5))
        #expect(bench[n1].commitIndex == LogIndex(4))
    }

    @Test("messages that come twice or in another order change nothing")
    func reordered() {
        var bench = Workbench(3)
        bench.elect(n1)
        for _ in 1...6 { bench.propose(on: n1) }
        let messages = bench.takeWire().filter { $0.to == n2 }
        for message in messages.reversed() + messages + messages { bench.step(.message(message), on: n2) }
        bench.deliver()
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n2].log == bench[n1].log)
    }

    @Test("an empty round trip ends probing, so that entries flow")
    func probeEnds() {
        var bench = Workbench(3)
        bench.step(.campaign, on: n1)
        bench.deliverOnce()
        bench.deliverOnce { $0.from == n2 }
        bench.dropWire()
        #expect(bench[n1].progress(of: n2)?.isProbing == true)
        bench.propose(on: n1)
        #expect(bench.takeWire().isEmpty, "one probe at a time")
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].progress(of: n2)?.isProbing == false)
        #expect(bench[n2].log == bench[n1].log)
    }

    @Test("what a message may hold is bounded, but a single heavy entry goes alone")
    func batches() {
        let log = Log((1...10).map { _ in Entry(term: Term(1), payload: .command([UInt8](repeating: 0, count: 84))) })
        #expect(log.entries(from: LogIndex(1), maxWeight: 250).count == 2)
        #expect(log.entries(from: LogIndex(1), maxWeight: 5).count == 1)
        #expect(log.entries(from: LogIndex(3), maxCount: 4).count == 4)
        #expect(log.entries(from: LogIndex(9)).count == 2)
        #expect(log.entries(from: LogIndex(11)).isEmpty)
    }
}

/// Paper §5.3 and §5.4.2.
struct CommitTests {
    @Test("Figure 8: an entry of an earlier term on a majority is not committed by counting, and can be replaced")
    func figure8() {
        // S1 was leader in term 2, S5 in term 3; S1 leads again in term 4 and replicates its entry of term 2 further.
        var bench = Workbench(
            5, settings: Settings { $0.options.noop = false },
            disks: [
                n1: .init(term: 3, terms: [1, 2]), n2: .init(term: 3, terms: [1, 2]), n3: .init(term: 3, terms: [1]),
                n4: .init(term: 3, terms: [1]), n5: .init(term: 3, vote: n5, terms: [1, 3]),
            ])
        bench.step(.campaign, on: n1)
        bench.deliver { $0.from != n5 && $0.to != n5 && $0.from != n4 && $0.to != n4 }
        bench.reachDeadline(of: n1)
        bench.deliver { $0.from != n5 && $0.to != n5 && $0.from != n4 && $0.to != n4 }
        #expect([n1, n2, n3].allSatisfy { bench[$0].terms == [1, 2] }, "three of five store it")
        #expect(bench[n1].commitIndex == .zero)
        let isHeldBack = (bench.observations[n1] ?? []).contains {
            if case .heldBack(let held) = $0 { held.index == LogIndex(2) && held.stored == 3 } else { false }
        }
        #expect(isHeldBack)
        bench.crash(n1)
        bench.elect(n5)
        #expect(bench[n5].role.name == .candidate, "n2 and n3 gave n1 their votes of term 4")
        bench.elect(n5)
        #expect(bench[n5].role.name == .leader)
        #expect([n2, n3, n4].allSatisfy { bench[$0].terms == [1, 3] }, "the entry of term 2 is replaced")
    }

    @Test("an entry of the leader's own term commits the earlier ones with it")
    func indirectly() {
        var bench = Workbench(
            3,
            disks: [n1: .init(term: 2, terms: [1, 2]), n2: .init(term: 2, terms: [1]), n3: .init(term: 2, terms: [1])]
        )
        bench.elect(n1)
        #expect(bench[n1].commitIndex == LogIndex(3))
        #expect(bench[n1].terms == [1, 2, 3])
    }

    @Test("without that rule an entry of an earlier term is committed by counting")
    func ownTermOff() {
        var bench = Workbench(
            3,
            settings: Settings {
                $0.options.noop = false
                $0.rules = .all(without: .commitOnlyOwnTerm)
            }, disks: [n1: .init(term: 2, terms: [1, 2]), n2: .init(term: 2, terms: [1, 2])])
        bench.elect(n1)
        bench.reachDeadline(of: n1)
        bench.deliver()
        #expect(bench[n1].commitIndex == LogIndex(2))
    }

    @Test("without the majority rule an entry is committed with half of the servers")
    func majorityOff() {
        var bench = Workbench(3, settings: Settings { $0.rules = .all(without: .majorityCommits) })
        bench.elect(n1)
        bench.propose(on: n1)
        #expect(bench[n1].commitIndex == LogIndex(2), "the leader alone")
    }
}

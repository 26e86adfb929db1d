import KeyValue
import RaftCore

// What led to a client's answer.

extension CauseSearch {
    func cause(of answer: ClientReturn) -> Int? {
        let called = nearest {
            guard case .called(let call) = row[$0].kind else { return isBeginning($0) }
            return call.client == answer.client && call.call == answer.call
        }
        guard let called, case .called(let call) = row[called].kind else { return nil }
        switch call.request {
        case .write(let operation):
            let cause =
                answer.result == .unknown
                ? call.via == nil ? nil : lossOfTheWrite(operation, call, since: called)
                : application(of: operation, call, answer, since: called)
            return cause ?? called
        case .get(_, let mode), .keys(_, let mode):
            guard mode.isLinearizable, answer.result.isAnswer else { return called }
            return confirmation(since: called) ?? called
        }
    }

    /// The first application of the write anywhere: a leader applies an entry before it tells others that it may be.
    private func application(
        of operation: KeyValue.Operation, _ call: ClientCall, _ answer: ClientReturn, since called: Int
    ) -> Int? {
        var first: Int?
        for place in called..<row.count where first == nil {
            guard case .node(_, _, .applied(let applied)) = row[place].kind, applied.key == operation.key,
                applied.client == nil || applied.client?.prefix(while: { $0 != "~" }) == call.client[...]
            else { continue }
            if applied.isDuplicate || applied.value == operation.value(after: answer.result) { first = place }
        }
        return first
    }

    /// What became of the server that took a write, so that nobody can say whether it is done.
    private func lossOfTheWrite(_ operation: KeyValue.Operation, _ call: ClientCall, since called: Int) -> Int? {
        // Others have the entry later, and their own end says nothing.
        var taker: NodeID?
        for place in called..<row.count {
            guard case .node(let node, _, let event) = row[place].kind, taker == nil || node == taker else { continue }
            switch event {
            case .raft(.appended(let appended)) where taker == nil:
                if appended.entries.contains(where: { $0.isOperation(operation, of: call.client) }) { taker = node }
            case .stopped, .failed, .raft(.halted), .raft(.snapshotInstalled):
                if taker == node || taker == nil && call.via == node { return place }
            case .raft(.roleChanged(let change)): if taker == node, change.role == .follower { return place }
            default: break
            }
        }
        return nil
    }

    /// The confirmation of a read: by the round of its leader, or by the answer of the leader that was asked.
    private func confirmation(since called: Int) -> Int? {
        let place = nearest { place in
            if place <= called { return true }
            switch row[place].kind {
            case .node(_, _, .raft(.readRound(let step))): return step.isConfirmed
            case .delivered(let delivered):
                return isDelivery(at: place, to: delivered.to) {
                    if case .readIndexResponse(let response) = $0.body { response.index != nil } else { false }
                }
            default: return false
            }
        }
        return place.flatMap { $0 > called ? $0 : nil }
    }
}

extension KeyValue.Operation {
    /// The value that the key has when this is applied and comes to `result`; `nil` where it is gone.
    fileprivate func value(after result: ClientResult) -> Bytes? {
        switch self {
        case .set(_, let value): value
        case .delete: nil
        case .increment: if case .value(let value) = result { value } else { nil }
        case .compareAndSet(_, _, let new): if case .mismatch(let value) = result { value } else { new }
        }
    }
}

extension Entry {
    fileprivate func isOperation(_ operation: KeyValue.Operation, of client: String) -> Bool {
        guard case .command(let bytes) = payload, let command = try? SessionCommand(decoding: bytes) else {
            return false
        }
        return command.operation == operation && command.isOf(client)
    }
}

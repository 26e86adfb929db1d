import KeyValue
import NIOCore
import RaftTrace

/// Asks nodes one after the other for what a client wants, until one has an answer.
struct CallAttempts: Sendable {
    let client: HTTPClient
    let request: Request
    let question: HTTPClient.Question
    /// When patience ends.
    let deadline: NIODeadline

    /// How long a call is tried.
    static let patience = TimeAmount.seconds(6)
    /// How long one node may take; it has a patience of its own, which should end first.
    private static let onePatience = TimeAmount.seconds(4)

    /// What the first of `addresses` that has one answers.
    func ask(_ addresses: [NodeAddress]) -> EventLoopFuture<ClientResult> {
        ask(addresses[...], mayBeDone: false, last: .error("no node can be reached"))
    }

    /// - Parameters:
    ///   - mayBeDone: Whether one that was asked before may have done it, and nobody knows.
    ///   - last: What was answered last.
    private func ask(
        _ addresses: ArraySlice<NodeAddress>, mayBeDone: Bool, last: ClientResult
    ) -> EventLoopFuture<ClientResult> {
        let rest = deadline - .now()
        guard let address = addresses.first, rest > .zero else {
            return client.loop.makeSucceededFuture(mayBeDone ? .unknown : last)
        }
        let others = addresses.dropFirst()
        return client.ask(question, of: address, within: min(rest, CallAttempts.onePatience)).flatMap { answer in
            let result = ClientResult(answer, to: request)
            guard !result.isAnswer else { return client.loop.makeSucceededFuture(result) }
            // Nothing was done here: another node may do it.
            if answer.status == 503 { return ask(others, mayBeDone: mayBeDone, last: result) }
            return client.loop.makeSucceededFuture(mayBeDone ? .unknown : result)
        }.flatMapError { error in
            let trouble = error as? HTTPTrouble ?? .broken("\(error)")
            if case .unreachable(let reason) = trouble {
                let last = ClientResult.error("no node answers: \(address.authority): \(reason)")
                return ask(others, mayBeDone: mayBeDone, last: last)
            }
            // It was asked, and what came of it nobody knows. Under the same name a write is not done twice.
            return ask(
                others, mayBeDone: mayBeDone || !request.isRead, last: request.isRead ? .unknown : last)
        }
    }
}

import KeyValue
import RaftCore

// What is no server's own: messages that are lost, links, clients, the clock, settings.

extension MessageLost {
    var explanation: Explanation {
        let why =
            switch reason {
            case .cut: "the link is cut"
            case .chance: "the link lost it"
            case .unreachable: "\(to) can't be reached"
            case .full: "\(to) takes nothing more"
            case .dropped: "it was dropped by hand"
            }
        return Explanation([from, to], "→ \(to) #\(number) is lost: \(why)", nil, .background)
    }
}

extension LinkState {
    var explanation: Explanation {
        var words: [String] = []
        if isCut { words.append("is cut") }
        if latencyMax > .zero {
            words.append("takes \(latencyMin.nanoseconds / 1_000_000)–\(latencyMax.nanoseconds / 1_000_000) ms")
        }
        if loss > 0 { words.append("loses \((loss * 1_000).rounded() / 10) %") }
        return Explanation(
            [from, to], "→ \(to) " + (words.isEmpty ? "is whole" : words.joined(separator: ", ")), nil, .background)
    }
}

extension ClientCall {
    var explanation: Explanation {
        let what: String
        switch request {
        case .write(let operation): what = operation.description
        case .get(let key, let mode): what = "get \(Word.quoted(key))" + (mode == .readindex ? "" : " \(mode.rawValue)")
        case .keys(let prefix, _): what = "keys" + (prefix.isEmpty ? "" : " \(Word.quoted(prefix))")
        }
        return Explanation(
            [], "\(client): \(what)" + (via.map { " via \($0)" } ?? "") + (isRetry ? ", again" : ""), nil,
            Load.number(of: client) != nil ? .background : .usual)
    }
}

extension ClockStepped {
    /// What happens by this step, in a sentence.
    public var sentence: String {
        guard let from else { return "nothing is due: no timer runs, and no message is on its way but on held links" }
        guard let to, let message else { return "the clock goes on to what \(from) does next" }
        return "the clock goes on to where #\(message) from \(from) reaches \(to)"
    }

    var explanation: Explanation { Explanation([], sentence, nil, from == nil ? .important : .usual) }
}

/// Rates of the clock as words.
public enum RateText {
    /// `1/10`, `1`, `0.3`, `4`.
    public static func text(of rate: Double) -> String {
        if rate < 1, rate > 0, abs((1 / rate).rounded() - 1 / rate) < 1e-9 { return "1/" + plain((1 / rate).rounded()) }
        return plain(rate)
    }

    /// A number without a fraction that it doesn't have.
    public static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }
}

extension SettingsChanged {
    var sentence: String {
        let timeout = electionTimeout.map { "\($0.nanoseconds / 1_000_000)" }.joined(separator: "…")
        let rules = rulesOff.isEmpty ? "with every rule" : "without \(rulesOff.joined(separator: ", "))"
        return
            "the nodes go on \(rules); \(options.isEmpty ? "no options" : options.joined(separator: " ")), "
            + "election timeout \(timeout) ms, heartbeat \(heartbeat.nanoseconds / 1_000_000) ms"
    }
}

import RaftCore

/// Single values, as scripts write them, for the command line to share.
public enum Value {
    /// A clock's rate: `1/10`, `0.5`, `2`.
    ///
    /// - Throws: ``ScriptError`` where it is none, or beyond what a clock can do.
    public static func rate(_ text: String) throws(ScriptError) -> Double {
        try read(text) { (parser) throws(ScriptError) in try parser.rate() }
    }

    /// A range of durations: `10ms..30ms`, or one duration for both ends.
    ///
    /// - Throws: ``ScriptError`` where it is none.
    public static func durations(_ text: String) throws(ScriptError) -> ClosedRange<Interval> {
        try read(text) { (parser) throws(ScriptError) in try parser.durations("it") }
    }

    private static func read<Result>(
        _ text: String, _ body: (inout LineParser) throws(ScriptError) -> Result
    ) throws(ScriptError) -> Result {
        var parser = try LineParser(text, nodes: nil)
        let result = try body(&parser)
        try parser.finish()
        return result
    }
}

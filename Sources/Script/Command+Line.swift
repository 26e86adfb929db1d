import Laboratory

extension Command {
    /// The command that a line says.
    ///
    /// - Parameter nodes: The number of servers, where it is known.
    /// - Throws: ``Refusal`` where the line can't be read, or says something else.
    public static func reading(_ line: String, nodes: Int?) throws(Refusal) -> Command {
        let kind: Statement.Kind?
        do throws(ScriptError) { kind = try Statement.Kind(parsing: line, nodes: nodes) } catch {
            throw Refusal(error.description)
        }
        guard case .command(let command)? = kind else { throw Refusal("'\(line)' is no command") }
        return command
    }
}

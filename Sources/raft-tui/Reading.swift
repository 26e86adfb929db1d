import Script

// Scripts and lessons, as the command line names them.

extension Script {
    /// Reads the script in `file`, or on standard input, where that is `-`.
    ///
    /// - Throws: ``Failure`` where it can't be read.
    static func read(_ file: String, nodes: Int?) throws -> Script {
        let text = try Files.read(file)
        do {
            return try Script(parsing: text, nodes: nodes)
        } catch {
            throw Failure("\(file == "-" ? "standard input" : file), \(error)")
        }
    }
}

extension Lesson {
    /// The lesson called `name`.
    ///
    /// - Throws: ``Failure`` where there is none.
    static func find(_ name: String) throws -> Lesson {
        guard let lesson = Lesson(named: name) else { throw Failure(unknown(name)) }
        return lesson
    }

    /// The script of the lesson called `name`.
    static func read(_ name: String) throws -> Script {
        let lesson = try find(name)
        do { return try lesson.script() } catch { throw Failure("the lesson \(name), \(error)") }
    }
}

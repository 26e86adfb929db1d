import Glibc

/// How many files and connections this process may have open.
enum OpenFiles {
    /// What is kept for the node itself: its log, its snapshots, its connections to the others, and its threads' own.
    private static let reserve = 256

    /// Lets it have as many as its user may: the usual number is meant for programs that wait for one file at a time.
    ///
    /// - Returns: How many that are.
    static func allowMany() -> Int {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0 else { return .max }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if setrlimit(files, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// How many connections there may be where so many files may be open; with few, the half.
    static func connectionsMax(of files: Int) -> Int { max(1, files - min(reserve, files / 2)) }
}

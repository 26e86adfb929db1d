/// Small pictures of numbers, in text.
public enum Spark {
    private static let heights = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let plainHeights = [".", "_", "-", "=", "+", "*", "%", "#"]

    /// A column for each number, as high as it is beside the greatest; a blank for zero.
    public static func line(_ numbers: [Int], isASCII: Bool) -> String {
        let greatest = numbers.max() ?? 0
        let letters = isASCII ? plainHeights : heights
        return numbers.map { number in
            guard number > 0, greatest > 0 else { return " " }
            return letters[min(letters.count - 1, (number * letters.count - 1) / greatest)]
        }.joined()
    }

    /// A bar of `width` cells that is filled by `share`, from 0 to 1.
    public static func gauge(_ share: Double, width: Int, isASCII: Bool) -> (filled: String, empty: String) {
        let filled = Int((min(max(share, 0), 1) * Double(width)).rounded(.up))
        return (
            String(repeating: isASCII ? "#" : "▰", count: filled),
            String(repeating: isASCII ? "." : "▱", count: width - filled)
        )
    }
}

import Canvas

/// A line that is being typed, with the keys that fingers know.
public struct LineEditor: Hashable, Sendable {
    /// What was typed.
    public private(set) var text: [Character] = []
    /// Before which letter the next one goes.
    public private(set) var cursor = 0

    /// A line with something in it, the cursor at its end.
    public init(_ text: String = "") {
        self.text = Array(text)
        cursor = self.text.count
    }

    /// The line.
    public var line: String { String(text) }

    /// What stands before the cursor.
    public var head: String { String(text[..<cursor]) }

    /// The longest line that can be typed, in letters.
    private static let lengthMax = 4_096

    /// Takes a key. Answers whether it was one for editing.
    mutating func take(_ key: Key) -> Bool {
        switch key {
        case .character(let letter): insert(letter)
        case .backspace, .control("h"): if cursor > 0 { remove(cursor - 1..<cursor) }
        case .delete, .control("d"): if cursor < text.count { remove(cursor..<cursor + 1) }
        case .left, .control("b"): cursor = max(0, cursor - 1)
        case .right, .control("f"): cursor = min(text.count, cursor + 1)
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = text.count
        case .control("u"): remove(0..<cursor)
        case .control("k"): remove(cursor..<text.count)
        case .control("w"): remove(wordStart..<cursor)
        default: return false
        }
        return true
    }

    /// Puts `replacement` in the place of the last `count` letters before the cursor.
    mutating func complete(replacing count: Int, with replacement: String) {
        remove(max(0, cursor - count)..<cursor)
        for letter in replacement { insert(letter) }
    }

    private mutating func insert(_ letter: Character) {
        guard text.count < LineEditor.lengthMax else { return }
        // A mark that combines with the letter before it makes one letter of the two.
        let joined = cursor > 0 ? Array(String(text[cursor - 1]) + String(letter)) : []
        if joined.count == 1 {
            text[cursor - 1] = joined[0]
        } else {
            text.insert(letter, at: cursor)
            cursor += 1
        }
    }

    private mutating func remove(_ range: Range<Int>) {
        text.removeSubrange(range)
        cursor = range.lowerBound
    }

    /// Where the word before the cursor starts.
    private var wordStart: Int {
        var place = cursor
        while place > 0, text[place - 1].isWhitespace { place -= 1 }
        while place > 0, !text[place - 1].isWhitespace { place -= 1 }
        return place
    }
}

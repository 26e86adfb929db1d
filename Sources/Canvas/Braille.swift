/// A plane of dots, two columns and four rows to a cell, for lines finer than letters.
public struct Braille: Sendable {
    private let size: Size
    private var dots: [UInt8]

    /// An empty plane that covers `size` cells.
    public init(_ size: Size) {
        self.size = size
        dots = Array(repeating: 0, count: size.rows * size.columns)
    }

    /// Which bit of a cell's letter (U+2800…) is the dot in this row and column of it.
    private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

    /// Sets a dot; `x` goes to the right in half cells, `y` downwards in quarters.
    public mutating func set(x: Int, y: Int) {
        let (row, column) = (y / 4, x / 2)
        guard x >= 0, y >= 0, row < size.rows, column < size.columns else { return }
        dots[row * size.columns + column] |= Braille.bits[y % 4][x % 2]
    }

    /// Draws a straight line, every `step`th dot of it.
    public mutating func line(from start: (x: Double, y: Double), to end: (x: Double, y: Double), step: Int = 1) {
        let length = max(abs(end.x - start.x), abs(end.y - start.y))
        guard length > 0 else { return set(x: Int(start.x), y: Int(start.y)) }
        for dot in stride(from: 0, through: Int(length), by: max(1, step)) {
            let share = Double(dot) / length
            set(
                x: Int((start.x + (end.x - start.x) * share).rounded()),
                y: Int((start.y + (end.y - start.y) * share).rounded()))
        }
    }

    /// Writes the cells that have dots onto `canvas`.
    public func draw(on canvas: inout Canvas, row: Int, column: Int, style: Style) {
        for line in 0..<size.rows {
            for place in 0..<size.columns {
                let bits = dots[line * size.columns + place]
                guard bits != 0, let scalar = Unicode.Scalar(0x2800 + UInt32(bits)) else { continue }
                canvas.write(String(scalar), row: row + line, column: column + place, style: style)
            }
        }
    }
}

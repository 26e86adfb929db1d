import CNcurses
import Canvas

extension Key {
    /// The key of a press; `nil` for one that means nothing here.
    init?(_ press: CNKeyPress) {
        if press.kind == 2 {
            self.init(CNKey(rawValue: press.code))
            return
        }
        if press.kind == 3 {
            guard let mouse = Mouse.told() else { return nil }
            self = .mouse(mouse)
            return
        }
        guard let scalar = Unicode.Scalar(press.code) else { return nil }
        switch scalar.value {
        case 0x0d, 0x0a: self = .enter
        case 0x09: self = .tab
        case 0x1b: self = .escape
        case 0x7f, 0x08: self = .backspace
        case 0x01...0x1a: self = .control(Character(Unicode.Scalar(UInt8(scalar.value + 0x60))))
        case 0..<0x20: return nil
        default: self = .character(Character(scalar))
        }
    }

    private init?(_ key: CNKey) {
        switch key {
        case CNKeyUp: self = .up
        case CNKeyDown: self = .down
        case CNKeyLeft: self = .left
        case CNKeyRight: self = .right
        case CNKeyHome: self = .home
        case CNKeyEnd: self = .end
        case CNKeyPageUp: self = .pageUp
        case CNKeyPageDown: self = .pageDown
        case CNKeyBackspace: self = .backspace
        case CNKeyDelete: self = .delete
        case CNKeyBackTab: self = .backTab
        case CNKeyEnter: self = .enter
        default: return nil
        }
    }
}

extension Mouse {
    /// What the mouse has just done; `nil` where that means nothing here.
    fileprivate static func told() -> Mouse? {
        var event = CNMouseEvent()
        guard cn_mouse(&event) else { return nil }
        let action: Action =
            switch event.action {
            case CNMouseWheelUp: .wheelUp
            case CNMouseWheelDown: .wheelDown
            default: .press
            }
        return Mouse(action, row: Int(event.row), column: Int(event.column))
    }
}

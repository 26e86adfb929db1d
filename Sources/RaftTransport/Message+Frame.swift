import NIOCore
import RaftCore

extension Message {
    /// The frame in which the message crosses a socket, byte by byte; `nil` for what the connection adds: the frame's number
    /// on it, and whether it wants to hear that the message is handled.
    ///
    /// - Parameter number: The number by which the screen knows the message.
    public func frame(number: UInt64) -> [UInt8?] {
        // What differs between two connections is what they add.
        let form = MessageForm(term: term, body: body)
        let one = Frame.message(frame: 0, number: number, wantsHandled: false, form).bytes
        let other = Frame.message(frame: .max, number: number, wantsHandled: true, form).bytes
        return zip(one, other).map { $0 == $1 ? $0 : nil }
    }
}

extension Frame {
    fileprivate var bytes: [UInt8] {
        var buffer = ByteBuffer()
        write(into: &buffer)
        return Array(buffer.readableBytesView)
    }
}
